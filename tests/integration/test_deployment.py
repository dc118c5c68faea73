"""CloudFormation calls the migrations function; a local server receives the response."""

import io
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from functions.migrations.app import handler
from medianest.core import custom_resource
from medianest.core import environment as core_environment
from medianest.core.db import Database, database_unavailable
from medianest.core.variables import Environment
from medianest.migrations import deployment, runner
from medianest.migrations.runner import MigrationError
from tests.support import engines as engines_of_run
from tests.support.api import LambdaContext
from tests.support.custom_resource import SIGNATURE, STACK, CloudFormation, cloud_formation

CALL = {
    "RequestId": "0c9a52e8-1b5f-4f4c-8f4e-3e5cf6d6f0b1",
    "StackId": STACK,
    "LogicalResourceId": "Migrations",
    "ResourceType": "Custom::Migrations",
    "ResourceProperties": {"Version": "1"},
}


@pytest.fixture
def stack() -> Iterator[CloudFormation]:
    with cloud_formation(handler, CALL) as instance:
        yield instance


@dataclass(frozen=True)
class Fresh:
    """An empty database, and the variables of the function that name it."""

    url: str
    app_url: str
    variables: pytest.MonkeyPatch

    def set_variable(self, name: str, value: str) -> None:
        self.variables.setenv(name, value)
        core_environment.environment.cache_clear()

    def tables(self) -> set[str]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            )
            return {row[0] for row in rows}


@pytest.fixture
def fresh(
    engines: tuple[str, str], worker_id: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fresh]:
    name, app = f"test_deployed_{worker_id}", f"test_deployed_app_{worker_id}"
    for variable in Environment.model_fields:
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setattr(custom_resource, "_PAUSES", (0.0, 0.01, 0.01))
    with engines_of_run.database(engines[0], name, [app]) as url:
        server = url.rpartition("@")[2]
        instance = Fresh(url, f"postgresql://{app}:canary@{server}", monkeypatch)
        instance.set_variable("DATABASE_URL", instance.url)
        instance.set_variable("APP_DATABASE_URL", instance.app_url)
        yield instance
        monkeypatch.undo()
        core_environment.environment.cache_clear()


@pytest.fixture
def broken(fresh: Fresh, tmp_path: Path) -> Path:
    """Replace the migrations with a valid and a failing one."""
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (id int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT 1 / 0;")
    migrate = runner.migrate
    fresh.variables.setattr(
        runner, "migrate", lambda database, **options: migrate(database, tmp_path, **options)
    )
    return tmp_path


def test_create_migrates_the_database_and_reports_success(
    fresh: Fresh, stack: CloudFormation
) -> None:
    stack.call("Create")
    assert stack.response == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "Migrations",
        **{name: CALL[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        "Data": {"Configuration": deployment.digest({"Version": "1"})},
        "NoEcho": False,
    }
    # The presigned address requires a request without a content type.
    assert stack.types == [""]
    assert {"users", "media_requests"} <= fresh.tables()
    with psycopg.connect(fresh.app_url) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DROP TABLE users")


def test_update_keeps_the_physical_resource_id(fresh: Fresh, stack: CloudFormation) -> None:
    stack.call("Create")
    stack.call("Update", PhysicalResourceId="Migrations", OldResourceProperties={})
    stack.call("Update", PhysicalResourceId="of-an-older-release", OldResourceProperties={})
    assert [response["Status"] for response in stack.responses] == ["SUCCESS"] * 3
    names = [response["PhysicalResourceId"] for response in stack.responses]
    assert names == ["Migrations", "Migrations", "of-an-older-release"]


def test_delete_changes_nothing_and_needs_no_database(fresh: Fresh, stack: CloudFormation) -> None:
    stack.call("Create")
    before = fresh.tables()
    fresh.set_variable("DATABASE_URL", "postgresql://user@127.0.0.1:1/nowhere")
    stack.call("Delete", PhysicalResourceId="Migrations")
    fresh.variables.delenv("DATABASE_URL")
    core_environment.environment.cache_clear()
    stack.call("Delete", PhysicalResourceId="Migrations")
    assert [response["Status"] for response in stack.responses] == ["SUCCESS"] * 3
    assert fresh.tables() == before


def test_manual_call_returns_the_applied_migrations(fresh: Fresh) -> None:
    result = handler({}, LambdaContext())
    assert result == {"applied": [migration.name for migration in runner.migrations()]}
    assert handler({}, LambdaContext()) == {"applied": []}
    with psycopg.connect(fresh.app_url) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)


@pytest.mark.usefixtures("broken")
def test_failing_migration_fails_the_deployment_and_is_rolled_back(
    fresh: Fresh, stack: CloudFormation, logs: io.StringIO
) -> None:
    stack.call("Create")
    assert stack.response["Status"] == "FAILED"
    assert stack.response["Reason"] == "0002_bad failed: division by zero"
    assert fresh.tables() == {"schema_migrations", "good"}
    assert "deployment_failed" in logs.getvalue()


def test_slow_migration_fails_the_deployment_in_time_and_is_rolled_back(
    fresh: Fresh, stack: CloudFormation, broken: Path
) -> None:
    (broken / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT pg_sleep(30);")
    fresh.variables.setattr(custom_resource, "RESPONSE_SECONDS", 298.0)
    started = time.monotonic()
    stack.call("Create")
    (broken / "0002_bad.sql").write_text(
        "CREATE TABLE half (id int); DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM pg_sleep(0.1);"
        " END LOOP; END $$;"
    )
    stack.call("Update", PhysicalResourceId="Migrations")
    assert time.monotonic() - started < 20
    assert [response["Status"] for response in stack.responses] == ["FAILED"] * 2
    for response in stack.responses:
        assert "not done within 2 seconds" in response["Reason"]
    assert fresh.tables() == {"schema_migrations", "good"}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "DATABASE_URL",
            "postgresql://me:canary@127.0.0.1:1/x",
            "DATABASE_CONNECTION_ERROR: connection failed: .*refused",
        ),
        ("DATABASE_URL", "", "Bad configuration: DATABASE_URL is required"),
        ("DATABASE_URL", "mysql://me:canary@h", "Bad configuration: DATABASE_URL must start with"),
        (
            "DATABASE_URL",
            "postgresql://me:canary%zz@h",
            "DATABASE_URL is not a valid PostgreSQL URL",
        ),
        ("APP_DATABASE_URL", "postgresql://canary%zz@h", "APP_DATABASE_URL is not a valid"),
        ("APP_DATABASE_URL", "postgresql://127.0.0.1", "APP_DATABASE_URL has no user"),
    ],
)
def test_configuration_error_is_reported_without_secrets(
    fresh: Fresh, stack: CloudFormation, logs: io.StringIO, name: str, value: str, reason: str
) -> None:
    fresh.variables.setattr(deployment, "DATABASE_WAIT_SECONDS", 0.0)
    fresh.set_variable(name, value)
    stack.call("Create")
    assert stack.response["Status"] == "FAILED"
    assert re.search(reason, stack.response["Reason"])
    assert "canary" not in stack.response["Reason"] + logs.getvalue()


def test_function_waits_for_a_database_that_is_not_ready(
    fresh: Fresh, stack: CloudFormation, logs: io.StringIO
) -> None:
    valid_url = os.environ["DATABASE_URL"]
    fresh.set_variable("DATABASE_URL", "postgresql://me@127.0.0.1:1/x")
    ping = Database.ping

    def ping_then_correct(self: Database) -> None:
        try:
            ping(self)
        finally:
            self._secret = SecretStr(valid_url)

    fresh.variables.setattr(Database, "ping", ping_then_correct)
    stack.call("Create")
    assert stack.response["Status"] == "SUCCESS"
    assert "database_not_ready" in logs.getvalue()


def test_reason_of_any_error_is_short(fresh: Fresh, stack: CloudFormation) -> None:
    def fail(**_: float) -> None:
        raise MigrationError("x\ny " * 3000)

    fresh.variables.setattr(runner, "run", fail)
    stack.call("Create")
    assert stack.response["Reason"].startswith("x y x y")
    assert len(stack.response["Reason"]) == 500
    unreachable = deployment.reason_of(database_unavailable())
    assert unreachable == "DATABASE_CONNECTION_ERROR: not reachable in time"
    other = deployment.reason_of(KeyError("canary"))
    assert other == "KeyError; see the log of the function"


@pytest.mark.parametrize("statuses", [[503], [500, 403]])
def test_response_is_retried_when_cloudformation_refuses_it(
    fresh: Fresh, stack: CloudFormation, logs: io.StringIO, statuses: list[int]
) -> None:
    stack.statuses = list(statuses)
    stack.call("Create")
    assert stack.response["Status"] == "SUCCESS"
    assert logs.getvalue().count("cloudformation_unreachable") == len(statuses)
    assert "canary" not in logs.getvalue()


@pytest.mark.parametrize("failure", ["refused", "unreachable"])
def test_undeliverable_response_is_an_error(
    fresh: Fresh, stack: CloudFormation, logs: io.StringIO, failure: str
) -> None:
    if failure == "refused":
        stack.statuses = [403] * 10
    else:
        stack.url = f"http://127.0.0.1:1/answer?{SIGNATURE}"
    with pytest.raises(custom_resource.ResponseNotSentError) as caught:
        stack.call("Create")
    assert "canary" not in str(caught.value) + logs.getvalue()
    assert caught.value.__cause__ is None
    assert "users" in fresh.tables()
    assert stack.responses == []
