"""The stack of every deployment variant is hardened: lines T1 to T13 of docs/trust.md."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.run_config import SECRETS
from tests.support.cloudformation import Resource, Stack, references, walk
from tests.support.stacks import CANARY, all_stacks, for_every_variant

NO_CACHE = ("REDIS_URL", "none")
SECRET_ARN = re.compile(
    r"arn:aws:(secretsmanager|ssm):[\w-]+:\d+:(secret:|parameter/|parameter\$\{StoredSecrets\}/).+"
)
API_NAMES = ("Media", "Auth", "Admin", "Plex", "Health")
# The limit of the function for servers and jobs is fixed.
API_FUNCTIONS = {f"{name}Function" for name in (*API_NAMES, "Fulfilment")}
INDEPENDENT_OF_MIGRATIONS = {
    "MigrationsFunction",
    "PageFunction",
    "RotationFunction",
    "SecretStoreFunction",
}
WRITES_SECRETS = {"RotationFunction": {"secretsmanager"}, "SecretStoreFunction": {"ssm"}}
# Actions that AWS cannot restrict to a resource.
UNRESTRICTABLE_ACTIONS = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "secretsmanager:GetRandomPassword",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Policies managed by AWS that grant no more than their name says.
AWS_MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AmazonAPIGatewayPushToCloudWatchLogs",
    "AmazonSSMManagedInstanceCore",
}


def functions(stack: Stack) -> list[Resource]:
    return stack.of("AWS::Lambda::Function")


def environment(function: Resource) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = function.get("Environment.Variables", {})
    return variables


def properties_of(stack: Stack, service: str) -> list[Any]:
    """Return the properties of the resources of a service."""
    prefix = f"AWS::{service}::"
    return [each.properties for each in stack.resources.values() if each.type.startswith(prefix)]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def target(stack: Stack, value: Any) -> Resource:
    """Return the function to which an ARN refers, directly or through an alias or version."""
    resource = stack.resource_of(value)
    assert resource is not None, value
    if resource.type in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
        return target(stack, resource.get("FunctionName"))
    assert resource.type == "AWS::Lambda::Function", resource
    return resource


def resource_id(stack: Stack, value: Any) -> str:
    """Return the id of the resource that a value refers to, or the value itself."""
    resource = stack.resource_of(value)
    return str(value) if resource is None else resource.id


def is_alias(stack: Stack, value: Any) -> bool:
    """Return whether a value is an alias, or a function's ARN with the alias as suffix."""
    resource = stack.resource_of(value)
    if resource is not None and resource.type == "AWS::Lambda::Function":
        return "Arn}:live/" in as_json(value)
    return resource is not None and resource.type == "AWS::Lambda::Alias"


def role(stack: Stack, function: Resource) -> Resource:
    resource = stack.resource_of(function.get("Role"))
    assert resource is not None
    return resource


def statements(stack: Stack, role: Resource) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role, from its inline policies and those of the stack."""
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for arn in role.get("ManagedPolicyArns", []):
        policy = stack.resource_of(arn)
        if policy is not None:
            documents.append(policy.get("PolicyDocument"))
    for document in documents:
        yield from as_list(document["Statement"])
    for policy in stack.of("AWS::IAM::Policy"):
        if role.id in references(policy.get("Roles", [])):
            yield from as_list(policy.get("PolicyDocument.Statement"))


def every_statement(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement of the stack, with the id of its resource."""
    for resource in stack.resources.values():
        if resource.type == "AWS::ApiGateway::RestApi":
            continue  # large, and contains no policy
        for value in walk(resource.properties):
            if isinstance(value, dict) and "Effect" in value:
                yield resource.id, value


class TestT1Environment:
    @for_every_variant
    def test_secret_variables_contain_arns_only(self, stack: Stack) -> None:
        for function in functions(stack):
            for name, value in environment(function).items():
                if name not in SECRETS or (name, value) == NO_CACHE:
                    continue
                secret = stack.resource_of(value)
                is_in_stack = secret is not None and secret.type == "AWS::SecretsManager::Secret"
                arn = value.get("Fn::Sub") if isinstance(value, dict) else value
                assert is_in_stack or SECRET_ARN.fullmatch(str(arn)), (function.id, name, value)

    @for_every_variant
    def test_no_variable_contains_a_resolved_secret(self, stack: Stack) -> None:
        for function in functions(stack):
            assert "{{resolve:" not in as_json(environment(function)), function.id

    def test_a_key_given_as_parameter_is_stored_in_a_secret_only(self) -> None:
        stack = all_stacks()["hobby"]
        assert stack.template["Parameters"]["TmdbApiKey"]["NoEcho"] is True
        holders = [each for each in stack.resources.values() if CANARY in as_json(each.properties)]
        assert [each.type for each in holders] == ["AWS::SecretsManager::Secret"]
        assert CANARY not in as_json(stack.outputs)

    @for_every_variant
    def test_secrets_are_generated_at_random(self, stack: Stack) -> None:
        for secret in stack.of("AWS::SecretsManager::Secret"):
            generated = secret.get("GenerateSecretString")
            if secret.id.startswith("Tmdb"):
                continue  # TMDB issues this one
            assert generated is not None, secret
            assert int(generated.get("PasswordLength", 32)) >= 32, secret


class TestT2Schedules:
    @for_every_variant
    def test_each_schedule_has_retries_a_dead_letter_queue_and_its_own_role(
        self, stack: Stack
    ) -> None:
        schedules = stack.of("AWS::Scheduler::Schedule")
        assert len(schedules) >= 5
        for schedule in schedules:
            retry = schedule.get("Target.RetryPolicy")
            assert 1 <= int(retry["MaximumRetryAttempts"]) <= 10, schedule
            assert int(retry["MaximumEventAgeInSeconds"]) <= 86400, schedule
            queue = stack.resource_of(schedule.get("Target.DeadLetterConfig.Arn"))
            assert queue is not None, schedule
            assert queue.type == "AWS::SQS::Queue", schedule
            assert not queue.get("FifoQueue"), "the scheduler supports standard queues only"
        roles = [as_json(schedule.get("Target.RoleArn")) for schedule in schedules]
        assert len(set(roles)) == len(roles)

    @for_every_variant
    def test_each_schedule_may_call_its_alias_only(self, stack: Stack) -> None:
        for schedule in stack.of("AWS::Scheduler::Schedule"):
            target_arn = schedule.get("Target.Arn")
            assert is_alias(stack, target_arn), schedule
            schedule_role = stack.resource_of(schedule.get("Target.RoleArn"))
            assert schedule_role is not None
            for statement in statements(stack, schedule_role):
                if statement["Action"] == "lambda:InvokeFunction":
                    assert references(statement["Resource"]) <= references(target_arn)
                else:
                    assert statement["Action"] == "sqs:SendMessage"


@for_every_variant
def test_t3_failed_events_of_an_asynchronous_function_go_to_a_queue(stack: Stack) -> None:
    # Schedules and CloudFormation's custom resources invoke a function asynchronously.
    invoked = [each.get("Target.Arn") for each in stack.of("AWS::Scheduler::Schedule")]
    invoked += [
        each.get("ServiceToken")
        for each in stack.resources.values()
        if each.get("ServiceToken") is not None
    ]
    configured = {
        target(stack, each.get("FunctionName")).id: each
        for each in stack.of("AWS::Lambda::EventInvokeConfig")
    }
    for function in {target(stack, arn).id for arn in invoked}:
        config = configured[function]
        assert int(config.get("MaximumRetryAttempts")) <= 1, function
        if function == "SecretStoreFunction":
            # Its event has the TMDB key, and CloudFormation reports a missing response.
            assert not config.get("DestinationConfig")
            continue
        queue = stack.resource_of(config.get("DestinationConfig.OnFailure.Destination"))
        assert queue is not None, function
        assert queue.type == "AWS::SQS::Queue"
        # An owner on holiday still finds them.
        assert int(queue.get("MessageRetentionPeriod")) >= 14 * 86_400
        allowed = statements(stack, role(stack, stack.resources[function]))
        assert any("sqs:SendMessage" in as_list(each["Action"]) for each in allowed), function


class TestT4SecurityGroups:
    def rules(self, stack: Stack, direction: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for group in stack.of("AWS::EC2::SecurityGroup"):
            for rule in group.get(f"SecurityGroup{direction}", []):
                yield group.id, rule
        for rule in stack.of(f"AWS::EC2::SecurityGroup{direction}"):
            (group_id,) = references(rule.get("GroupId"))
            yield group_id, dict(rule.properties)

    @for_every_variant
    def test_ingress_is_from_security_groups_of_the_stack_only(self, stack: Stack) -> None:
        for group, rule in self.rules(stack, "Ingress"):
            assert not {"CidrIp", "CidrIpv6", "SourcePrefixListId"} & rule.keys(), (group, rule)
            source = stack.resource_of(rule["SourceSecurityGroupId"])
            assert source is not None, (group, rule)

    @for_every_variant
    def test_database_and_cache_accept_functions_and_proxy_only(self, stack: Stack) -> None:
        for group, rule in self.rules(stack, "Ingress"):
            source = stack.resource_of(rule["SourceSecurityGroupId"])
            if "Database" in group or "Cache" in group:
                assert source is not None
                known = {"FunctionSecurityGroup", "WorkerSecurityGroup", "ProxySecurityGroup"}
                assert source.id in known, (group, rule)
                assert int(rule["FromPort"]) == int(rule["ToPort"]) or "Cache" in group

    @for_every_variant
    def test_each_group_declares_its_egress(self, stack: Stack) -> None:
        with_egress = {group for group, _ in self.rules(stack, "Egress")}
        for group in stack.of("AWS::EC2::SecurityGroup"):
            # Without a rule, EC2 allows all outbound traffic.
            assert group.id in with_egress, group

    @for_every_variant
    def test_functions_reach_https_and_the_data_only(self, stack: Stack) -> None:
        # An external database or cache may listen on any unprivileged port.
        has_external = "external" in {
            stack.parameters["DatabaseMode"],
            stack.parameters["CacheMode"],
        }
        allowed = {(443, 443), (32400, 32400), *([(1024, 65535)] if has_external else [])}
        for group, rule in self.rules(stack, "Egress"):
            if {"CidrIp", "CidrIpv6"} & rule.keys() and group == "FunctionSecurityGroup":
                assert rule["IpProtocol"] == "tcp", rule
                assert (int(rule["FromPort"]), int(rule["ToPort"])) in allowed, rule

    @for_every_variant
    def test_each_rule_has_a_description(self, stack: Stack) -> None:
        for direction in ("Ingress", "Egress"):
            for group, rule in self.rules(stack, direction):
                assert rule.get("Description"), (group, rule)


class TestT5Database:
    def databases(self, stack: Stack) -> list[Resource]:
        # An instance of a cluster gets its storage, keys and backups from the cluster.
        standalone = [each for each in stack.of("AWS::RDS::DBInstance") if not in_cluster(each)]
        return standalone + stack.of("AWS::RDS::DBCluster")

    @for_every_variant
    def test_a_database_exists_unless_it_is_external(self, stack: Stack) -> None:
        count = len(self.databases(stack))
        assert count == (stack.parameters["DatabaseMode"] != "external")

    @for_every_variant
    def test_the_database_is_private(self, stack: Stack) -> None:
        for instance in stack.of("AWS::RDS::DBInstance"):
            assert str(instance.get("PubliclyAccessible")).lower() == "false", instance
        for group in stack.of("AWS::RDS::DBSubnetGroup", "AWS::ElastiCache::SubnetGroup"):
            subnets = group.get("SubnetIds")
            assert len(subnets) >= 2
            for subnet in subnets:
                assert "Public" not in stack.resources[subnet["Ref"]].id

    @for_every_variant
    def test_the_database_is_encrypted_and_retained(self, stack: Stack) -> None:
        for database in self.databases(stack):
            assert str(database.get("StorageEncrypted")).lower() == "true", database
            assert database.attributes["DeletionPolicy"] == "Snapshot", database
            assert database.attributes["UpdateReplacePolicy"] == "Snapshot", database
            days = int(database.get("BackupRetentionPeriod"))
            assert days == int(stack.parameters["DatabaseBackupDays"])
            is_protected = stack.parameters["DatabaseDeletionProtection"]
            assert str(database.get("DeletionProtection")).lower() == is_protected

    @for_every_variant
    def test_the_database_password_is_not_in_the_template(self, stack: Stack) -> None:
        for database in self.databases(stack):
            password = database.get("MasterUserPassword")
            managed = str(database.get("ManageMasterUserPassword")).lower() == "true"
            assert managed or "{{resolve:secretsmanager:" in as_json(password), database

    @for_every_variant
    def test_the_database_refuses_connections_without_tls(self, stack: Stack) -> None:
        kinds = ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
        for database in self.databases(stack):
            groups = [each for each in stack.of(*kinds) if each.id in database.references]
            assert [str(each.get("Parameters")["rds.force_ssl"]) for each in groups] == ["1"]
        for proxy in stack.of("AWS::RDS::DBProxy"):
            assert str(proxy.get("RequireTLS")).lower() == "true"

    @for_every_variant
    def test_the_database_upgrades_minor_versions_automatically(self, stack: Stack) -> None:
        for instance in stack.of("AWS::RDS::DBInstance"):
            assert str(instance.get("AutoMinorVersionUpgrade", "true")).lower() == "true"


def in_cluster(instance: Resource) -> bool:
    return instance.get("DBClusterIdentifier") is not None


class TestT6Cache:
    @for_every_variant
    def test_a_cache_of_the_selected_kind_exists(self, stack: Stack) -> None:
        serverless = stack.of("AWS::ElastiCache::ServerlessCache")
        nodes = stack.of("AWS::ElastiCache::ReplicationGroup")
        mode = stack.parameters["CacheMode"]
        assert len(serverless) == (mode == "serverless")
        assert len(nodes) == (mode == "node")
        # Unlike a ReplicationGroup, a CacheCluster has neither TLS nor a password.
        assert not stack.of("AWS::ElastiCache::CacheCluster")

    @for_every_variant
    def test_the_cache_is_encrypted_and_requires_a_password(self, stack: Stack) -> None:
        for cache in stack.of("AWS::ElastiCache::ServerlessCache"):
            assert cache.get("Engine") == "valkey"
            assert cache.get("UserGroupId"), cache
        for cache in stack.of("AWS::ElastiCache::ReplicationGroup"):
            assert cache.get("Engine") == "valkey"
            for name in ("TransitEncryptionEnabled", "AtRestEncryptionEnabled"):
                assert str(cache.get(name)).lower() == "true", name
            assert cache.get("TransitEncryptionMode", "required") == "required"
            password = as_json(cache.get("AuthToken"))
            assert cache.get("UserGroupIds") or "{{resolve:secretsmanager:" in password
        for user in stack.of("AWS::ElastiCache::User"):
            assert str(user.get("NoPasswordRequired", "false")).lower() == "false", user
            passwords = [*user.get("Passwords", []), *user.get("AuthenticationMode.Passwords", [])]
            assert all("{{resolve:secretsmanager:" in as_json(each) for each in passwords), user


@for_every_variant
def test_t7_each_function_has_its_own_log_group_with_a_retention(stack: Stack) -> None:
    logs = []
    for function in functions(stack):
        log = stack.resource_of(function.get("LoggingConfig.LogGroup"))
        assert log is not None, function
        assert log.get("RetentionInDays") == stack.parameters["LogRetentionDays"], log
        logs.append(log.id)
    assert len(set(logs)) == len(logs)
    for log in stack.of("AWS::Logs::LogGroup"):
        assert log.get("RetentionInDays"), log


@for_every_variant
def test_t7_a_function_may_write_to_its_own_log_group_only(stack: Stack) -> None:
    for function in functions(stack):
        writable = {
            as_json(resource)
            for statement in statements(stack, role(stack, function))
            if "logs:PutLogEvents" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        (log,) = references(function.get("LoggingConfig.LogGroup"))
        assert writable == {as_json({"Fn::GetAtt": [log, "Arn"]})}, function


@for_every_variant
def test_t7_no_function_may_create_a_log_group(stack: Stack) -> None:
    # It would come back after the deletion of the stack, and keep its content for ever.
    for function in functions(stack):
        for statement in statements(stack, role(stack, function)):
            actions = set(as_list(statement["Action"]))
            assert not actions & {"logs:CreateLogGroup", "logs:*", "logs:Create*", "*"}, function
        for arn in role(stack, function).get("ManagedPolicyArns", []):
            assert "policy/service-role/AWSLambda" not in as_json(arn), function


class TestT8Permissions:
    @for_every_variant
    def test_no_statement_has_a_wildcard_action(self, stack: Stack) -> None:
        for owner, statement in every_statement(stack):
            if statement["Effect"] != "Allow":
                continue
            assert "NotAction" not in statement, owner
            assert "NotPrincipal" not in statement, owner
            assert "NotResource" not in statement, owner
            for action in as_list(statement["Action"]):
                assert "*" not in action, (owner, action)

    @for_every_variant
    def test_a_wildcard_resource_is_used_only_where_aws_requires_it(self, stack: Stack) -> None:
        for owner, statement in every_statement(stack):
            if statement["Effect"] == "Allow" and "*" in as_list(statement.get("Resource", [])):
                assert set(as_list(statement["Action"])) <= UNRESTRICTABLE_ACTIONS, (
                    owner,
                    statement,
                )

    @for_every_variant
    def test_only_listed_managed_policies_are_attached(self, stack: Stack) -> None:
        for owner in stack.of("AWS::IAM::Role"):
            for arn in owner.get("ManagedPolicyArns", []):
                assert stack.resource_of(arn) or arn.rpartition("/")[2] in AWS_MANAGED_POLICIES, (
                    owner,
                    arn,
                )

    @for_every_variant
    def test_no_two_functions_share_a_role(self, stack: Stack) -> None:
        roles = [role(stack, function).id for function in functions(stack)]
        assert len(set(roles)) == len(roles)

    @for_every_variant
    def test_a_function_may_read_the_secrets_of_its_variables_only(self, stack: Stack) -> None:
        for function in functions(stack):
            expected = {
                resource_id(stack, environment(function)[name])
                for name, value in environment(function).items()
                if name in SECRETS and (name, value) != NO_CACHE
            }
            readable = {
                resource_id(stack, resource)
                for statement in statements(stack, role(stack, function))
                if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
                for resource in as_list(statement["Resource"])
            }
            if function.id == "RotationFunction":
                expected = {"JwtSecret"}
            assert readable == expected, function

    @for_every_variant
    def test_only_functions_for_secrets_may_write_one(self, stack: Stack) -> None:
        for function in functions(stack):
            actions = {
                action
                for statement in statements(stack, role(stack, function))
                for action in as_list(statement["Action"])
            }
            writes = {
                action.partition(":")[0]
                for action in actions
                if re.match(r"(secretsmanager|ssm):(Put|Update|Delete)", action)
            }
            assert writes == WRITES_SECRETS.get(function.id, set()), function

    @for_every_variant
    def test_generated_secrets_are_in_the_folder_of_the_stack(self, stack: Stack) -> None:
        stored = stack.resources.get("StoredSecrets")
        if stored is None:
            assert stack.parameters["SecretStore"] == "secretsmanager"
            return
        assert stored.get("Folder") == "/medianest/medianest"
        (resource,) = (
            statement["Resource"]
            for statement in statements(stack, role(stack, stack.resources["SecretStoreFunction"]))
            if "ssm:PutParameter" in as_list(statement["Action"])
        )
        assert resource.endswith(":parameter/medianest/medianest/*")
        generated = {each for each in stored.get("Generated") if each}
        if stack.parameters["TmdbApiKeySecretArn"] == "":
            generated.add("tmdb-api-key")
        # A resource that names one of them changes after it was created.
        used = re.findall(r"\$\{StoredSecrets\}/([\w-]+)", as_json(properties_of(stack, "Lambda")))
        assert set(used) == generated
        readable = re.findall(r"\$\{StoredSecrets\}/([\w-]+)", as_json(properties_of(stack, "IAM")))
        assert set(readable) == generated

    @for_every_variant
    def test_the_nat_may_read_no_parameter(self, stack: Stack) -> None:
        for each in stack.of("AWS::IAM::Role"):
            if "ManagedInstanceCore" in json.dumps(each.get("ManagedPolicyArns", [])):
                denied = [
                    action
                    for statement in statements(stack, each)
                    if (statement["Effect"], statement["Resource"]) == ("Deny", "*")
                    for action in as_list(statement["Action"])
                ]
                assert denied == ["ssm:GetParameter*"]


class TestT9Limits:
    @for_every_variant
    def test_each_function_has_a_timeout_and_a_memory_size(self, stack: Stack) -> None:
        for function in functions(stack):
            assert 512 <= int(function.get("MemorySize")) <= 3008, function
            max_timeout = 28 if function.id in API_FUNCTIONS else 900
            assert 1 <= int(function.get("Timeout")) <= max_timeout, function
            assert function.get("Architectures") == [stack.parameters["Architecture"]], function
            assert function.get("Runtime") == "python3.13", function

    def test_functions_run_on_arm64_by_default(self) -> None:
        assert all_stacks()["no profile"].parameters["Architecture"] == "arm64"

    @for_every_variant
    def test_concurrency_is_reserved_where_a_limit_is_set(self, stack: Stack) -> None:
        limits = {name: int(stack.parameters[f"{name}Concurrency"]) for name in API_NAMES}
        for function in functions(stack):
            name = function.id.removesuffix("Function")
            if name in limits:
                assert reserved(function) == (limits[name] or None), function
            else:
                assert (reserved(function) is not None) == any(limits.values()), function

    @pytest.mark.parametrize("name", ["hobby and concurrency limits", "scale"])
    def test_busier_functions_have_higher_concurrency_limits(self, name: str) -> None:
        parameters = all_stacks()[name].parameters
        limits = [int(parameters[f"{each}Concurrency"]) for each in API_NAMES]
        assert limits == sorted(limits, reverse=True)
        assert min(limits) > 0
        # Forty concurrent callers each get an environment.
        assert limits[0] >= 40

    @pytest.mark.parametrize("name", ["no profile", "hobby", "external"])
    def test_nothing_is_reserved_unless_a_parameter_says_so(self, name: str) -> None:
        # A new account cannot reserve: docs/deploy.md, New accounts.
        assert all(reserved(each) is None for each in functions(all_stacks()[name]))

    @for_every_variant
    def test_the_database_has_a_connection_for_each_environment(self, stack: Stack) -> None:
        limits = [stack.parameters[f"{name}Concurrency"] for name in API_NAMES]
        if stack.of("AWS::RDS::DBProxy") or "0" in limits:
            return
        environments = sum(reserved(each) or 0 for each in functions(stack) if has_database(each))
        for limit in max_connections(stack):
            assert environments <= limit - 10, "10 must stay free for operators and for AWS"


def reserved(function: Resource) -> int | None:
    reserved_executions = function.get("ReservedConcurrentExecutions")
    return None if reserved_executions is None else int(reserved_executions)


def has_database(function: Resource) -> bool:
    return "DATABASE_URL" in environment(function)


# Memory of the instance classes in the docs. AWS sets max_connections to
# LEAST(memory / 9531392, 5000), where memory excludes its own processes: about seven tenths.
MEMORY_GIB = {
    "db.t4g.micro": 1,
    "db.t4g.small": 2,
    "db.t4g.medium": 4,
    "db.t4g.large": 8,
    "db.m7g.large": 8,
    "db.m7g.xlarge": 16,
    "db.m7g.2xlarge": 32,
    "db.r7g.large": 16,
    "db.r7g.xlarge": 32,
    "db.r7g.2xlarge": 64,
}


def max_connections(stack: Stack) -> Iterator[int]:
    for instance in stack.of("AWS::RDS::DBInstance"):
        if not in_cluster(instance):
            memory = MEMORY_GIB[instance.get("DBInstanceClass")] * 2**30 * 0.7
            yield min(int(memory / 9531392), 5000)
    for cluster in stack.of("AWS::RDS::DBCluster"):
        # Two GiB per capacity unit; 2000 connections at most with a minimum of half a unit or less.
        memory = (
            float(cluster.get("ServerlessV2ScalingConfiguration.MaxCapacity")) * 2 * 2**30 * 0.7
        )
        yield min(int(memory / 9531392), 2000)


class TestT11Stage:
    @for_every_variant
    def test_the_stage_throttles_every_method(self, stack: Stack) -> None:
        settings = stack.one("AWS::ApiGateway::Stage").get("MethodSettings")
        defaults = [
            each for each in settings if (each["ResourcePath"], each["HttpMethod"]) == ("/*", "*")
        ]
        assert len(defaults) == 1
        for setting in settings:
            assert 0 < float(setting["ThrottlingRateLimit"]) <= 1000, setting
            assert 0 < int(setting["ThrottlingBurstLimit"]) <= 2000, setting
            # A data trace would log whole requests with their tokens.
            assert str(setting.get("DataTraceEnabled", "false")).lower() == "false", setting
            assert str(setting.get("CachingEnabled", "false")).lower() == "false", setting

    @for_every_variant
    def test_the_access_log_has_no_secret(self, stack: Stack) -> None:
        stage = stack.one("AWS::ApiGateway::Stage")
        log = stack.resource_of(stage.get("AccessLogSetting.DestinationArn"))
        assert log is not None
        assert log.type == "AWS::Logs::LogGroup"
        log_format = stage.get("AccessLogSetting.Format")
        assert "\n" not in log_format
        fields = json.loads(re.sub(r"\$context[\w.-]+", "0", log_format))
        assert {"requestId", "ip", "status"} <= fields.keys()
        variables = set(re.findall(r"\$context[\w.-]+", log_format))
        assert "$context.requestId" in variables
        # A path contains ids or arbitrary text of a caller; the log has no header and no query.
        assert not {"$context.path", "$context.requestOverride.path"} & variables
        for name in variables:
            assert not re.search("authoriz|header|querystring|token|cookie", name, re.IGNORECASE)

    @for_every_variant
    def test_traces_are_written_if_tracing_is_on(self, stack: Stack) -> None:
        is_traced = stack.parameters["Tracing"] == "true"
        stage = stack.one("AWS::ApiGateway::Stage")
        assert str(stage.get("TracingEnabled", "false")).lower() == str(is_traced).lower()
        for function in functions(stack):
            assert (function.get("TracingConfig.Mode") == "Active") == is_traced, function

    @for_every_variant
    def test_the_log_role_is_created_before_the_stage(self, stack: Stack) -> None:
        for account in stack.of("AWS::ApiGateway::Account"):
            assert account.id in stack.dependencies_of(stack.one("AWS::ApiGateway::Stage"))
        is_created = bool(stack.of("AWS::ApiGateway::Account"))
        assert is_created == (stack.parameters["AccessLogRole"] == "create")


class TestT12Domain:
    @for_every_variant
    def test_a_custom_domain_of_the_api_requires_tls_1_2_and_disables_the_default_address(
        self, stack: Stack
    ) -> None:
        domain_name = stack.parameters["DomainName"] if not has_page(stack) else ""
        domains = stack.of("AWS::ApiGateway::DomainName")
        assert [each.get("DomainName") for each in domains] == (
            [domain_name] if domain_name else []
        )
        for domain in domains:
            assert re.match("TLS_1_2|SecurityPolicy_TLS", domain.get("SecurityPolicy"))
            assert domain.get("EndpointConfiguration.Types") == ["REGIONAL"]
        assert len(stack.of("AWS::ApiGateway::BasePathMapping")) == len(domains)
        (server,) = stack.one("AWS::ApiGateway::RestApi").get("Body.servers")
        setting = server["x-amazon-apigateway-endpoint-configuration"]
        # The distribution calls the API at its default address, beside its secret.
        assert setting["disableExecuteApiEndpoint"] is bool(domain_name)

    @for_every_variant
    def test_a_custom_domain_of_the_page_requires_tls_1_2(self, stack: Stack) -> None:
        for distribution in stack.of("AWS::CloudFront::Distribution"):
            certificate = distribution.get("DistributionConfig.ViewerCertificate")
            aliases = distribution.get("DistributionConfig.Aliases")
            if domain_name := stack.parameters["DomainName"]:
                assert aliases == [domain_name]
                assert certificate == {
                    "AcmCertificateArn": stack.parameters["CertificateArn"],
                    "MinimumProtocolVersion": "TLSv1.2_2021",
                    "SslSupportMethod": "sni-only",
                }
            else:
                assert (aliases, certificate) == (None, {"CloudFrontDefaultCertificate": True})

    @for_every_variant
    def test_a_dns_record_is_created_if_a_zone_is_given(self, stack: Stack) -> None:
        records = stack.of("AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup")
        assert bool(records) == bool(stack.parameters["HostedZoneId"])
        for record in records:
            target = stack.resource_of(record.get("AliasTarget.DNSName"))
            assert target is not None
            assert (target.type == "AWS::CloudFront::Distribution") == has_page(stack)


def has_page(stack: Stack) -> bool:
    return stack.parameters["WebPage"] == "true"


class TestT13InvokePermissions:
    @for_every_variant
    def test_each_invoke_permission_names_its_source(self, stack: Stack) -> None:
        permissions = stack.of("AWS::Lambda::Permission")
        assert len(permissions) >= len(API_FUNCTIONS)
        for permission in permissions:
            source = permission.get("SourceArn", permission.get("SourceAccount"))
            assert source, permission
            assert permission.get("Action") == "lambda:InvokeFunction"
            if permission.get("Principal") == "secretsmanager.amazonaws.com":
                assert resource_id(stack, source) == "JwtSecret"
                assert permission.get("SourceAccount")
            if permission.get("Principal") == "apigateway.amazonaws.com":
                assert "SourceArn" in permission.properties
                assert is_alias(stack, permission.get("FunctionName")), permission

    @for_every_variant
    def test_the_api_may_call_each_function_that_it_routes_to(self, stack: Stack) -> None:
        allowed = {
            target(stack, each.get("FunctionName")).id
            for each in stack.of("AWS::Lambda::Permission")
            if each.get("Principal") == "apigateway.amazonaws.com"
        }
        uris = {
            as_json(operation["x-amazon-apigateway-integration"].get("uri"))
            for operations in stack.one("AWS::ApiGateway::RestApi").get("Body.paths").values()
            for operation in operations.values()
        }
        uris.remove(as_json(None))  # the responses of API Gateway itself
        targets = [json.loads(uri) for uri in uris]
        assert all(is_alias(stack, uri) for uri in targets)
        assert {target(stack, uri).id for uri in targets} == allowed == API_FUNCTIONS

    @for_every_variant
    def test_no_function_has_a_url(self, stack: Stack) -> None:
        assert not stack.of("AWS::Lambda::Url")


class TestUpdates:
    @for_every_variant
    def test_functions_are_updated_after_the_migrations(self, stack: Stack) -> None:
        migrations = stack.resources["Migrations"]
        assert target(stack, migrations.get("ServiceToken")).id == "MigrationsFunction"
        # Any change of the code creates a new version of the layer.
        assert any(name.startswith("SharedLayer") for name in migrations.references)
        for function in functions(stack):
            if function.id not in INDEPENDENT_OF_MIGRATIONS:
                assert "Migrations" in stack.dependencies_of(function), function

    @for_every_variant
    def test_each_function_has_its_alias(self, stack: Stack) -> None:
        aliases = stack.of("AWS::Lambda::Alias")
        assert {each.get("Name") for each in aliases} == {"live"}
        owners = [target(stack, each.get("FunctionName")).id for each in aliases]
        assert {*API_FUNCTIONS, "CleanupFunction"} <= set(owners)
        assert len(set(owners)) == len(owners)

    @for_every_variant
    def test_snapstart_is_on_only_if_it_is_enabled(self, stack: Stack) -> None:
        is_enabled = stack.parameters["SnapStart"] == "true"
        for function in functions(stack):
            if function.id in API_FUNCTIONS:
                apply_on = function.get("SnapStart.ApplyOn", "None")
                assert apply_on == ("PublishedVersions" if is_enabled else "None"), function


KEY_PROPERTIES = {
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::RDS::DBInstance": "KmsKeyId",
    "AWS::RDS::DBCluster": "KmsKeyId",
    "AWS::ElastiCache::ServerlessCache": "KmsKeyId",
    "AWS::ElastiCache::ReplicationGroup": "KmsKeyId",
}


class TestEncryptionKey:
    @for_every_variant
    def test_a_queue_is_encrypted(self, stack: Stack) -> None:
        for queue in stack.of("AWS::SQS::Queue"):
            assert queue.get("SqsManagedSseEnabled") is True, queue

    @pytest.mark.parametrize("kind", KEY_PROPERTIES)
    @for_every_variant
    def test_stored_data_is_encrypted_with_the_customer_key(self, stack: Stack, kind: str) -> None:
        key = stack.parameters["KmsKeyArn"]
        for resource in stack.of(kind):
            if kind == "AWS::RDS::DBInstance" and in_cluster(resource):
                continue
            assert resource.get(KEY_PROPERTIES[kind], "") == key, resource

    @for_every_variant
    def test_functions_that_read_secrets_may_use_the_customer_key(self, stack: Stack) -> None:
        key = stack.parameters["KmsKeyArn"]
        for function in functions(stack):
            usable_keys = {
                resource
                for statement in statements(stack, role(stack, function))
                if "kms:Decrypt" in as_list(statement["Action"])
                for resource in as_list(statement["Resource"])
            }
            reads_secrets = (
                environment(function).keys() & SECRETS or function.id == "RotationFunction"
            )
            assert usable_keys == ({key} if key and reads_secrets else set()), function
