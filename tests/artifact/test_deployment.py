"""`sam deploy` of the build in external mode, on an emulator of AWS's control plane."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.run_config import SECRETS
from local.standins.tmdb import app as tmdb_app
from medianest.jobs.worker import RunResult
from medianest.web_assets.release import read_release
from tests.support import plex
from tests.support.api import ROOT, TEMPLATE, Answer
from tests.support.aws import Aws, emulator
from tests.support.rie import NATIVE_ARCHITECTURE, app_url
from tests.support.standin import plex_of, served


@dataclass(frozen=True)
class Deployment:
    """A stack on the emulator."""

    aws: Aws
    template: Path
    parameters: dict[str, str]
    database_url: str

    def deploy(self, **changes: str) -> str:
        """Deploy; return the output of `sam deploy` if it fails, else an empty text."""
        overrides = [f"{name}={value}" for name, value in (self.parameters | changes).items()]
        completed = self.aws.sam(
            *("deploy", "--stack-name", "medianest", "--template-file", str(self.template)),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--no-progressbar", "--parameter-overrides", *overrides),
        )
        return completed.stdout + completed.stderr if completed.returncode else ""

    @property
    def stack(self) -> Any:
        return self.aws.client("cloudformation").describe_stacks(StackName="medianest")["Stacks"][0]

    @property
    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack["Outputs"]}

    def resource(self, name: str) -> str:
        """Return the physical id of a resource."""
        answer = self.aws.client("cloudformation").describe_stack_resource(
            StackName="medianest", LogicalResourceId=name
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def call(self, method: str, path: str, *, body: bytes | None = None, token: str = "") -> Answer:
        """Call the API as the distribution does."""
        secret = self.aws.client("secretsmanager").get_secret_value(
            SecretId=self.resource("OriginVerifySecret")
        )
        headers = {
            "X-Origin-Verify": json.loads(secret["SecretString"])["send"],
            "X-MediaNest-Viewer-Address": "203.0.113.9",
            "X-MediaNest-Public-Url": self.outputs["Url"],
        }
        api = self.resource("Api")
        return self.aws.call(api, method, path, body=body, token=token, headers=headers)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the stack's resources, newest first."""
        pages = self.aws.client("cloudformation").get_paginator("describe_stack_events")
        return [
            event for page in pages.paginate(StackName="medianest") for event in page["StackEvents"]
        ]

    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the configuration of each function by its id in the template."""
        resources = self.aws.client("cloudformation").describe_stack_resources(
            StackName="medianest"
        )["StackResources"]
        client = self.aws.client("lambda")
        return {
            each["LogicalResourceId"]: client.get_function_configuration(
                FunctionName=each["PhysicalResourceId"]
            )
            for each in resources
            if each["ResourceType"] == "AWS::Lambda::Function"
        }


def for_plain_http(template: Path) -> Path:
    """Return a copy whose bucket allows plain HTTP: the emulator enforces policies without TLS."""
    text, count = re.subn(r"(aws:SecureTransport: )'false'", r"\1'never'", template.read_text())
    assert count == 1
    copy = template.with_name("template-for-plain-http.yaml")
    copy.write_text(text)
    return copy


@pytest.fixture(scope="module")
def deployment(
    builds: Path,
    database_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """Deploy once for all tests of this file, which depend on their order."""
    with ExitStack() as stack:
        aws = stack.enter_context(emulator(tmp_path_factory.mktemp("aws")))
        plex_url = stack.enter_context(served(plex_of(["erin", "sam"])))
        tmdb_url = stack.enter_context(served(tmdb_app.create_app()))
        parameters = {
            "Architecture": NATIVE_ARCHITECTURE,
            "PlexApiUrl": plex_url,
            "PlexAuthUrl": f"{plex_url}/auth",
            "TmdbApiUrl": f"{tmdb_url}/3",
            "DatabaseMode": "external",
            "DatabaseUrlSecretArn": aws.secret("application", app_url(database_url)),
            "MigrationsDatabaseUrlSecretArn": aws.secret("owner", database_url),
            "CacheMode": "external",
            "RedisUrlSecretArn": aws.secret("cache", redis_url),
            "TmdbApiKey": "key-of-the-tests",
            "NodeEnv": "development",  # the local engines have no TLS
        }
        template = for_plain_http(builds / NATIVE_ARCHITECTURE / "template.yaml")
        deployed = Deployment(aws, template, parameters, database_url)
        output = deployed.deploy()
        assert not output, output[-3000:]
        yield deployed


def test_the_stack_deploys_onto_the_emulator(deployment: Deployment) -> None:
    assert deployment.stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployment.functions().keys() <= TEMPLATE.functions.keys() | {"RotationFunction"}


def test_the_tables_are_created_before_the_functions(deployment: Deployment) -> None:
    created = [
        each["LogicalResourceId"]
        for each in reversed(deployment.events())
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


def test_secret_variables_of_functions_are_arns(deployment: Deployment) -> None:
    for name, function in deployment.functions().items():
        for variable, value in function["Environment"]["Variables"].items():
            if variable in SECRETS:
                assert value.startswith("arn:aws:secretsmanager:"), (name, variable)


def test_functions_serve_with_the_permissions_of_their_roles(deployment: Deployment) -> None:
    health = deployment.call("GET", "/api/health")
    assert health.status == 200, health.text
    assert {each["status"] for each in health.data["checks"].values()} == {"healthy"}
    assert deployment.call("GET", "/api/media/search?q=x").status == 401


def test_api_refuses_calls_that_avoid_the_distribution(deployment: Deployment) -> None:
    api = deployment.resource("Api")
    for headers in (
        {},
        {"X-Origin-Verify": "guessed", "X-MediaNest-Viewer-Address": "198.51.100.1"},
    ):
        answer = deployment.aws.call(api, "GET", "/api/health", headers=headers)
        assert answer.status == 403, answer.text


def test_distribution_sends_the_secret_to_the_api(deployment: Deployment) -> None:
    config = deployment.aws.client("cloudfront").get_distribution_config(
        Id=deployment.resource("Distribution")
    )["DistributionConfig"]
    (api,) = (each for each in config["Origins"]["Items"] if each["Id"] == "api")
    (header,) = api["CustomHeaders"]["Items"]
    secret = deployment.aws.client("secretsmanager").get_secret_value(
        SecretId=deployment.resource("OriginVerifySecret")
    )
    assert header["HeaderValue"] == json.loads(secret["SecretString"])["send"]


def test_page_is_in_the_bucket(deployment: Deployment) -> None:
    release = read_release(ROOT / "web")
    s3, bucket = deployment.aws.client("s3"), deployment.resource("PageBucket")
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == release.files.keys()
    index = s3.get_object(Bucket=bucket, Key="index.html")
    assert (index["ContentType"], index["CacheControl"]) == (
        "text/html; charset=utf-8",
        "no-cache",
    )
    assert index["Body"].read() == release.files["index.html"].content


def sign_in(deployment: Deployment, person: str) -> str:
    """Sign in through the stand-in for Plex; return the token."""
    pin = deployment.call("POST", "/api/auth/plex/pin")
    assert pin.status == 200, pin.text
    plex.approve_at(pin.data["authUrl"], person)
    body = json.dumps({"pinId": pin.data["pinId"]}).encode()
    answer = deployment.call("POST", "/api/auth/plex/verify", body=body)
    assert answer.status == 200, answer.text
    return str(answer.data["token"])


def test_a_title_is_found_requested_and_approved(deployment: Deployment) -> None:
    admin, user = sign_in(deployment, "erin"), sign_in(deployment, "sam")
    me = deployment.call("GET", "/api/auth/me", token=admin)
    assert (me.data["username"], me.data["role"]) == ("erin", "admin")
    found = deployment.call("GET", "/api/media/search?q=matrix&type=movie", token=user)
    assert found.status == 200, found.text
    title = found.data[0]
    body = json.dumps({"mediaType": "movie", "tmdbId": title["tmdbId"]}).encode()
    request = deployment.call("POST", "/api/media/request", body=body, token=user)
    assert request.status == 201, request.text
    path = f"/api/admin/requests/{request.data['id']}/approve"
    assert deployment.call("POST", path, token=user).status == 403
    approved = deployment.call("POST", path, token=admin)
    assert approved.status == 200, approved.text
    (seen,) = deployment.call("GET", "/api/media/requests", token=user).data
    assert (seen["title"], seen["status"]) == (title["title"], "approved")


def test_the_application_cannot_change_the_tables(deployment: Deployment) -> None:
    with psycopg.connect(app_url(deployment.database_url), autocommit=True) as application:
        application.execute("SELECT count(*) FROM users")
        for statement in (
            "CREATE TABLE mine ()",
            "DROP TABLE users",
            "ALTER TABLE users ADD x int",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement)


def test_the_event_of_each_schedule_runs_its_task(deployment: Deployment) -> None:
    schedules = deployment.aws.client("scheduler")
    names = [each["Name"] for each in schedules.list_schedules()["Schedules"]]
    assert len(names) == len(TEMPLATE.schedules)
    for name in names:
        target = schedules.get_schedule(Name=name)["Target"]
        response = deployment.aws.client("lambda").invoke(
            FunctionName=target["Arn"], Payload=target["Input"].encode()
        )
        assert "FunctionError" not in response, response["Payload"].read()
        result = json.loads(response["Payload"].read())
        if "CleanupFunction" in target["Arn"]:
            assert result["task"] == json.loads(target["Input"])["task"]
        else:
            assert result.keys() == set(RunResult._fields), name


def version(deployment: Deployment) -> str:
    """Return the version of the health function that serves."""
    health = deployment.functions()["HealthFunction"]
    alias = deployment.aws.client("lambda").get_alias(
        FunctionName=health["FunctionName"], Name="live"
    )
    return str(alias["FunctionVersion"])


@contextmanager
def callers(deployment: Deployment) -> Iterator[list[int]]:
    """Call the service without a pause during the block; yield the statuses of the calls."""
    statuses: list[int] = []
    stop = threading.Event()

    def call_on() -> None:
        while not stop.is_set():
            statuses.append(deployment.call("GET", "/api/health").status)

    thread = threading.Thread(target=call_on)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join(60)


def test_an_update_loses_no_call_and_publishes_a_new_version(deployment: Deployment) -> None:
    with callers(deployment) as statuses:
        assert not deployment.deploy(LogLevel="DEBUG")
    assert deployment.stack["StackStatus"] == "UPDATE_COMPLETE"
    assert len(statuses) > 10
    assert set(statuses) == {200}
    assert version(deployment) == "2"
    assert deployment.call("GET", "/api/health").status == 200


def test_the_same_update_again_publishes_no_version(deployment: Deployment) -> None:
    # The emulator reports an update of every resource, so its events do not tell.
    assert not deployment.deploy(LogLevel="DEBUG")
    assert version(deployment) == "2"
    assert deployment.call("GET", "/api/health").status == 200


def test_a_failed_migration_keeps_the_functions_unchanged(deployment: Deployment) -> None:
    with psycopg.connect(deployment.database_url, autocommit=True) as owner:
        owner.execute("UPDATE schema_migrations SET checksum = repeat('0', 64)")
    other_arn = deployment.aws.secret("owner-again", deployment.database_url)
    output = deployment.deploy(MigrationsDatabaseUrlSecretArn=other_arn, LogLevel="ERROR")
    assert output
    reasons = [
        each["ResourceStatusReason"]
        for each in deployment.events()
        if each["LogicalResourceId"] == "Migrations" and each["ResourceStatus"] == "UPDATE_FAILED"
    ]
    assert "0001" in reasons[0], reasons
    assert deployment.database_url not in "".join(reasons)
    levels = {
        each["Environment"]["Variables"]["LOG_LEVEL"]
        for name, each in deployment.functions().items()
        if name != "MigrationsFunction"
    }
    assert levels == {"DEBUG"}
    assert deployment.call("GET", "/api/health").status == 200


def test_the_stack_can_be_deleted(deployment: Deployment) -> None:
    completed = deployment.aws.sam(
        "delete", "--stack-name", "medianest", "--no-prompts", "--region", "eu-west-1"
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert not deployment.aws.client("lambda").list_functions()["Functions"]
    buckets = deployment.aws.client("s3").list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets if "page" in each["Name"]] == []
    with psycopg.connect(deployment.database_url) as owner:
        assert owner.execute("SELECT count(*) FROM users").fetchone() == (2,)
