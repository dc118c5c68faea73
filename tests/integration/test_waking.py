"""Callers of a database that pauses hear that it wakes up, soon and by a code of its own."""

import time
from collections.abc import Callable, Iterator

import pytest
from psycopg import conninfo
from pydantic import SecretStr

from medianest.core import db as db_module
from medianest.core import wake
from medianest.core.db import Database, database
from medianest.core.environment import environment as core_environment
from tests.support.api import Answer, call
from tests.support.sleeper import Sleeper, sleeper

type Setting = Callable[..., None]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch, environment: object) -> Iterator[Setting]:
    """Return a function that sets variables of the environment for one test."""

    def set_variables(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name.upper(), value)
        core_environment.cache_clear()

    yield set_variables
    monkeypatch.undo()
    core_environment.cache_clear()
    database().close()


@pytest.fixture
def sleeping(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> Iterator[Sleeper]:
    """Put a database that pauses in front of the functions' one."""
    setting(database_pauses="true")
    parts = conninfo.conninfo_to_dict(environment["DATABASE_URL"])
    with sleeper(str(parts["host"]), int(str(parts["port"]))) as proxy:
        url = conninfo.make_conninfo(environment["DATABASE_URL"], port=proxy.port)
        monkeypatch.setattr(database(), "_secret", SecretStr(url))
        monkeypatch.setattr(database(), "_wake", wake.Wake())
        # Restored afterwards: a pause would fail the first calls of the next test.
        monkeypatch.setattr(database(), "_paused_until", 0.0)
        yield proxy


def health() -> tuple[Answer, float]:
    """Return the answer of a health check and the seconds that it took."""
    started = time.monotonic()
    answer = call("GET", "/api/health")
    return answer, time.monotonic() - started


def until_awake() -> Answer:
    """Repeat the health check, as a caller does that `Retry-After` asks to."""
    end = time.monotonic() + 30
    while (answer := call("GET", "/api/health")).status == 503:
        assert answer.code == "DATABASE_WAKING_UP"
        assert time.monotonic() < end
        time.sleep(0.2)
    return answer


def test_callers_hear_that_it_wakes_up_until_it_is_awake(sleeping: Sleeper) -> None:
    assert health()[0].status == 200
    sleeping.sleep(wake_seconds=8)
    first, seconds = health()
    assert (first.status, first.code) == (503, "DATABASE_WAKING_UP")
    assert first.headers["retry-after"] == "5"
    assert seconds < 10  # the gateway waits for 29
    # The next call fails at once, with the same code.
    second, seconds = health()
    assert (second.code, seconds < 1) == ("DATABASE_WAKING_UP", True)
    assert until_awake().status == 200


def test_a_database_that_does_not_pause_is_down(sleeping: Sleeper, setting: Setting) -> None:
    setting(database_pauses="false")
    sleeping.sleep(wake_seconds=8)
    answer, _ = health()
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")


def test_a_database_that_refuses_connections_is_down(sleeping: Sleeper) -> None:
    sleeping.close()
    answer, _ = health()
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")


def test_a_database_that_does_not_wake_is_down(
    sleeping: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "WAKE_SECONDS", 2.0)
    monkeypatch.setattr(db_module, "PAUSE_SECONDS", 0.0)
    sleeping.sleep(wake_seconds=600)
    assert health()[0].code == "DATABASE_WAKING_UP"
    assert health()[0].code == "DATABASE_CONNECTION_ERROR"


def test_a_function_that_nobody_waits_for_waits_itself(sleeping: Sleeper, setting: Setting) -> None:
    setting(database_connect_timeout_seconds="45")
    sleeping.sleep(wake_seconds=5)
    secret = database()._secret
    own = Database(secret, response_seconds=5)
    own.ping()
    own.close()
    assert not sleeping.is_asleep
