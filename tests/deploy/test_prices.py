"""T16: docs/prices.md lists the hourly costs of each profile."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support.cloudformation import ROOT, Resource, Stack
from tests.support.stacks import all_stacks

PRICES = (ROOT / "docs/prices.md").read_text()
PROFILES = ("hobby", "scale")
# AWS charges for the use of these, not for their existence.
FREE = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::EC2::EIPAssociation",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBProxyTargetGroup",
    "AWS::RDS::DBSubnetGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::WAFv2::WebACLAssociation",
    "Custom::Migrations",
    "Custom::PageFiles",
    "Custom::StoredSecrets",
}


def costs_by_the_hour(resource: Resource) -> bool:
    """Return whether AWS charges for a resource by the hour; unknown types count as charged."""
    if resource.type == "AWS::EC2::VPCEndpoint":
        return bool(resource.get("VpcEndpointType", "Gateway") != "Gateway")
    if resource.type == "AWS::ApiGateway::Stage":
        return str(resource.get("CacheClusterEnabled", "false")).lower() == "true"
    if resource.type == "AWS::Lambda::Alias":
        return resource.get("ProvisionedConcurrencyConfig") is not None
    if resource.type == "AWS::Lambda::Function":
        return bool(resource.get("SnapStart.ApplyOn", "None") != "None")
    return resource.type not in FREE


def with_public_address(stack: Stack) -> Iterator[Resource]:
    """Yield the resources with a public IPv4 address, which AWS charges for."""
    for each in stack.of("AWS::EC2::Instance", "AWS::EC2::LaunchTemplate"):
        interfaces = each.get("NetworkInterfaces", each.get("LaunchTemplateData.NetworkInterfaces"))
        values = [interface.get("AssociatePublicIpAddress") for interface in interfaces or []]
        if any(str(value).lower() == "true" for value in values):
            yield each
    for each in stack.of("AWS::EC2::Subnet"):
        if str(each.get("MapPublicIpOnLaunch", "false")).lower() == "true":
            yield each
    yield from stack.of("AWS::EC2::EIP")


def rows(profile: str) -> Iterator[tuple[set[str], str, Decimal]]:
    """Yield the priced rows of a profile: resources or types, description, dollars per hour."""
    names: set[str] = set()
    for line in PRICES.partition("| **by the hour**")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"(`[\w:]+`(, )?)*", cells[0]):
            # A row without a resource continues the one above.
            names = set(re.findall(r"[\w:]+", cells[0])) or names
            if price := cells[2 + PROFILES.index(profile)]:
                yield names, cells[1], Decimal(price)


def priced(profile: str) -> set[str]:
    """Return the resources and types with a price in a profile."""
    return {name for names, _, _ in rows(profile) for name in names}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_table_lists_everything_in_a_profile_that_costs_by_the_hour(
    profile: str,
) -> None:
    for each in all_stacks()[profile].resources.values():
        if costs_by_the_hour(each):
            assert {each.id, each.type} & priced(profile), f"{each} is not in the table"


@pytest.mark.parametrize("profile", PROFILES)
def test_each_price_of_the_table_is_of_a_resource_in_the_profile(profile: str) -> None:
    resources = all_stacks()[profile].resources.values()
    paid = {name for each in resources if costs_by_the_hour(each) for name in (each.id, each.type)}
    assert priced(profile)
    assert priced(profile) <= paid


@pytest.mark.parametrize("profile", PROFILES)
def test_the_table_counts_secrets_and_the_metrics_of_alarms(profile: str) -> None:
    stack = all_stacks()[profile]
    # AWS charges for each metric of an alarm.
    for kind in ("AWS::SecretsManager::Secret", "AWS::CloudWatch::Alarm"):
        (text,) = [text for names, text, _ in rows(profile) if kind in names]
        assert text.startswith(f"{len(stack.of(kind))} ")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_table_has_the_sizes_of_the_profile(profile: str) -> None:
    stack = all_stacks()[profile]
    text = " ".join(text for _, text, _ in rows(profile))
    assert f"{stack.parameters['DatabaseInstanceClass']}" in text
    assert f"{stack.parameters['DatabaseStorageGb']} GiB" in text


@pytest.mark.parametrize("profile", PROFILES)
def test_the_total_of_the_table_is_the_sum_of_its_prices(profile: str) -> None:
    (line,) = [line for line in PRICES.splitlines() if line.startswith("| **by the hour**")]
    total = line.strip("|").split("|")[2 + PROFILES.index(profile)].strip(" *")
    assert sum(price for _, _, price in rows(profile)) == Decimal(total)


def test_the_ladder_has_the_totals_of_the_profiles_and_the_secrets() -> None:
    for profile in PROFILES:
        total = sum(price for _, _, price in rows(profile))
        assert f"\n| `{profile}` | {total} |" in PRICES
    stack = all_stacks()["external, no cache, two database users"]
    given = [
        name for name, arn in stack.parameters.items() if name.endswith("UrlSecretArn") and arn
    ]
    secrets = len(stack.of("AWS::SecretsManager::Secret")) + len(given)
    assert secrets == 6
    assert f"| {secrets * Decimal('0.40')} for six secrets" in PRICES
    stored = all_stacks()["external, no cache, secrets in Parameter Store"]
    assert stored.of("AWS::SecretsManager::Secret") == []
    assert (
        "`DatabaseMode=external CacheMode=none SecretStore=parameterstore` | about 0.00" in PRICES
    )


def test_the_ladder_has_the_totals_of_hobby_with_another_database_or_cache() -> None:
    hobby, stacks = list(rows("hobby")), all_stacks()
    total = sum(price for _, _, price in hobby)
    database = sum(price for names, _, price in hobby if "Database" in names)
    # One GB of data; everything else is that of hobby.
    sleeping = total - database + Decimal("0.10")
    assert f"`hobby` with `DatabaseMode=aurora` | {sleeping}, of it 0.10 for a GB of data" in PRICES
    aurora = stacks["aurora, no cache, nat-instance"]
    same = {"AWS::SecretsManager::Secret", "AWS::EC2::Instance"}
    assert len(aurora.of(*same)) == len(stacks["hobby"].of(*same))
    # ElastiCache bills a tenth of a GB at least, and the cache's password is a secret.
    cached = total + round(Decimal("0.084") * Decimal("0.1") * 730, 2) + Decimal("0.40")
    assert f"`CacheMode=serverless` | {cached} |" in PRICES
    assert len(stacks["rds, serverless, nat-instance"].of(*same)) == len(aurora.of(*same)) + 1


def test_public_addresses_are_in_the_table() -> None:
    addresses = list(with_public_address(all_stacks()["hobby"]))
    assert len(addresses) <= 1, addresses
    assert any("IPv4" in text for _, text, _ in rows("hobby")) == bool(addresses)


def test_resources_that_only_scale_creates_cost_by_the_hour() -> None:
    # The list of free types must not contain these.
    scale = all_stacks()["scale with all options"]
    paid = {each.type for each in scale.resources.values() if costs_by_the_hour(each)}
    assert {
        "AWS::EC2::NatGateway",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Lambda::Function",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBProxy",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::WebACL",
    } <= paid
