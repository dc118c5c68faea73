"""No transaction depends on session state, so a pooler may use another connection for each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from medianest.core.db import Database, database
from medianest.core.environment import environment
from medianest.core.errors import AppError
from medianest.migrations import role
from medianest.migrations.runner import migrate, migrations
from tests.support import engines as engines_of_run
from tests.support import plex
from tests.support.api import TEMPLATE, call, run_schedule
from tests.support.pgbouncer import Pool, binary, pgbouncer
from tests.support.wire import recorded

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
THRONES = {"mediaType": "tv", "tmdbId": 1399, "seasons": [1, 2]}
CLIENTS = 8


@contextmanager
def functions_at(url: str, variables: pytest.MonkeyPatch) -> Iterator[None]:
    """Point the functions of this process at another database URL."""

    def close_connections() -> None:
        database().close()
        database.cache_clear()
        environment.cache_clear()

    with variables.context() as patched:
        close_connections()
        patched.setenv("DATABASE_URL", url)
        yield
        close_connections()
    environment.cache_clear()


def run_typical_calls(plex_url: str) -> None:
    """Sign in, request, decide, read every list, sign out and run the cleanup tasks."""
    alice, bob = (plex.sign_in(plex_url, name)["token"] for name in ("alice", "bob"))
    assert call("GET", "/api/media/search", query={"q": "matrix"}, token=bob).status == 200
    key = {"Idempotency-Key": '"pooled"'}
    film = call("POST", "/api/media/request", token=bob, body=MATRIX, headers=key)
    show = call("POST", "/api/media/request", token=bob, body=THRONES)
    assert (film.status, show.status) == (201, 201)
    repeated = call("POST", "/api/media/request", token=bob, body=MATRIX, headers=key)
    assert repeated.data["id"] == film.data["id"]
    approval_path = f"/api/admin/requests/{film.data['id']}/approve"
    assert call("POST", approval_path, token=alice, body={}).data["status"] == "approved"
    decisions = {"decision": "decline", "ids": [show.data["id"]], "reason": "No room"}
    assert call("POST", "/api/admin/requests/decisions", token=alice, body=decisions).status == 200
    for path in ("users", "requests", "audit-logs", "config", "stats"):
        assert call("GET", f"/api/admin/{path}", token=alice).status == 200
    limit = {"value": {"limit": 500, "window": 60}}
    assert call("PUT", "/api/admin/config/rateLimit.auth", token=alice, body=limit).status == 200
    assert call("POST", "/api/auth/refresh", token=alice, body={}).status == 200
    assert call("POST", "/api/auth/logout", token=bob, body={"allSessions": True}).status == 204
    for schedule in TEMPLATE.schedules:
        run_schedule(schedule)
    assert call("GET", "/api/health").data["status"] == "healthy"


def test_functions_leave_no_session_state(
    db: Db,
    direct_url: str,
    plex_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with recorded(direct_url) as (url, protocol):
        with functions_at(url, monkeypatch):
            run_typical_calls(plex_url)
        assert protocol.session_state == []
        assert protocol.prepared == []
        # Only startup parameters that every pooler accepts: in particular no `options`.
        assert {name for startup in protocol.startups for name in startup} == {
            *("user", "database", "application_name"),
        }
        assert any("INSERT INTO media_requests" in statement for statement in protocol.statements)


def test_migrations_leave_no_session_state(engines: tuple[str, str], worker_id: str) -> None:
    name, app = f"test_pooling_{worker_id}", f"test_pooling_app_{worker_id}"
    with (
        engines_of_run.database(engines[0], name, [app]) as direct,
        recorded(direct) as (url, protocol),
    ):
        assert migrate_and_create_role(url, app) == [migration.name for migration in migrations()]
        assert protocol.session_state == []
        assert protocol.prepared == []
        assert any("CREATE TABLE users" in statement for statement in protocol.statements)


def migrate_and_create_role(url: str, app: str) -> list[str]:
    """Migrate and create the role of the functions, as a deployment does."""
    owner = Database(SecretStr(url))
    applied = migrate(owner)
    with owner.transaction() as connection:
        role.ensure_app_role(connection, f"postgresql://{app}:apps@{url.rpartition('@')[2]}")
    owner.close()
    return applied


@pytest.mark.parametrize(
    "statement",
    [
        "SET statement_timeout = 0",
        "SELECT 1; SET SESSION lock_timeout = 0",
        "SELECT set_config('lock_timeout', '0', false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "SELECT pg_advisory_unlock_all()",
        "CREATE TEMP TABLE thing (id int)",
        "SELECT 1 AS id INTO TEMPORARY others",
        "LISTEN thing",
        "PREPARE thing AS SELECT 1",
        "DECLARE thing CURSOR WITH HOLD FOR SELECT 1",
    ],
)
def test_statement_that_leaves_session_state_is_recorded(database_url: str, statement: str) -> None:
    with recorded(database_url) as (url, protocol):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())
        assert len(protocol.session_state) == 1


def test_transaction_state_is_allowed_and_a_prepared_statement_is_recorded(
    database_url: str,
) -> None:
    with recorded(database_url) as (url, protocol):
        with psycopg.connect(url, autocommit=True) as connection, connection.transaction():
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SELECT set_config('lock_timeout', %s, true)", ("1s",))
            connection.execute("SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)")
            connection.execute("SELECT 1", prepare=True)
        assert protocol.session_state == []
        assert len(protocol.prepared) == 1


@pytest.fixture
def pooled(engines: tuple[str, str], pool: Pool | None, tmp_path: Path) -> Iterator[Pool]:
    """Return the PgBouncer of the run, or start one for the test."""
    if pool is not None:
        yield pool
        return
    if binary() is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    with pgbouncer(engines[0], tmp_path / "pgbouncer") as started:
        yield started


def test_functions_work_through_pgbouncer(
    db: Db,
    direct_url: str,
    pooled: Pool,
    plex_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with functions_at(pooled.url(direct_url), monkeypatch):
        run_typical_calls(plex_url)


def test_server_process_that_dies_behind_pgbouncer_fails_one_transaction(
    db: Db, database_url: str, pooled: Pool
) -> None:
    # PgBouncer forwards the server's last message and then sends one itself, so that a command
    # gets two responses.
    client = Database(SecretStr(pooled.url(database_url)))

    def savepoint_after_death() -> None:
        with client.transaction() as connection:
            terminate(db, connection)
            with client.transaction():
                pytest.fail("the savepoint was created on a dead connection")

    def commit_after_death() -> None:
        with client.transaction() as connection:
            terminate(db, connection)

    for failing_transaction in (savepoint_after_death, commit_after_death):
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            failing_transaction()
        client.ping()
    client.close()


def terminate(db: Db, connection: Db) -> None:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    # With a timeout, the result shows whether the process has ended.
    assert db.execute("SELECT pg_terminate_backend(%s, 10000)", row).fetchone() == (True,)


def test_migrations_run_through_pgbouncer(
    engines: tuple[str, str], worker_id: str, pooled: Pool
) -> None:
    name, app = f"test_pooling_{worker_id}", f"test_pooling_app_{worker_id}"
    with engines_of_run.database(engines[0], name, [app]) as direct:
        names = [migration.name for migration in migrations()]
        assert migrate_and_create_role(pooled.url(direct), app) == names
        assert migrate_and_create_role(pooled.url(direct), app) == []


def test_pgbouncer_pins_no_client_to_a_server_connection(database_url: str, pooled: Pool) -> None:
    # All clients hold a transaction at once, so each gets a server connection. A later transaction
    # gets any of these connections.
    barrier = Barrier(CLIENTS, timeout=20)

    def use_transactions(_: int) -> set[int]:
        client = Database(SecretStr(pooled.url(database_url)))
        pids = set()
        for _ in range(4):
            with client.transaction() as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                pids.add(row[0])
                barrier.wait()
        client.close()
        return pids

    with ThreadPoolExecutor(CLIENTS) as threads:
        pids_by_client = list(threads.map(use_transactions, range(CLIENTS)))
    assert len(set.union(*pids_by_client)) <= CLIENTS
    assert max(len(pids) for pids in pids_by_client) > 1
