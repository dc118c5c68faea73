"""The page in front of the API: one distribution, a private bucket, a secret between both."""

import json
from typing import Any

import pytest

from medianest.api.headers import SECURITY_HEADERS
from tests.deploy.test_hardening import API_FUNCTIONS, as_list, environment, functions
from tests.support.cloudformation import Resource, Stack
from tests.support.stacks import PAGE_FIREWALL, all_stacks, for_every_variant

VERIFY_HEADER = "X-Origin-Verify"
VERIFY_VALUES = {
    "secretsmanager": "{{resolve:secretsmanager:${OriginVerifySecret}:SecretString:send}}",
    "parameterstore": '{"Fn::GetAtt": ["StoredSecrets", "OriginVerify"]}',
}
ADDRESS_HEADER = "X-MediaNest-Viewer-Address"
# Policies that AWS manages: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def distributions(stack: Stack) -> list[Resource]:
    return stack.of("AWS::CloudFront::Distribution")


def behaviors(distribution: Resource) -> dict[str, dict[str, Any]]:
    config = distribution.get("DistributionConfig")
    found = {each["PathPattern"]: each for each in config["CacheBehaviors"]}
    return {**found, "default": config["DefaultCacheBehavior"]}


def origins(distribution: Resource) -> dict[str, dict[str, Any]]:
    return {each["Id"]: each for each in distribution.get("DistributionConfig.Origins")}


@for_every_variant
def test_page_exists_unless_it_is_off(stack: Stack) -> None:
    has_page = stack.parameters["WebPage"] == "true"
    created = [
        each
        for each in stack.resources.values()
        if each.type.startswith(("AWS::CloudFront::", "AWS::S3::", "Custom::PageFiles"))
        or each.id in {"OriginVerifySecret", "OriginVerifySecretPolicy", "PageFunction"}
    ]
    assert bool(created) == has_page
    assert ("Url" in stack.outputs) == has_page
    for function in functions(stack):
        is_verifying = "ORIGIN_VERIFY_SECRET" in environment(function)
        assert is_verifying == (has_page and function.id in API_FUNCTIONS), function


@for_every_variant
def test_bucket_is_private_encrypted_and_read_by_the_distribution_only(stack: Stack) -> None:
    for bucket in stack.of("AWS::S3::Bucket"):
        assert set(bucket.get("PublicAccessBlockConfiguration").values()) == {True}
        assert bucket.get("OwnershipControls.Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket.get("BucketEncryption.ServerSideEncryptionConfiguration")
        (policy,) = (
            each for each in stack.of("AWS::S3::BucketPolicy") if bucket.id in each.references
        )
        for statement in policy.get("PolicyDocument.Statement"):
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
                source = json.dumps(statement["Condition"]["StringEquals"]["AWS:SourceArn"])
                assert ":distribution/${Distribution}" in source
                assert statement["Action"] in {"s3:GetObject", "s3:ListBucket"}
            else:
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                assert statement["Principal"] == "*"
                assert len(statement["Resource"]) == 2
        assert {each["Effect"] for each in policy.get("PolicyDocument.Statement")} == {
            "Allow",
            "Deny",
        }


@for_every_variant
def test_distribution_reads_the_bucket_with_signed_requests(stack: Stack) -> None:
    for distribution in distributions(stack):
        access = stack.resource_of(origins(distribution)["page"]["OriginAccessControlId"])
        assert access is not None
        config = access.get("OriginAccessControlConfig")
        assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")


@for_every_variant
def test_every_behaviour_requires_https_and_has_the_security_headers(stack: Stack) -> None:
    for distribution in distributions(stack):
        for path, behavior in behaviors(distribution).items():
            expected = "https-only" if path == "/api/*" else "redirect-to-https"
            assert behavior["ViewerProtocolPolicy"] == expected, path
            policy = stack.resource_of(behavior["ResponseHeadersPolicyId"])
            assert policy is not None
            headers = policy.get("ResponseHeadersPolicyConfig.SecurityHeadersConfig")
            assert len(headers) == len(SECURITY_HEADERS)
            assert all(each["Override"] for each in headers.values())
        for origin in origins(distribution).values():
            if "CustomOriginConfig" in origin:
                config = origin["CustomOriginConfig"]
                assert config["OriginProtocolPolicy"] == "https-only"
                assert config["OriginSSLProtocols"] == ["TLSv1.2"]


@for_every_variant
def test_api_is_never_cached_and_gets_everything_but_the_host(stack: Stack) -> None:
    for distribution in distributions(stack):
        api = behaviors(distribution)["/api/*"]
        assert api["CachePolicyId"] == CACHING_DISABLED
        assert api["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST
        assert len(api["AllowedMethods"]) == 7
        # They would replace the bodies of the API's errors.
        assert "CustomErrorResponses" not in distribution.get("DistributionConfig")


@for_every_variant
def test_page_and_images_are_read_only_and_forward_nothing(stack: Stack) -> None:
    for distribution in distributions(stack):
        for path, behavior in behaviors(distribution).items():
            if path == "/api/*":
                continue
            assert behavior["AllowedMethods"] == ["GET", "HEAD"], path
            assert "OriginRequestPolicyId" not in behavior, path
            policy = stack.resource_of(behavior["CachePolicyId"])
            assert policy is not None
            forwarded = policy.get("CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin")
            assert forwarded["CookiesConfig"] == {"CookieBehavior": "none"}
            assert forwarded["HeadersConfig"] == {"HeaderBehavior": "none"}
            assert forwarded["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


@for_every_variant
def test_only_the_api_gets_the_secret_of_the_distribution(stack: Stack) -> None:
    for distribution in distributions(stack):
        for name, origin in origins(distribution).items():
            headers = origin.get("OriginCustomHeaders", [])
            assert [each["HeaderName"] for each in headers] == (
                [VERIFY_HEADER] if name == "api" else []
            )
            for header in headers:
                text = json.dumps(header["HeaderValue"])
                assert VERIFY_VALUES[stack.parameters["SecretStore"]] in text


@for_every_variant
def test_new_value_of_the_rotation_changes_the_distribution(stack: Stack) -> None:
    for distribution in distributions(stack):
        comment = distribution.get("DistributionConfig.Comment")
        assert comment.endswith(f" {stack.parameters['OriginVerifyRotation']}")


@for_every_variant
def test_functions_of_requests_run_for_the_page_the_images_and_the_api(stack: Stack) -> None:
    expected = {"/api/*": "Api", "/images/*": "Image", "/assets/*": None, "default": "Page"}
    for distribution in distributions(stack):
        for path, behavior in behaviors(distribution).items():
            associated = [
                stack.resource_of(each["FunctionARN"])
                for each in behavior.get("FunctionAssociations", [])
            ]
            names = [each.id for each in associated if each is not None]
            assert names == ([f"{expected[path]}Routing"] if expected[path] else [])
        for function in stack.of("AWS::CloudFront::Function"):
            assert function.get("AutoPublish") is True
            assert function.get("FunctionConfig.Runtime") == "cloudfront-js-2.0"


@for_every_variant
def test_firewall_counts_the_addresses_of_callers(stack: Stack) -> None:
    is_on = stack.parameters["Waf"] == "true"
    assert len(stack.of("AWS::WAFv2::WebACL")) == is_on
    for acl in stack.of("AWS::WAFv2::WebACL"):
        (flood,) = [each for each in acl.get("Rules") if each["Name"] == "flood"]
        rule = flood["Statement"]["RateBasedStatement"]
        attached = [
            each for each in distributions(stack) if each.get("DistributionConfig.WebACLId")
        ]
        assert len(attached) + len(stack.of("AWS::WAFv2::WebACLAssociation")) == 1
        if acl.get("Scope") == "REGIONAL" and stack.parameters["WebPage"] == "true":
            assert rule["AggregateKeyType"] == "FORWARDED_IP"
            assert rule["ForwardedIPConfig"]["HeaderName"] == ADDRESS_HEADER
        else:
            assert rule["AggregateKeyType"] == "IP"
            assert "ForwardedIPConfig" not in rule
        assert (acl.get("Scope") == "CLOUDFRONT") == bool(attached)


def test_firewall_is_in_front_of_the_distribution_where_aws_offers_it() -> None:
    scopes = {
        name: all_stacks()[name].one("AWS::WAFv2::WebACL").get("Scope")
        for name in (PAGE_FIREWALL, "hobby and a firewall")
    }
    assert scopes == {PAGE_FIREWALL: "CLOUDFRONT", "hobby and a firewall": "REGIONAL"}


@pytest.mark.parametrize("name", ["hobby", "scale", "external"])
def test_page_is_published_after_the_functions_and_the_distribution(name: str) -> None:
    stack = all_stacks()[name]
    files = stack.one("Custom::PageFiles")
    before = stack.dependencies_of(files)
    assert {"Distribution", "PageBucket", "PageFunction"} <= before
    assert {f"{each}Aliaslive" for each in API_FUNCTIONS} <= before
    # A new version of the function, which has the page's files, makes CloudFormation call it.
    assert json.dumps(files.get("Release")).count("PageFunctionVersion") == 1


@for_every_variant
def test_late_event_cannot_publish_an_old_release(stack: Stack) -> None:
    for files in stack.of("Custom::PageFiles"):
        function = stack.resources["PageFunction"]
        (config,) = (
            each
            for each in stack.of("AWS::Lambda::EventInvokeConfig")
            if "PageFunction" in each.references
        )
        age, attempts = (
            config.get("MaximumEventAgeInSeconds"),
            config.get("MaximumRetryAttempts"),
        )
        assert (age, attempts) == (60, 0)
        assert age + function.get("Timeout") < int(files.get("ServiceTimeout"))


@for_every_variant
def test_publishing_needs_its_bucket_and_its_distribution_only(stack: Stack) -> None:
    for role in (each for each in stack.of("AWS::IAM::Role") if each.id == "PageRole"):
        allowed = {
            action: json.dumps(statement["Resource"])
            for policy in role.get("Policies")
            for statement in policy["PolicyDocument"]["Statement"]
            for action in as_list(statement["Action"])
            if policy["PolicyName"] == "Publish"
        }
        assert allowed.keys() == {
            "cloudfront:CreateInvalidation",
            "s3:DeleteObject",
            "s3:ListBucket",
            "s3:PutObject",
        }
        for action, resource in allowed.items():
            assert ("PageBucket" in resource) == action.startswith("s3:")
            assert ("${Distribution}" in resource) == action.startswith("cloudfront:")


@for_every_variant
def test_address_of_the_api_is_that_of_the_page(stack: Stack) -> None:
    if "Url" in stack.outputs:
        assert stack.outputs["ApiUrl"] == stack.outputs["Url"]
