"""A stack on the emulator of AWS, and the calls of its callers."""

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.standins.tmdb import app as tmdb_app
from local.template.loader import load
from tests.support import plex
from tests.support.api import Answer
from tests.support.aws import ACCOUNT, REGION, Aws, emulator
from tests.support.cloudformation import walk
from tests.support.rie import NATIVE_ARCHITECTURE, app_url
from tests.support.standin import plex_of, served

# The emulator's own answer. An update gives the API another id there, unlike on AWS, so that a call
# may come for the previous one.
_NO_SUCH_API = '{"message": "Not Found"}'


@dataclass
class Deployment:
    """A stack on the emulator; `template` is the built one that it has, or gets next."""

    aws: Aws
    template: Path
    parameters: dict[str, str]
    database_url: str
    plex_url: str
    tmdb_url: str
    deleted_at: float = math.inf

    @property
    def upstreams(self) -> dict[str, str]:
        """Return the parameters that have the addresses of the stand-ins."""
        return {
            "PlexApiUrl": self.plex_url,
            "PlexAuthUrl": f"{self.plex_url}/auth",
            "TmdbApiUrl": f"{self.tmdb_url}/3",
        }

    def deploy(self, **changes: str) -> str:
        """Deploy; return the output of `sam deploy` if it fails, else an empty text."""
        return self.update(**(self.parameters | changes))

    def update(self, **parameters: str) -> str:
        """Deploy as `deploy`, with these parameters alone: the stack keeps the others."""
        words = [f"{name}={value}" for name, value in parameters.items()]
        overrides = ["--parameter-overrides", *words] if words else []
        completed = self.aws.sam(
            *("deploy", "--stack-name", "medianest", "--template-file", str(self.template)),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--no-progressbar", *overrides),
        )
        return completed.stdout + completed.stderr if completed.returncode else ""

    def delete(self) -> None:
        """Delete the stack."""
        self.deleted_at = time.time()
        completed = self.aws.sam(
            "delete", "--stack-name", "medianest", "--no-prompts", "--region", "eu-west-1"
        )
        assert completed.returncode == 0, completed.stdout + completed.stderr

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
        return self.call_directly(
            method, path, body=body, token=token, headers=self._headers_of_distribution()
        )

    def call_directly(self, method: str, path: str, **options: Any) -> Answer:
        """Call the API without the distribution."""
        answer = self.aws.call(self.resource("Api"), method, path, **options)
        if answer.text == _NO_SUCH_API:
            answer = self.aws.call(self.resource("Api"), method, path, **options)
        return answer

    def _headers_of_distribution(self) -> dict[str, str]:
        try:
            value = self._origin_verify()
        except ClientError:
            return {}  # a release from before the distribution
        return {
            "X-Origin-Verify": json.loads(value)["send"],
            "X-MediaNest-Viewer-Address": "203.0.113.9",
            "X-MediaNest-Public-Url": "https://media.example.org",
        }

    def _origin_verify(self) -> str:
        if self.parameters.get("SecretStore") == "parameterstore":
            name = "/medianest/medianest/origin-verify"
            found = self.aws.client("ssm").get_parameter(Name=name, WithDecryption=True)
            return str(found["Parameter"]["Value"])
        found = self.aws.client("secretsmanager").get_secret_value(
            SecretId=self.resource("OriginVerifySecret")
        )
        return str(found["SecretString"])

    def sign_in(self, person: str) -> str:
        """Sign in through the stand-in for Plex; return the token."""
        pin = self.call("POST", "/api/auth/plex/pin")
        assert pin.status == 200, pin.text
        plex.approve_at(pin.data["authUrl"], person)
        body = json.dumps({"pinId": pin.data["pinId"]}).encode()
        answer = self.call("POST", "/api/auth/plex/verify", body=body)
        assert answer.status == 200, answer.text
        return str(answer.data["token"])

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the stack's resources, newest first."""
        pages = self.aws.client("cloudformation").get_paginator("describe_stack_events")
        return [
            event for page in pages.paginate(StackName="medianest") for event in page["StackEvents"]
        ]

    def left(self) -> dict[str, list[str]]:
        """Return the names of what the emulator still has, by service, without what SAM needs."""
        client = self.aws.client
        distributions = client("cloudfront").list_distributions()["DistributionList"]
        found = {
            "cloudfront": [each["Id"] for each in distributions.get("Items", [])],
            "dashboards": [
                each["DashboardName"]
                for each in client("cloudwatch").list_dashboards()["DashboardEntries"]
            ],
            "event sources": [
                each["UUID"]
                for each in client("lambda").list_event_source_mappings()["EventSourceMappings"]
            ],
            "layers": [each["LayerName"] for each in client("lambda").list_layers()["Layers"]],
            "policies": [
                each["PolicyName"]
                for each in client("iam").list_policies(Scope="Local")["Policies"]
            ],
            "sns": [each["TopicArn"] for each in client("sns").list_topics()["Topics"]],
            "apigateway": [each["name"] for each in client("apigateway").get_rest_apis()["items"]],
            "cloudwatch": [
                each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]
            ],
            "iam": [each["RoleName"].split("-")[1] for each in client("iam").list_roles()["Roles"]],
            "lambda": [
                each["FunctionName"] for each in client("lambda").list_functions()["Functions"]
            ],
            # A function that still runs during a deletion writes afterwards. The emulator makes its
            # group again, unlike AWS, where no role may (tests/deploy/test_hardening.py, T7).
            "logs": [
                each["logGroupName"]
                for each in client("logs").describe_log_groups()["logGroups"]
                if each["creationTime"] / 1000 < self.deleted_at
            ],
            "s3": [
                each["Name"]
                for each in client("s3").list_buckets()["Buckets"]
                if not each["Name"].startswith("aws-sam-cli-managed-default")
            ],
            "scheduler": [
                each["Name"] for each in client("scheduler").list_schedules()["Schedules"]
            ],
            "secretsmanager": [
                each["Name"] for each in client("secretsmanager").list_secrets()["SecretList"]
            ],
            "sqs": client("sqs").list_queues().get("QueueUrls", []),
        }
        return {service: sorted(names) for service, names in found.items() if names}

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

    def version(self) -> str:
        """Return the version of the health function that serves."""
        health = self.functions()["HealthFunction"]
        alias = self.aws.client("lambda").get_alias(
            FunctionName=health["FunctionName"], Name="live"
        )
        return str(alias["FunctionVersion"])


@contextmanager
def deployment(
    template: Path, folder: Path, database_url: str, redis_url: str
) -> Iterator[Deployment]:
    """Run an emulator and stand-ins in the block, for a stack in external mode."""
    with (
        emulator(folder) as aws,
        served(plex_of(["erin", "sam"])) as plex_url,
        served(tmdb_app.create_app()) as tmdb_url,
    ):
        parameters = {
            "Architecture": NATIVE_ARCHITECTURE,
            "DatabaseMode": "external",
            "DatabaseUrlSecretArn": aws.secret("application", app_url(database_url)),
            "MigrationsDatabaseUrlSecretArn": aws.secret("owner", database_url),
            "CacheMode": "external",
            "RedisUrlSecretArn": aws.secret("cache", redis_url),
            "TmdbApiKey": "key-of-the-tests",
            "NodeEnv": "development",  # the local engines have no TLS
        }
        yield Deployment(aws, template, parameters, database_url, plex_url, tmdb_url)


def for_the_emulator(template: Path) -> Path:
    """Return a copy that allows what the emulator refuses, unlike AWS.

    It enforces the policies of buckets without TLS. It checks `ssm:GetParameter` of an ARN as if
    that were a name, so each permission gets that ARN besides its own.
    """
    document = load(template)
    for each in walk(document):
        if isinstance(each, dict) and "ssm:GetParameter" in each.get("Action", ()):
            named = {
                "Fn::Join": ["", [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/", each["Resource"]]]
            }
            each["Resource"] = [each["Resource"], named]
    text, count = re.subn(
        r'("aws:SecureTransport": )"false"', r'\1"never"', json.dumps(document, default=str)
    )
    assert count == 1
    copy = template.with_name("template-for-the-emulator.json")
    copy.write_text(text)
    return copy


@contextmanager
def calls[T](call: Callable[[], T], *, pause: float = 0.0) -> Iterator[list[T]]:
    """Make a call again and again during the block, with a pause in seconds; yield the results.

    The exception of a call is raised at the end of the block.
    """
    results: list[T] = []
    stop = threading.Event()

    def call_on() -> None:
        while not stop.wait(pause):
            results.append(call())

    with ThreadPoolExecutor(1) as caller:
        calling = caller.submit(call_on)
        try:
            yield results
        finally:
            stop.set()
        calling.result(60)
