"""The one connection of an environment, when the server is not as it should be."""

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
    """Be a server that follows another one, as after a failover."""
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    alter = sql.SQL("ALTER DATABASE {} ").format(name)
    db.execute("SET default_transaction_read_only = off")
    db.execute(alter + sql.SQL("SET default_transaction_read_only = on"))
    reconnect()
    yield
    db.execute(alter + sql.SQL("RESET default_transaction_read_only"))
    reconnect()


def ask(token: str) -> Any:
    return call("POST", "/api/media/request", token=token, body=MATRIX)


def test_a_read_only_server_is_left_again(
    db: Db,
    environment: dict[str, str],
    people: dict[str, str],
    read_only: None,
    pool: Pool | None,
) -> None:
    answer = ask(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    db.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    if pool:
        pool.reconnect()  # as its own operator does after a failover
    assert ask(people["bob"]).status == 201


def limit_connections(db: Db, environment: dict[str, str], number: int) -> None:
    """Let the functions' user have so many connections, -1 for any number."""
    role = environment["DATABASE_URL"].partition("//")[2].partition(":")[0]
    statement = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
    db.execute(statement.format(sql.Identifier(role), sql.Literal(number)))


@pytest.fixture
def crowded(db: Db, environment: dict[str, str], people: object) -> Iterator[None]:
    """Be a server that has no connection left."""
    limit_connections(db, environment, 0)
    database().close()
    yield
    limit_connections(db, environment, -1)


def test_a_server_without_a_connection_left_costs_little(
    db: Db, environment: dict[str, str], people: dict[str, str], crowded: None
) -> None:
    started = time.monotonic()
    answer = ask(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    assert time.monotonic() - started < 3.5
    limit_connections(db, environment, -1)
    assert ask(people["bob"]).status == 201


def test_a_server_without_a_connection_left_is_asked_once_more(
    db: Db,
    environment: dict[str, str],
    people: dict[str, str],
    crowded: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = []

    def others_leave(seconds: float) -> None:
        pauses.append(seconds)
        limit_connections(db, environment, -1)

    monkeypatch.setattr("medianest.core.db.time.sleep", others_leave)
    assert ask(people["bob"]).status == 201
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= NO_CONNECTION_PAUSE_SECONDS


def test_a_lock_that_is_held_too_long_keeps_the_connection(db: Db, people: dict[str, str]) -> None:
    call("GET", "/api/health")
    before = database()._connection
    with db.transaction():
        db.execute("LOCK TABLE request_items")
        answer = ask(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    assert database()._connection is before
    assert ask(people["bob"]).status == 201


def test_answers_are_bounded_but_for_migrations(environment: dict[str, str]) -> None:
    bounded = Database(SecretStr(environment["DATABASE_URL"]), response_seconds=0.5)
    with pytest.raises(AppError), bounded.transaction() as connection:
        connection.execute("SELECT pg_sleep(1)")
    bounded.close()
    unbounded = Database(SecretStr(environment["DATABASE_URL"]))
    with unbounded.transaction() as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(1)").fetchone() == (1,)
    unbounded.close()


class Silent:
    """A server that accepts connections and says nothing."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.url = SecretStr(f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/d")

    def connections(self) -> int:
        """Return how many have come since this was asked last."""
        count = 0
        while True:
            try:
                self._server.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Silent(server)


def reaches(target: Database) -> bool:
    try:
        target.ping()
    except AppError:
        return False
    return True


@pytest.mark.usefixtures("environment")
def test_a_server_that_costs_a_time_out_is_left_alone_for_a_moment(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Database(silent.url)
    assert not reaches(hanging)
    assert silent.connections() == 1
    assert not any(reaches(hanging) for _ in range(5))
    assert silent.connections() == 0
    later = time.time() + PAUSE_SECONDS
    monkeypatch.setattr("medianest.core.db.time.time", lambda: later)
    assert not reaches(hanging)
    assert silent.connections() == 1


@pytest.mark.usefixtures("environment")
def test_a_server_that_refuses_at_once_is_asked_each_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    starting = Database(SecretStr(f"postgresql://u@127.0.0.1:{port}/d"))
    assert not reaches(starting)
    with socket.create_server(("127.0.0.1", port)) as server:
        server.setblocking(False)
        assert not reaches(starting)
        assert Silent(server).connections() == 1


def backend_pid() -> int:
    with database().transaction() as connection:
        return pid_of(connection)


def pid_of(connection: Db) -> int:
    """Return the server process of a transaction, which PgBouncer does not tell at the start."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_a_connection_that_hangs_is_replaced(db: Db, reconnect: Callable[[], None]) -> None:
    reconnect()
    before = backend_pid()
    with suspended(before):
        assert backend_pid() != before
    eventually(
        lambda: db.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (before,)).rowcount == 0
    )


def test_a_transaction_in_another_one_fails_with_it(db: Db) -> None:
    insert = "INSERT INTO system_config (key, value) VALUES (%s, '1')"
    before = db.execute("SELECT count(*) FROM system_config").fetchone()

    def both() -> None:
        with database().transaction() as outer:
            outer.execute(insert, ("outer",))
            db.execute("SELECT pg_terminate_backend(%s)", (pid_of(outer),))
            with database().transaction() as inner:
                inner.execute(insert, ("inner",))

    with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
        both()
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
def test_an_address_that_is_none_is_not_repeated(address: str) -> None:
    odd = Database(SecretStr(address))
    with pytest.raises(ConfigurationError) as caught, odd.transaction():
        pass
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
