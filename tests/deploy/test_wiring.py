"""The parts of every deployment variant fit together.

Routes and permissions, firewall and front door, cache and user, parameters and conditions.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from random import Random

import pytest

from tests.deploy.test_alarms import DAY, schedules, seconds_of
from tests.deploy.test_hardening import API_FUNCTIONS, as_json, has_page, target
from tests.support.cloudformation import (
    REGION,
    RejectedParametersError,
    Stack,
    check,
    defaults,
    references,
    resolve,
    template,
)
from tests.support.stacks import KNOWN, all_stacks, for_every_variant

PERMISSION = "AWS::Lambda::Permission"
INTEGRATION = "x-amazon-apigateway-integration"
# These allow, tell or connect what others use; to name a resource does not use it.
TELLERS = {
    *("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::IAM::Policy", PERMISSION),
    *("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"),
}
# Nothing needs to name these: they act by themselves, or on what they name.
ENDS = TELLERS | {
    *("AWS::ApiGateway::Account", "AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::Stage"),
    *("AWS::Budgets::Budget", "AWS::EC2::FlowLog", "AWS::EC2::Route", "AWS::EC2::VPCEndpoint"),
    *("AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"),
    *("AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPCGatewayAttachment"),
    *("AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"),
    *("AWS::RDS::DBInstance", "AWS::Route53::RecordSet", "AWS::Scheduler::Schedule"),
    *("AWS::SNS::Topic", "AWS::SecretsManager::RotationSchedule", "AWS::WAFv2::WebACLAssociation"),
    "Custom::PageFiles",
}


def operations(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and function of each operation that a function serves."""
    paths = stack.one("AWS::ApiGateway::RestApi").get("Body.paths")
    for path, methods in paths.items():
        for method, operation in methods.items():
            if (uri := operation[INTEGRATION].get("uri")) is not None:
                yield method.upper(), path, target(stack, uri).id


def allowed(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield function and pattern of each permission of the API: `/STAGE/METHOD/PATH`."""
    for each in stack.of(PERMISSION):
        if each.get("Principal") == "apigateway.amazonaws.com":
            arn = as_json(each.get("SourceArn"))
            assert "execute-api:" in arn, each
            pattern = re.search(r":\$\{Api\}(/[^\"]*)", arn)
            assert pattern is not None, each
            yield target(stack, each.get("FunctionName")).id, pattern[1]


def matches(pattern: str, method: str, path: str) -> bool:
    """Return whether a pattern of IAM, in which * is any text, allows a call of the stage."""
    expression = ".*".join(re.escape(each) for each in pattern.split("*"))
    return re.fullmatch(expression, f"/live/{method}{path}") is not None


@for_every_variant
def test_the_api_may_call_a_function_for_each_of_its_operations(stack: Stack) -> None:
    permissions = list(allowed(stack))
    for method, path, function in operations(stack):
        assert any(
            owner == function and matches(pattern, method, path) for owner, pattern in permissions
        ), (method, path, function)


@for_every_variant
def test_no_permission_is_for_paths_of_other_functions_only(stack: Stack) -> None:
    served = list(operations(stack))
    for owner, pattern in allowed(stack):
        assert any(
            owner == function and matches(pattern, method, path)
            for method, path, function in served
        ), (owner, pattern)


@for_every_variant
def test_the_firewall_is_in_front_of_the_page_or_of_the_api(stack: Stack) -> None:
    acls = stack.of("AWS::WAFv2::WebACL")
    assert bool(acls) == (stack.parameters["Waf"] == "true")
    associations = stack.of("AWS::WAFv2::WebACLAssociation")
    distributions = stack.of("AWS::CloudFront::Distribution")
    for acl in acls:
        in_front = [
            each
            for each in distributions
            if stack.resource_of(each.get("DistributionConfig.WebACLId")) == acl
        ]
        if acl.get("Scope") == "CLOUDFRONT":
            assert len(in_front) == 1
            assert not associations
        else:
            assert not in_front
            (association,) = associations
            assert stack.resource_of(association.get("WebACLArn")) == acl
            assert "::/restapis/${Api}/stages/" in as_json(association.get("ResourceArn"))
            # Behind the page, the address of the caller is in a header.
            flood = acl.get("Rules")[0]["Statement"]["RateBasedStatement"]
            kind = "FORWARDED_IP" if has_page(stack) else "IP"
            assert flood["AggregateKeyType"] == kind
    if not acls:
        assert not associations


@for_every_variant
def test_the_cache_its_users_and_its_password_belong_together(stack: Stack) -> None:
    caches = stack.of("AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::ReplicationGroup")
    for cache in caches:
        group = stack.resource_of(cache.get("UserGroupId") or cache.get("UserGroupIds"))
        assert group is not None
        user = stack.resource_of(group.get("UserIds"))
        assert user is not None
        assert {each.get("Engine") for each in (cache, group, user)} == {"valkey"}
        # The secret has this name and password; the functions send both.
        assert user.get("UserName") == "default"
        secret = stack.resources["CacheSecret"]
        assert '"username": "default"' in secret.get("GenerateSecretString.SecretStringTemplate")
        (password,) = user.get("AuthenticationMode.Passwords")
        assert secret.id in as_json(password)


@for_every_variant
def test_only_a_database_that_may_sleep_is_said_to(stack: Stack) -> None:
    sleeps = stack.conditions["AuroraPauses"]
    for function in stack.of("AWS::Lambda::Function"):
        told = function.get("Environment.Variables").get("DATABASE_PAUSES", "false")
        assert told == ("true" if sleeps else "false"), function


@for_every_variant
def test_a_database_that_may_sleep_can(stack: Stack) -> None:
    for cluster in stack.of("AWS::RDS::DBCluster"):
        scaling = cluster.get("ServerlessV2ScalingConfiguration")
        sleeps = float(stack.parameters["AuroraMinCapacity"]) == 0
        assert float(scaling["MinCapacity"]) == float(stack.parameters["AuroraMinCapacity"])
        pause = scaling.get("SecondsUntilAutoPause")
        assert (pause is not None) == sleeps
        if not sleeps:
            continue
        # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
        assert 300 <= int(pause) <= 3600
        assert not stack.of("AWS::RDS::DBProxy")
        (group,) = stack.of("AWS::RDS::DBClusterParameterGroup")
        idle = int(group.get("Parameters")["idle_session_timeout"]) / 1000
        assert 0 < idle < int(pause)
        for function in stack.of("AWS::Lambda::Function"):
            values = function.get("Environment.Variables")
            if "DATABASE_URL" not in values:
                continue
            # Callers hear soon that it wakes up; the others wait longer than it takes.
            seconds = int(values["DATABASE_CONNECT_TIMEOUT_SECONDS"])
            assert values["DATABASE_PAUSES"] == "true", function
            assert seconds == 3 if function.id in API_FUNCTIONS else seconds > 30, function
            assert seconds < int(function.get("Timeout")), function
        # All schedules wake it together, once a day.
        assert {seconds_of(each) for each in schedules(stack)} == {DAY}
        minutes = sorted(
            int(each.get("ScheduleExpression").removeprefix("cron(").split()[0])
            for each in schedules(stack)
        )
        # One after the other, as a new account runs ten environments, and before it sleeps again.
        assert len(set(minutes)) == len(minutes)
        assert (minutes[-1] - minutes[0]) * 60 <= int(pause)


# When each condition of the template is true, as its parameters are described.
type Truth = Callable[[Mapping[str, str]], bool]


def is_set(name: str) -> Truth:
    return lambda given: given[name] != ""


def is_on(name: str) -> Truth:
    return lambda given: given[name] == "true"


def is_limited(name: str) -> Truth:
    return lambda given: int(given[f"{name}Concurrency"]) > 0


def has_database(given: Mapping[str, str]) -> bool:
    return given["DatabaseMode"] in {"rds", "aurora"}


def has_cache(given: Mapping[str, str]) -> bool:
    return given["CacheMode"] in {"serverless", "node"}


def has_vpc(given: Mapping[str, str]) -> bool:
    return has_database(given) or has_cache(given)


LIMITED = ("Media", "Auth", "Plex", "Admin", "Health")
CONDITIONS: dict[str, Truth] = {
    "AnyOrigin": lambda given: given["CorsOrigin"] == "*",
    "HasPlexClientId": is_set("PlexClientId"),
    "HasOwnTmdbKey": lambda given: given["TmdbApiKeySecretArn"] == "",
    "HasTmdbSecret": lambda given: (
        given["TmdbApiKeySecretArn"] == "" and given["SecretStore"] == "secretsmanager"
    ),
    "HasRds": lambda given: given["DatabaseMode"] == "rds",
    "HasAurora": lambda given: given["DatabaseMode"] == "aurora",
    "HasDatabase": has_database,
    "HasMultiAzDatabase": is_on("DatabaseMultiAz"),
    "HasReader": lambda given: (
        given["DatabaseMode"] == "aurora" and given["DatabaseMultiAz"] == "true"
    ),
    "AuroraPauses": lambda given: (
        given["DatabaseMode"] == "aurora" and float(given["AuroraMinCapacity"]) == 0
    ),
    "HasProxy": lambda given: has_database(given) and given["DatabaseProxy"] == "true",
    "HasOwnerSecretArn": is_set("MigrationsDatabaseUrlSecretArn"),
    "HasServerlessCache": lambda given: given["CacheMode"] == "serverless",
    "HasCacheNodes": lambda given: given["CacheMode"] == "node",
    "HasNoCache": lambda given: given["CacheMode"] == "none",
    "UsesCache": lambda given: given["CacheMode"] != "none",
    "HasCache": has_cache,
    "HasMultiAzCache": is_on("CacheMultiAz"),
    "HasVpc": has_vpc,
    "HasExternalPart": lambda given: "external" in {given["DatabaseMode"], given["CacheMode"]},
    "ReachesOut": lambda given: (
        has_vpc(given) and "external" in {given["DatabaseMode"], given["CacheMode"]}
    ),
    "HasNatInstance": lambda given: has_vpc(given) and given["EgressMode"] == "nat-instance",
    "HasNatGateway": lambda given: has_vpc(given) and given["EgressMode"] == "nat-gateway",
    "HasSecondNat": is_on("NatPerAz"),
    "HasSecondNatInstance": lambda given: (
        has_vpc(given) and (given["EgressMode"], given["NatPerAz"]) == ("nat-instance", "true")
    ),
    "HasSecondNatGateway": lambda given: (
        has_vpc(given) and (given["EgressMode"], given["NatPerAz"]) == ("nat-gateway", "true")
    ),
    "HasZones": is_set("ZoneA"),
    "HasFlowLogs": lambda given: has_vpc(given) and given["FlowLogs"] == "true",
    **{f"Bounds{each}": is_limited(each) for each in LIMITED},
    "BoundsAny": lambda given: any(is_limited(each)(given) for each in LIMITED),
    "HasSnapStart": is_on("SnapStart"),
    "HasTracing": is_on("Tracing"),
    "SecretsExtension": is_set("SecretsExtensionLayerArn"),
    "HasPage": is_on("WebPage"),
    "HasDomain": is_set("DomainName"),
    "HasApiDomain": lambda given: given["WebPage"] == "false" and given["DomainName"] != "",
    "HasHostedZone": is_set("HostedZoneId"),
    "HasWaf": is_on("Waf"),
    "HasPageWaf": lambda given: (
        (given["Waf"], given["WebPage"], given["AWS::Region"]) == ("true", "true", "us-east-1")
    ),
    "HasApiWaf": lambda given: (
        given["Waf"] == "true" and (given["WebPage"], given["AWS::Region"]) != ("true", "us-east-1")
    ),
    "StoresParameters": lambda given: given["SecretStore"] == "parameterstore",
    "StoresSecrets": lambda given: given["SecretStore"] == "secretsmanager",
    "HasOwnJwtKey": lambda given: given["JwtSecretArn"] == "",
    "HasJwtSecret": lambda given: (
        given["JwtSecretArn"] == "" and given["SecretStore"] == "secretsmanager"
    ),
    "HasOriginSecret": lambda given: (
        given["WebPage"] == "true" and given["SecretStore"] == "secretsmanager"
    ),
    "HasJwtRotation": lambda given: given["JwtSecretArn"] == "" and given["JwtRotationDays"] != "0",
    "HasOwnKey": is_set("KmsKeyArn"),
    "MakesAccessLogRole": lambda given: given["AccessLogRole"] == "create",
    "HasAlarmEmail": is_set("AlarmEmail"),
    "HasAllAlarms": lambda given: given["Alarms"] == "all",
    "WatchesCache": lambda given: given["Alarms"] == "all" and given["CacheMode"] != "none",
    "WatchesPinning": lambda given: (
        given["Alarms"] == "all" and has_database(given) and given["DatabaseProxy"] == "true"
    ),
    "WatchesConnections": lambda given: (given["Alarms"], given["DatabaseMode"]) == ("all", "rds"),
    "HasBudget": lambda given: given["AlarmEmail"] != "" and int(given["MonthlyBudgetUsd"]) > 0,
    "HasDashboard": is_on("Dashboard"),
}


def test_every_condition_is_described() -> None:
    assert template()["Conditions"].keys() == CONDITIONS.keys()


def given_parameters() -> Iterator[dict[str, str]]:
    """Yield the parameters of each variant, and random ones of theirs that the template accepts."""
    values = [each.parameters for each in all_stacks().values()]
    yield from map(dict, values)
    random, found = Random(16), 0
    while found < 300:
        chosen = {name: random.choice(values)[name] for name in defaults()} | KNOWN
        try:
            check(chosen)
        except RejectedParametersError:
            continue
        found += 1
        yield chosen


@pytest.mark.parametrize("region", [REGION, "us-east-1"])
def test_each_condition_is_true_when_the_parameters_say_so(region: str) -> None:
    document = {**template(), "Resources": {}, "Outputs": {}}
    for parameters in given_parameters():
        given = {**parameters, "AWS::Region": region}
        expected = {name: truth(given) for name, truth in CONDITIONS.items()}
        assert resolve(document, parameters, region).conditions == expected, parameters


@for_every_variant
def test_a_call_without_a_connection_of_the_proxy_fails_before_its_function(stack: Stack) -> None:
    for proxied in stack.of("AWS::RDS::DBProxyTargetGroup"):
        pool = proxied.get("ConnectionPoolConfigurationInfo")
        for function in stack.of("AWS::Lambda::Function"):
            assert int(pool["ConnectionBorrowTimeout"]) < int(function.get("Timeout")), function


@for_every_variant
def test_nothing_is_created_that_nothing_uses(stack: Stack) -> None:
    used: set[str] = set()
    for each in stack.resources.values():
        if each.type not in TELLERS:
            used |= set(references(each.properties)) - {each.id}
    unused = [
        str(each)
        for each in stack.resources.values()
        if each.type not in ENDS and each.id not in used
    ]
    assert unused == []
