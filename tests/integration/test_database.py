"""An environment's connection to PostgreSQL while the server fails, hangs or refuses."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from medianest.core.db import NO_CONNECTION_PAUSE_SECONDS, PAUSE_SECONDS, Database, database
from medianest.core.environment import ConfigurationError
from medianest.core.errors import AppError
from tests.support.api import call
from tests.support.local import eventually
from tests.support.pgbouncer import Pool
from tests.support.processes import suspended

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}


@pytest.fixture
def read_only(db: Db, environment: dict[str, str], reconnect: Callable[[], None]) -> Iterator[None]:
    """Make the server reject every write, as a replica does after a failover."""
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    alter = sql.SQL("ALTER DATABASE {} ").format(name)
    db.execute("SET default_transaction_read_only = off")
    db.execute(alter + sql.SQL("SET default_transaction_read_only = on"))
    reconnect()
    yield
    db.execute(alter + sql.SQL("RESET default_transaction_read_only"))
    reconnect()


def post_request(token: str) -> Any:
    return call("POST", "/api/media/request", token=token, body=MATRIX)


def test_connection_to_a_read_only_server_is_dropped(
    db: Db,
    environment: dict[str, str],
    people: dict[str, str],
    read_only: None,
    pool: Pool | None,
) -> None:
    answer = post_request(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    db.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    if pool:
        pool.reconnect()  # the operator of PgBouncer does this after a failover
    assert post_request(people["bob"]).status == 201


def limit_connections(db: Db, environment: dict[str, str], number: int) -> None:
    """Limit the connections of the functions' role; -1 removes the limit."""
    role = environment["DATABASE_URL"].partition("//")[2].partition(":")[0]
    statement = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
    db.execute(statement.format(sql.Identifier(role), sql.Literal(number)))


@pytest.fixture
def no_connection_left(db: Db, environment: dict[str, str], people: object) -> Iterator[None]:
    """Allow the functions' role no connection."""
    limit_connections(db, environment, 0)
    database().close()
    yield
    limit_connections(db, environment, -1)


def test_call_fails_fast_when_the_server_has_no_connection_left(
    db: Db, environment: dict[str, str], people: dict[str, str], no_connection_left: None
) -> None:
    started = time.monotonic()
    answer = post_request(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    assert time.monotonic() - started < 3.5
    limit_connections(db, environment, -1)
    assert post_request(people["bob"]).status == 201


def test_connection_is_retried_once_when_the_server_has_none_left(
    db: Db,
    environment: dict[str, str],
    people: dict[str, str],
    no_connection_left: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = []

    def free_connections(seconds: float) -> None:
        pauses.append(seconds)
        limit_connections(db, environment, -1)

    monkeypatch.setattr("medianest.core.db.time.sleep", free_connections)
    assert post_request(people["bob"]).status == 201
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= NO_CONNECTION_PAUSE_SECONDS


def test_lock_time_out_keeps_the_connection(db: Db, people: dict[str, str]) -> None:
    call("GET", "/api/health")
    before = database()._connection
    with db.transaction():
        db.execute("LOCK TABLE request_items")
        answer = post_request(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    assert database()._connection is before
    assert post_request(people["bob"]).status == 201


def test_response_time_out_applies_only_when_set(environment: dict[str, str]) -> None:
    bounded = Database(SecretStr(environment["DATABASE_URL"]), response_seconds=0.5)
    with pytest.raises(AppError), bounded.transaction() as connection:
        connection.execute("SELECT pg_sleep(1)")
    bounded.close()
    unbounded = Database(SecretStr(environment["DATABASE_URL"]))
    with unbounded.transaction() as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(1)").fetchone() == (1,)
    unbounded.close()


class SilentServer:
    """A server that accepts connections but sends nothing."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.url = SecretStr(f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/d")

    def connections(self) -> int:
        """Return the number of connections since the previous call."""
        count = 0
        while True:
            try:
                self._server.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield SilentServer(server)


def is_reachable(target: Database) -> bool:
    try:
        target.ping()
    except AppError:
        return False
    return True


@pytest.mark.parametrize("passed", [PAUSE_SECONDS, -3600.0], ids=["the pause", "set back"])
@pytest.mark.usefixtures("environment")
def test_server_is_skipped_for_a_pause_after_a_time_out(
    silent: SilentServer, monkeypatch: pytest.MonkeyPatch, passed: float
) -> None:
    hanging = Database(silent.url)
    assert not is_reachable(hanging)
    assert silent.connections() == 1
    assert not any(is_reachable(hanging) for _ in range(5))
    assert silent.connections() == 0
    later = time.time() + passed
    monkeypatch.setattr("medianest.core.db.time.time", lambda: later)
    assert not is_reachable(hanging)
    assert silent.connections() == 1


@pytest.mark.usefixtures("environment")
def test_refused_connection_is_retried_on_every_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    starting = Database(SecretStr(f"postgresql://u@127.0.0.1:{port}/d"))
    assert not is_reachable(starting)
    with socket.create_server(("127.0.0.1", port)) as server:
        server.setblocking(False)
        assert not is_reachable(starting)
        assert SilentServer(server).connections() == 1


def backend_pid() -> int:
    with database().transaction() as connection:
        return pid_of(connection)


def pid_of(connection: Db) -> int:
    """Return the server process of a transaction; PgBouncer does not report it when connecting."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_hanging_connection_is_replaced(db: Db, reconnect: Callable[[], None]) -> None:
    reconnect()
    before = backend_pid()
    with suspended(before):
        assert backend_pid() != before
    eventually(
        lambda: db.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (before,)).rowcount == 0
    )


def test_nested_transaction_fails_when_its_connection_is_lost(db: Db) -> None:
    insert = "INSERT INTO system_config (key, value) VALUES (%s, '1')"
    before = db.execute("SELECT count(*) FROM system_config").fetchone()

    def nest_transactions() -> None:
        with database().transaction() as outer:
            outer.execute(insert, ("outer",))
            db.execute("SELECT pg_terminate_backend(%s)", (pid_of(outer),))
            with database().transaction() as inner:
                inner.execute(insert, ("inner",))

    with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
        nest_transactions()
    assert db.execute("SELECT count(*) FROM system_config").fetchone() == before
    both_keys = [("outer",), ("inner",)]
    with database().transaction() as outer, database().transaction() as inner:
        for (key,), connection in zip(both_keys, (outer, inner), strict=True):
            connection.execute(insert, (key,))
    assert db.execute("SELECT key FROM system_config WHERE value = '1'").fetchall() == both_keys


@pytest.mark.parametrize(
    "address", ["{'password': 'hunter2-canary'}", "postgresql://u:hunter2-canary%zz@127.0.0.1/db"]
)
@pytest.mark.usefixtures("environment")
def test_invalid_address_is_not_shown_in_the_error(address: str) -> None:
    invalid = Database(SecretStr(address))
    with pytest.raises(ConfigurationError) as caught, invalid.transaction():
        pass
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_value_that_is_too_large_is_no_failure_of_the_connection(db: Db) -> None:
    before = database().read(lambda connection: connection.info.backend_pid)
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        database().read(
            lambda connection: connection.execute("SELECT array_fill(1, ARRAY[1000000000])")
        )
    assert database().read(lambda connection: connection.info.backend_pid) == before
