"""The timeout settings apply, against servers that accept and never respond."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pydantic import SecretStr

from medianest.core import http
from medianest.core.cache import Cache
from medianest.core.db import Database, database
from medianest.core.environment import environment
from medianest.core.errors import AppError
from tests.support.timing import fastest


@pytest.fixture
def variables(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    reset_process_state()
    yield monkeypatch
    monkeypatch.undo()
    reset_process_state()


def reset_process_state() -> None:
    """Close the connection and clear the caches, as in a new process."""
    database().close()
    database.cache_clear()
    environment.cache_clear()


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_cache_read_times_out_after_its_setting(
    variables: pytest.MonkeyPatch, silent: str, seconds: float
) -> None:
    variables.setenv("CACHE_TIMEOUT_SECONDS", str(seconds))

    def ping() -> None:
        assert not Cache(SecretStr(f"redis://{silent}/0")).ping()

    assert seconds <= fastest(ping, below=seconds + 0.4)


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_cache_connection_times_out_after_its_setting(
    variables: pytest.MonkeyPatch, seconds: float
) -> None:
    variables.setenv("CACHE_CONNECT_TIMEOUT_SECONDS", str(seconds))
    with full_server() as address:

        def ping() -> None:
            assert not Cache(SecretStr(f"redis://{address}/0")).ping()

        assert seconds <= fastest(ping, below=seconds + 0.4)


@contextmanager
def full_server() -> Iterator[str]:
    """Run a server whose backlog is full, so that further connection attempts hang."""
    with socket.socket() as server, ExitStack() as clients:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        host, port = server.getsockname()
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((host, port))
        yield f"{host}:{port}"


@pytest.mark.parametrize("seconds", [1.0, 1.5])
def test_upstream_call_times_out_after_its_setting(
    variables: pytest.MonkeyPatch, silent: str, seconds: float
) -> None:
    variables.setenv("UPSTREAM_TIMEOUT_SECONDS", str(seconds))

    def get() -> None:
        with pytest.raises(http.UpstreamError):
            http.request_json("GET", f"http://{silent}/", headers={})

    assert seconds <= fastest(get, below=seconds + 0.4)


def test_database_connection_times_out_after_its_setting(
    variables: pytest.MonkeyPatch, silent: str
) -> None:
    variables.setenv("DATABASE_CONNECT_TIMEOUT_SECONDS", "2")

    def connect() -> None:
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            Database(SecretStr(f"postgresql://u@{silent}/d")).ping()

    assert fastest(connect, below=2.9) >= 1.9


def test_database_statement_times_out_after_its_setting(variables: pytest.MonkeyPatch) -> None:
    def sleep() -> None:
        with database().transaction() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SELECT pg_sleep(6)")

    def time_out() -> None:
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            sleep()

    variables.setenv("DATABASE_ANSWER_TIMEOUT_SECONDS", "4")
    assert fastest(time_out, below=5) >= 3.9


def test_nested_transaction_uses_the_connection_of_the_outer_one(
    variables: pytest.MonkeyPatch,
) -> None:
    # With a new connection and with one that is old enough to be replaced.
    for seconds in (0, 1000):
        with database().transaction() as outer:
            later = time.time() + seconds
            variables.setattr("medianest.core.db.time.time", lambda now=later: now)
            with database().transaction() as inner:
                assert inner is outer
            outer.execute("SELECT 1")
