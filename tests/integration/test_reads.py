"""Reads cost one statement and one cache round trip, and survive a dead connection."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from pydantic import SecretStr

from medianest.core import db as core_db
from medianest.core.db import Database
from medianest.core.errors import AppError
from tests.support.api import call
from tests.support.limits import set_limit
from tests.support.processes import suspended
from tests.support.wire import Recording

pytestmark = pytest.mark.usefixtures("uncached_settings")

type Db = psycopg.Connection[tuple[Any, ...]]

ME = ("GET", "/api/auth/me")


def lines_of(logs: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.getvalue().splitlines()]


class TestCosts:
    @pytest.mark.parametrize("path", ["/api/auth/me", "/api/auth/sessions", "/api/media/requests"])
    def test_signed_in_read_costs_one_cache_trip_and_one_statement(
        self,
        people: dict[str, str],
        statements: Recording,
        cache_round_trips: list[object],
        path: str,
    ) -> None:
        call("GET", path, token=people["bob"])
        statements.statements.clear()
        cache_round_trips.clear()
        assert call("GET", path, token=people["bob"]).status == 200
        assert len(cache_round_trips) == 1
        assert len(statements.statements) == 1
        assert statements.statements[0].startswith(("SELECT", "WITH"))

    def test_admin_read_reads_the_session_row_and_costs_one_cache_trip(
        self,
        people: dict[str, str],
        statements: Recording,
        cache_round_trips: list[object],
    ) -> None:
        call("GET", "/api/admin/users", token=people["alice"])
        statements.statements.clear()
        cache_round_trips.clear()
        assert call("GET", "/api/admin/users", token=people["alice"]).status == 200
        assert len(cache_round_trips) == 1
        assert "FROM sessions" in statements.statements[0]
        assert not {"BEGIN", "COMMIT"} & set(statements.statements)

    @pytest.mark.parametrize(
        ("token", "code"),
        [(None, "JWT_INVALID"), ("a.b.c", "JWT_INVALID"), ("bob", "RATE_LIMITED")],
    )
    def test_refusal_costs_no_statement_one_cache_trip_and_one_log_line(
        self,
        db: Db,
        people: dict[str, str],
        statements: Recording,
        cache_round_trips: list[object],
        logs: io.StringIO,
        token: str | None,
        code: str,
    ) -> None:
        if token == "bob":
            set_limit(db, "api", 1, 60)
            token = people["bob"]
        for _ in range(3):  # the first refusal by a limit is audited
            call(*ME, token=token)
        statements.statements.clear()
        cache_round_trips.clear()
        logs.truncate(0)
        logs.seek(0)
        answer = call(*ME, token=token)
        assert answer.code == code
        assert statements.statements == []
        assert len(cache_round_trips) == 1
        [line] = lines_of(logs)
        assert (line["message"], line["code"], line["ip"]) == ("request", code, "203.0.113.7")
        assert line["level"] == ("WARNING" if answer.status == 401 else "INFO")


class TestCharges:
    @pytest.mark.parametrize("state", ["revoked", "expired"])
    def test_invalid_session_charges_the_address_and_not_the_user(
        self, db: Db, people: dict[str, str], keys: redis.Redis, state: str
    ) -> None:
        user = call(*ME, token=people["bob"]).data["id"]
        if state == "revoked":
            call("POST", "/api/auth/logout", token=people["bob"])
        else:
            [key] = keys.keys("session:*")
            keys.set(key, "1000 user", ex=60)
        keys.delete(f"rl:api:{{{user}}}")
        assert call(*ME, token=people["bob"]).code == "JWT_INVALID"
        assert keys.exists(f"rl:api:{{{user}}}") == 0
        assert keys.zcard("{rl}:api:203.0.113.7") == 1

    def test_sessions_and_limits_of_a_user_share_a_hash_slot(
        self, people: dict[str, str], keys: redis.Redis
    ) -> None:
        call(*ME, token=people["bob"])
        found = [str(key) for pattern in ("session:*", "rl:api:*") for key in keys.keys(pattern)]
        assert len(found) == 2
        assert len({key.partition("{")[2].partition("}")[0] for key in found}) == 1


@pytest.fixture
def client(environment: dict[str, str], direct_url: str) -> Iterator[Database]:
    """Return a database whose connection is open."""
    opened = Database(SecretStr(direct_url), response_seconds=5)
    opened.ping()
    yield opened
    opened.close()


def pid_of(connection: Db) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def terminate(db: Db, pid: int) -> None:
    assert db.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,)).fetchone() == (True,)


def counted(query: Callable[[Db], Any]) -> tuple[Callable[[Db], Any], list[int]]:
    """Return a query that records its runs, and the record."""
    runs: list[int] = []

    def run(connection: Db) -> Any:
        runs.append(len(runs))
        return query(connection)

    return run, runs


class TestDeadConnection:
    def test_read_runs_again_on_a_new_connection(self, db: Db, client: Database) -> None:
        before = client.read(pid_of)
        terminate(db, before)
        query, runs = counted(pid_of)
        assert client.read(query) != before
        assert len(runs) == 2

    def test_read_is_retried_only_once(self, db: Db, client: Database) -> None:
        def die(connection: Db) -> None:
            terminate(db, pid_of(connection))
            connection.execute("SELECT 1")

        query, runs = counted(die)
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            client.read(query)
        assert len(runs) == 2
        assert client.read(pid_of) > 0

    def test_write_is_not_retried(self, db: Db, client: Database) -> None:
        runs = []

        def write() -> None:
            with client.transaction() as connection:
                runs.append(1)
                terminate(db, pid_of(connection))
                connection.execute("INSERT INTO system_config (key, value) VALUES ('k', '1')")

        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            write()
        assert len(runs) == 1

    def test_silent_connection_is_replaced(
        self, client: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(core_db, "RECENT_SECONDS", 0.0)
        monkeypatch.setattr(core_db, "PROBE_SECONDS", 0.3)
        before = client.read(pid_of)
        with suspended(before):
            assert client.read(pid_of) != before

    def test_slow_read_on_a_recent_connection_is_not_sent_twice(self, direct_url: str) -> None:
        impatient = Database(SecretStr(direct_url), response_seconds=0.5)
        impatient.ping()
        query, runs = counted(lambda connection: connection.execute("SELECT pg_sleep(1)"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            impatient.read(query)
        assert len(runs) == 1
        impatient.close()

    def test_statement_that_the_server_cancels_keeps_the_connection(self, client: Database) -> None:
        before = client.read(pid_of)
        query, runs = counted(lambda connection: connection.execute("SELECT pg_sleep(4)"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            client.read(query)
        assert len(runs) == 1
        assert client.read(pid_of) == before


def test_read_within_a_transaction_belongs_to_it(db: Db, client: Database) -> None:
    def number(connection: Db) -> Any:
        return connection.execute("SELECT count(*) FROM system_config WHERE key = 'k'").fetchone()

    with client.transaction() as connection:
        connection.execute("INSERT INTO system_config (key, value) VALUES ('k', '1')")
        assert client.read(number) == (1,)
        assert number(db) == (0,)
    assert number(db) == (1,)
