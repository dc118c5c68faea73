"""`sam deploy` of the build in external mode, on an emulator of AWS's control plane."""

import json

import psycopg
import pytest

from local.run_config import SECRETS
from medianest.jobs.worker import RunResult
from medianest.web_assets.release import read_release
from tests.support.api import ROOT, TEMPLATE
from tests.support.deployment import Deployment, calls
from tests.support.rie import app_url


@pytest.fixture(scope="module")
def deployed(stack: Deployment) -> Deployment:
    """Deploy once for all tests of this file."""
    stack.parameters |= stack.upstreams
    output = stack.deploy()
    assert not output, output[-3000:]
    return stack


def test_the_stack_deploys_onto_the_emulator(deployed: Deployment) -> None:
    assert deployed.stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployed.functions().keys() <= TEMPLATE.functions.keys() | {"RotationFunction"}


def test_the_tables_are_created_before_the_functions(deployed: Deployment) -> None:
    created = [
        each["LogicalResourceId"]
        for each in reversed(deployed.events())
        if each["ResourceStatus"] == "CREATE_COMPLETE"
    ]
    for function in (
        "HealthFunction",
        "AuthFunction",
        "PlexFunction",
        "MediaFunction",
        "AdminFunction",
        "FulfilmentFunction",
    ):
        assert created.index("Migrations") < created.index(function)


def test_secret_variables_of_functions_are_arns(deployed: Deployment) -> None:
    for name, function in deployed.functions().items():
        for variable, value in function["Environment"]["Variables"].items():
            if variable in SECRETS:
                assert value.startswith("arn:aws:secretsmanager:"), (name, variable)


def test_functions_serve_with_the_permissions_of_their_roles(deployed: Deployment) -> None:
    health = deployed.call("GET", "/api/health")
    assert health.status == 200, health.text
    assert {each["status"] for each in health.data["checks"].values()} == {"healthy"}
    assert deployed.call("GET", "/api/media/search?q=x").status == 401


def test_api_refuses_calls_that_avoid_the_distribution(deployed: Deployment) -> None:
    api = deployed.resource("Api")
    for headers in (
        {},
        {"X-Origin-Verify": "guessed", "X-MediaNest-Viewer-Address": "198.51.100.1"},
    ):
        answer = deployed.aws.call(api, "GET", "/api/health", headers=headers)
        assert answer.status == 403, answer.text


def test_distribution_sends_the_secret_to_the_api(deployed: Deployment) -> None:
    config = deployed.aws.client("cloudfront").get_distribution_config(
        Id=deployed.resource("Distribution")
    )["DistributionConfig"]
    (api,) = (each for each in config["Origins"]["Items"] if each["Id"] == "api")
    (header,) = api["CustomHeaders"]["Items"]
    secret = deployed.aws.client("secretsmanager").get_secret_value(
        SecretId=deployed.resource("OriginVerifySecret")
    )
    assert header["HeaderValue"] == json.loads(secret["SecretString"])["send"]


def test_page_is_in_the_bucket(deployed: Deployment) -> None:
    release = read_release(ROOT / "web")
    s3, bucket = deployed.aws.client("s3"), deployed.resource("PageBucket")
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == release.files.keys()
    index = s3.get_object(Bucket=bucket, Key="index.html")
    assert (index["ContentType"], index["CacheControl"]) == (
        "text/html; charset=utf-8",
        "no-cache",
    )
    assert index["Body"].read() == release.files["index.html"].content


def test_a_title_is_found_requested_and_approved(deployed: Deployment) -> None:
    admin, user = deployed.sign_in("erin"), deployed.sign_in("sam")
    me = deployed.call("GET", "/api/auth/me", token=admin)
    assert (me.data["username"], me.data["role"]) == ("erin", "admin")
    found = deployed.call("GET", "/api/media/search?q=matrix&type=movie", token=user)
    assert found.status == 200, found.text
    title = found.data[0]
    body = json.dumps({"mediaType": "movie", "tmdbId": title["tmdbId"]}).encode()
    request = deployed.call("POST", "/api/media/request", body=body, token=user)
    assert request.status == 201, request.text
    path = f"/api/admin/requests/{request.data['id']}/approve"
    assert deployed.call("POST", path, token=user).status == 403
    approved = deployed.call("POST", path, token=admin)
    assert approved.status == 200, approved.text
    (seen,) = deployed.call("GET", "/api/media/requests", token=user).data
    assert (seen["title"], seen["status"]) == (title["title"], "approved")


def test_the_application_cannot_change_the_tables(deployed: Deployment) -> None:
    with psycopg.connect(app_url(deployed.database_url), autocommit=True) as application:
        application.execute("SELECT count(*) FROM users")
        for statement in (
            "CREATE TABLE mine ()",
            "DROP TABLE users",
            "ALTER TABLE users ADD x int",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement)


def test_the_event_of_each_schedule_runs_its_task(deployed: Deployment) -> None:
    schedules = deployed.aws.client("scheduler")
    names = [each["Name"] for each in schedules.list_schedules()["Schedules"]]
    assert len(names) == len(TEMPLATE.schedules)
    for name in names:
        target = schedules.get_schedule(Name=name)["Target"]
        response = deployed.aws.client("lambda").invoke(
            FunctionName=target["Arn"], Payload=target["Input"].encode()
        )
        assert "FunctionError" not in response, response["Payload"].read()
        result = json.loads(response["Payload"].read())
        if "CleanupFunction" in target["Arn"]:
            assert result["task"] == json.loads(target["Input"])["task"]
        else:
            assert result.keys() == set(RunResult._fields), name


def test_an_update_loses_no_call_and_publishes_a_new_version(deployed: Deployment) -> None:
    with calls(lambda: deployed.call("GET", "/api/health").status) as statuses:
        assert not deployed.update(LogLevel="DEBUG")
    assert deployed.stack["StackStatus"] == "UPDATE_COMPLETE"
    kept = {each["ParameterKey"]: each["ParameterValue"] for each in deployed.stack["Parameters"]}
    for name, value in deployed.parameters.items():
        assert kept[name] == value or set(kept[name]) == {"*"}, name
    assert kept["LogLevel"] == "DEBUG"
    assert len(statuses) > 10
    assert set(statuses) == {200}
    assert deployed.version() == "2"
    assert deployed.call("GET", "/api/health").status == 200


def test_the_same_update_again_publishes_no_version(deployed: Deployment) -> None:
    # The emulator reports an update of every resource, so its events do not tell.
    assert not deployed.update()
    assert deployed.version() == "2"
    assert deployed.call("GET", "/api/health").status == 200


def test_a_stack_with_data_keeps_the_store_of_its_secrets(deployed: Deployment) -> None:
    admin = deployed.sign_in("erin")
    # New environments of the functions read their secrets meanwhile: each call of this function
    # has a token that only the signing key verifies.
    with calls(lambda: deployed.call("GET", "/api/auth/me", token=admin).status, pause=1) as found:
        assert deployed.deploy(SecretStore="parameterstore", LogLevel="DEBUG")
    assert set(found) == {200}
    (reason,) = (
        each["ResourceStatusReason"]
        for each in deployed.events()
        if each["LogicalResourceId"] == "StoredSecrets" and "FAILED" in each["ResourceStatus"]
    )
    assert "SecretStore can be chosen only in the first deployment" in reason
    assert deployed.stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployed.aws.client("ssm").describe_parameters()["Parameters"] == []
    assert deployed.call("GET", "/api/auth/me", token=admin).status == 200


def test_a_failed_migration_keeps_the_functions_unchanged(deployed: Deployment) -> None:
    with psycopg.connect(deployed.database_url, autocommit=True) as owner:
        owner.execute("UPDATE schema_migrations SET checksum = repeat('0', 64)")
    other_arn = deployed.aws.secret("owner-again", deployed.database_url)
    output = deployed.deploy(MigrationsDatabaseUrlSecretArn=other_arn, LogLevel="ERROR")
    assert output
    reasons = [
        each["ResourceStatusReason"]
        for each in deployed.events()
        if each["LogicalResourceId"] == "Migrations" and each["ResourceStatus"] == "UPDATE_FAILED"
    ]
    assert "0001" in reasons[0], reasons
    assert deployed.database_url not in "".join(reasons)
    levels = {
        each["Environment"]["Variables"]["LOG_LEVEL"]
        for name, each in deployed.functions().items()
        if name != "MigrationsFunction"
    }
    assert levels == {"DEBUG"}
    assert deployed.call("GET", "/api/health").status == 200


def test_the_stack_can_be_deleted(deployed: Deployment) -> None:
    deployed.delete()
    assert deployed.left() == {
        "iam": ["AccessLogWriter"],
        "secretsmanager": ["application", "cache", "owner", "owner-again"],
    }
    with psycopg.connect(deployed.database_url) as owner:
        assert owner.execute("SELECT count(*) FROM users").fetchone() == (2,)
