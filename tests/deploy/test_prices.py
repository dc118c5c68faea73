"""T16: docs/operations.md lists the idle costs of the hobby profile in a table."""

import re
from collections.abc import Iterator

from tests.support.cloudformation import ROOT, Resource, Stack
from tests.support.stacks import all_stacks

HEADING = "### Hobby: what costs money by the hour"
# AWS charges for the use of these, not for their existence.
FREE = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::EC2::EgressOnlyInternetGateway",
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
    "AWS::EC2::VPCCidrBlock",
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
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBSubnetGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::SecretTargetAttachment",
    "Custom::Migrations",
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


def has_public_address(stack: Stack) -> Iterator[Resource]:
    """Yield the resources with a public IPv4 address, which AWS charges for."""
    for each in stack.of("AWS::EC2::Instance", "AWS::EC2::LaunchTemplate"):
        interfaces = each.get("NetworkInterfaces", each.get("LaunchTemplateData.NetworkInterfaces"))
        given = [one.get("AssociatePublicIpAddress") for one in interfaces or []]
        if any(str(one).lower() == "true" for one in given):
            yield each
    for each in stack.of("AWS::EC2::Subnet"):
        if str(each.get("MapPublicIpOnLaunch", "false")).lower() == "true":
            yield each
    yield from stack.of("AWS::EC2::EIP")


def table() -> dict[str, str]:
    """Return the rows by the resource or type in their first column."""
    text = (ROOT / "docs/operations.md").read_text()
    assert HEADING in text
    section = re.split(r"^#{1,3} ", text.partition(HEADING)[2], flags=re.MULTILINE)[0]
    found: dict[str, str] = {}
    for line in section.splitlines():
        if named := re.match(r"\| *`([\w:]+)` *\|", line):
            assert named[1] not in found
            found[named[1]] = line
        elif line.startswith("| |"):
            found[list(found)[-1]] += line  # a continuation of the row above
    assert found
    return found


def test_hobby_has_nothing_that_costs_by_the_hour_but_what_the_table_lists() -> None:
    listed = table()
    for each in all_stacks()["hobby"].resources.values():
        if costs_by_the_hour(each):
            assert {each.id, each.type} & listed.keys(), f"{each} is not in the table"


def test_every_row_of_the_table_is_a_resource_of_hobby() -> None:
    made = all_stacks()["hobby"].resources.values()
    paid = {name for each in made if costs_by_the_hour(each) for name in (each.id, each.type)}
    assert table().keys() <= paid


def test_the_table_counts_secrets_and_the_metrics_of_alarms() -> None:
    hobby = all_stacks()["hobby"]
    secrets = len(hobby.of("AWS::SecretsManager::Secret"))
    assert f" {secrets} " in table()["AWS::SecretsManager::Secret"]
    # AWS charges for each metric of an alarm.
    metrics = len(hobby.of("AWS::CloudWatch::Alarm"))
    assert f" {metrics} " in table()["AWS::CloudWatch::Alarm"]


def test_public_addresses_are_in_the_table() -> None:
    rows = "\n".join(table().values())
    addresses = list(has_public_address(all_stacks()["hobby"]))
    assert len(addresses) <= 1, addresses
    assert ("IPv4" in rows) == bool(addresses)


def test_what_only_companies_need_is_not_free_here() -> None:
    # Shows that `costs_by_the_hour` detects the resources that AWS charges for.
    scale = all_stacks()["scale and everything"]
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
