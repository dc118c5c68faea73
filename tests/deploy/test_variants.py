"""Every deployment variant gives a complete stack; invalid parameters are rejected."""

import json
import re
from graphlib import TopologicalSorter

import pytest

from tests.support import cloudformation
from tests.support.cloudformation import (
    RejectedParametersError,
    Stack,
    defaults,
    profile,
    template,
    walk,
)
from tests.support.stacks import (
    EXTERNAL,
    EXTERNAL_VARIANTS,
    KEY_ARN,
    KNOWN,
    all_stacks,
    for_every_variant,
    secret_arn,
)

DATA_AND_NETWORK = ("AWS::EC2::", "AWS::RDS::", "AWS::ElastiCache::", "AWS::AutoScaling::")
# The services of a deployment with an external database and cache.
EXTERNAL_SERVICES = (
    "AWS::ApiGateway::",
    "AWS::CloudFront::",
    "AWS::CloudWatch::",
    "AWS::IAM::",
    "AWS::Lambda::",
    "AWS::Logs::",
    "AWS::S3::",
    "AWS::SQS::",
    "AWS::SSM::",
    "AWS::Scheduler::",
    "AWS::SecretsManager::",
    "Custom::",
)


def test_the_translator_does_not_resolve_parameters() -> None:
    # Therefore one translation serves all variants. The id of a deployment contains its time.
    sets = [all_stacks()[name].parameters for name in ("hobby", "scale with all options")]
    first, second = (
        re.sub(r"ApiDeployment[0-9a-f]{10}|RestApi deployment id: [0-9a-f]+", "", json.dumps(each))
        for each in cloudformation.translations(sets)
    )
    assert first == second


def test_no_ref_names_an_id_that_only_sam_resolves() -> None:
    # LocalStack reads the template before SAM and rejects `!Ref AuthFunction.Alias`, but accepts it
    # in a !Sub.
    for value in walk(template()["Resources"]):
        if isinstance(value, dict) and isinstance(value.get("Ref"), str):
            assert "." not in value["Ref"]


def test_alarms_have_one_metric_each() -> None:
    # MiniStack has no metric math, and AWS charges an alarm with five metrics like five alarms.
    for stack in all_stacks().values():
        assert not [each for each in stack.of("AWS::CloudWatch::Alarm") if each.get("Metrics")]


@for_every_variant
def test_each_reference_points_to_a_resource(stack: Stack) -> None:
    assert not stack.dangling


@for_every_variant
def test_dependencies_have_no_cycle(stack: Stack) -> None:
    graph = {each.id: each.references for each in stack.resources.values()}
    TopologicalSorter(graph).prepare()  # raises CycleError for a circular dependency


def test_the_template_is_within_the_limits_of_cloudformation() -> None:
    assert max(len(stack.template["Resources"]) for stack in all_stacks().values()) <= 500
    assert len(template()["Parameters"]) <= 200
    for parameter in template()["Parameters"].values():
        assert len(parameter.get("Description", "")) <= 4000
    assert len(template()["Outputs"]) <= 200


def test_the_hobby_profile_and_the_defaults_need_the_tmdb_key_only() -> None:
    assert template()["Parameters"].keys() == defaults().keys()
    cloudformation.check(defaults() | KNOWN)
    # Without a list, a parameter that was given once is not lost: docs/deploy.md.
    assert profile("hobby") == {}


def test_each_profile_has_its_size_and_protection() -> None:
    hobby, scale = all_stacks()["hobby"], all_stacks()["scale"]
    for name in ("DatabaseMultiAz", "CacheMultiAz", "NatPerAz", "DatabaseProxy"):
        assert hobby.parameters[name] == "false", name
        assert scale.parameters[name] == "true", name
    assert scale.parameters["DatabaseDeletionProtection"] == "true"
    assert int(hobby.parameters["DatabaseBackupDays"]) == 7
    assert int(scale.parameters["DatabaseBackupDays"]) == 30
    assert scale.parameters["SnapStart"] == "true"
    limits = [name for name in scale.parameters if name.endswith("Concurrency")]
    assert len(limits) == 5
    assert sum(int(scale.parameters[name]) for name in limits) >= 400
    # A new account cannot reserve concurrency: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert {hobby.parameters[name] for name in limits} == {"0"}
    assert int(scale.parameters["LogRetentionDays"]) >= 30
    assert all(each.get("MultiAZ") == "true" for each in scale.of("AWS::RDS::DBInstance"))
    assert len(scale.of("AWS::EC2::NatGateway")) == 2
    assert scale.of("AWS::RDS::DBProxy")
    assert not hobby.of("AWS::RDS::DBProxy", "AWS::EC2::NatGateway", "AWS::WAFv2::WebACL")


class TestExternalDatabaseAndCache:
    @pytest.mark.parametrize("name", EXTERNAL_VARIANTS)
    def test_an_external_stack_needs_few_services(self, name: str) -> None:
        for each in all_stacks()[name].resources.values():
            assert each.type.startswith(EXTERNAL_SERVICES), each

    def test_functions_of_an_external_stack_have_no_vpc(self) -> None:
        for function in all_stacks()["external"].of("AWS::Lambda::Function"):
            assert not function.get("VpcConfig"), function

    def test_functions_use_the_secrets_of_the_parameters(self) -> None:
        stack = all_stacks()["external, two database users"]
        urls = {
            each.id: each.get("Environment.Variables")["DATABASE_URL"]
            for each in stack.of("AWS::Lambda::Function")
            if "DATABASE_URL" in each.get("Environment.Variables", {})
        }
        assert urls.pop("MigrationsFunction") == secret_arn("owner")
        assert set(urls.values()) == {secret_arn("database")}
        caches = {
            each.get("Environment.Variables").get("REDIS_URL")
            for each in stack.of("AWS::Lambda::Function")
        }
        assert caches == {None, secret_arn("cache")}


@for_every_variant
def test_a_vpc_is_created_only_if_a_resource_needs_it(stack: Stack) -> None:
    modes = {stack.parameters["DatabaseMode"], stack.parameters["CacheMode"]}
    in_vpc = [each for each in stack.resources.values() if each.type.startswith(DATA_AND_NETWORK)]
    assert bool(in_vpc) == bool(modes - {"external", "none"})


@for_every_variant
def test_functions_of_a_stack_without_a_cache_know_it(stack: Stack) -> None:
    urls = [
        str(each.get("Environment.Variables").get("REDIS_URL"))
        for each in stack.of("AWS::Lambda::Function")
    ]
    assert ("none" in urls) == (stack.parameters["CacheMode"] == "none")
    policies = [each.id for each in stack.of("AWS::IAM::ManagedPolicy")]
    assert ("CacheSecretPolicy" in policies) == (stack.parameters["CacheMode"] != "none")


@for_every_variant
def test_the_application_is_not_the_owner_of_the_tables(stack: Stack) -> None:
    urls = {
        each.id: str(each.get("Environment.Variables")["DATABASE_URL"])
        for each in stack.of("AWS::Lambda::Function")
        if "DATABASE_URL" in each.get("Environment.Variables", {})
    }
    owner = urls.pop("MigrationsFunction")
    assert len(set(urls.values())) == 1
    is_one_user = (
        stack.parameters["DatabaseMode"] == "external"
        and not stack.parameters["MigrationsDatabaseUrlSecretArn"]
    )
    assert (owner in urls.values()) == is_one_user


class TestT14Coverage:
    def test_each_condition_is_true_in_one_variant_and_false_in_another(self) -> None:
        for condition in template().get("Conditions", {}):
            true_in = {name for name, stack in all_stacks().items() if stack.conditions[condition]}
            assert true_in, condition
            assert all_stacks().keys() - true_in, condition

    def test_each_allowed_value_occurs_in_a_variant(self) -> None:
        missing = [
            (name, value)
            for name, parameter in template()["Parameters"].items()
            for value in parameter.get("AllowedValues", [])
            # These values do not change the stack's structure.
            if name not in {"NodeEnv", "LogLevel", "LogRetentionDays"}
            and not any(stack.parameters[name] == str(value) for stack in all_stacks().values())
        ]
        assert missing == []

    def test_each_resource_occurs_in_a_variant(self) -> None:
        created = {
            resource_id for stack in all_stacks().values() for resource_id in stack.resources
        }
        for name, resource in template()["Resources"].items():
            # The id of a layer ends with a digest of its content.
            digest = "[0-9a-f]{10}" if resource["Type"].endswith("LayerVersion") else ""
            assert any(re.fullmatch(name + digest, each) for each in created), name


class TestRejectedParameters:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"DatabaseMode": "external"},
            {"CacheMode": "external"},
            {"CacheMode": "none", "RedisUrlSecretArn": secret_arn("cache")},
            {"DomainName": "api.media.example"},
            {"HostedZoneId": "Z0123456789ABCDEFGHIJ"},
            {"ZoneA": "us-east-1d"},
            {"ZoneA": "us-east-1d", "ZoneB": "us-east-1d"},
            {"ZoneA": "use1-az1", "ZoneB": "use1-az2"},
            {"DatabaseMode": "aurora", "AuroraMinCapacity": "0", "DatabaseProxy": "true"},
            {"DatabaseMode": "aurora", "AuroraMinCapacity": "0.0"},
            {**EXTERNAL, "DatabaseProxy": "true"},
            {"JwtRotationDays": "7"},
            {"JwtRotationDays": "31", "JwtSecretArn": secret_arn("jwt")},
            {"JwtRotationDays": "31", "SecretStore": "parameterstore"},
            {"KmsKeyArn": KEY_ARN, "SecretStore": "parameterstore"},
            {"MonthlyBudgetUsd": "30"},
            {"EgressMode": "none"},
            {"EgressMode": "ipv6"},
            {"DatabaseUrlSecretArn": secret_arn("database")},
            {"TmdbApiKey": ""},
            {"DatabaseMode": "mysql"},
            {"LogRetentionDays": "15"},
        ],
        ids=str,
    )
    def test_invalid_or_contradictory_parameters_are_rejected(
        self, parameters: dict[str, str]
    ) -> None:
        with pytest.raises(RejectedParametersError):
            cloudformation.check(defaults() | KNOWN | parameters)

    def test_each_rule_describes_its_rejection(self) -> None:
        for rule in template()["Rules"].values():
            for assertion in rule["Assertions"]:
                assert len(assertion["AssertDescription"]) > 20
