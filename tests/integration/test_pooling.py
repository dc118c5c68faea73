"""No transaction needs the session of another: a proxy may lend each another connection."""

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
    """Have the functions of this process reach the database by another way."""

    def forget() -> None:
        database().close()
        database.cache_clear()
        environment.cache_clear()

    with variables.context() as own:
        forget()
        own.setenv("DATABASE_URL", url)
        yield
        forget()
    environment.cache_clear()


def do_the_job(plex_url: str) -> None:
    """Go from a sign-in to a decision, with every list on the way, and clean up."""
    alice, bob = (plex.sign_in(plex_url, name)["token"] for name in ("alice", "bob"))
    assert call("GET", "/api/media/search", query={"q": "matrix"}, token=bob).status == 200
    key = {"Idempotency-Key": '"pooled"'}
    film = call("POST", "/api/media/request", token=bob, body=MATRIX, headers=key)
    show = call("POST", "/api/media/request", token=bob, body=THRONES)
    assert (film.status, show.status) == (201, 201)
    again = call("POST", "/api/media/request", token=bob, body=MATRIX, headers=key)
    assert again.data["id"] == film.data["id"]
    approved = f"/api/admin/requests/{film.data['id']}/approve"
    assert call("POST", approved, token=alice, body={}).data["status"] == "approved"
    declined = {"decision": "decline", "ids": [show.data["id"]], "reason": "No room"}
    assert call("POST", "/api/admin/requests/decisions", token=alice, body=declined).status == 200
    for path in ("users", "requests", "audit-logs", "config", "stats"):
        assert call("GET", f"/api/admin/{path}", token=alice).status == 200
    limit = {"value": {"limit": 500, "window": 60}}
    assert call("PUT", "/api/admin/config/rateLimit.auth", token=alice, body=limit).status == 200
    assert call("POST", "/api/auth/refresh", token=alice, body={}).status == 200
    assert call("POST", "/api/auth/logout", token=bob, body={"allSessions": True}).status == 204
    for schedule in TEMPLATE.schedules:
        run_schedule(schedule)
    assert call("GET", "/api/health").data["status"] == "healthy"


def test_the_functions_leave_nothing_in_the_session(
    db: Db,
    direct_url: str,
    plex_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with recorded(direct_url) as (url, said):
        with functions_at(url, monkeypatch):
            do_the_job(plex_url)
        assert said.session_state == []
        assert said.prepared == []
        # Nothing but what every pooler takes: in particular no `options`.
        assert {name for startup in said.startups for name in startup} == {
            *("user", "database", "application_name"),
        }
        assert any("INSERT INTO media_requests" in statement for statement in said.statements)


def test_migrations_leave_nothing_in_the_session(engines: tuple[str, str], worker_id: str) -> None:
    name, app = f"test_pooling_{worker_id}", f"test_pooling_app_{worker_id}"
    with (
        engines_of_run.database(engines[0], name, [app]) as direct,
        recorded(direct) as (url, said),
    ):
        assert set_up(url, app) == [migration.name for migration in migrations()]
        assert said.session_state == []
        assert said.prepared == []
        assert any("CREATE TABLE users" in statement for statement in said.statements)


def set_up(url: str, app: str) -> list[str]:
    """Do what a deployment does with a database."""
    owner = Database(SecretStr(url))
    done = migrate(owner)
    with owner.transaction() as connection:
        role.ensure_app_role(connection, f"postgresql://{app}:apps@{url.rpartition('@')[2]}")
    owner.close()
    return done


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
def test_what_is_left_in_the_session_is_seen(database_url: str, statement: str) -> None:
    with recorded(database_url) as (url, said):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())
        assert len(said.session_state) == 1


def test_what_ends_with_its_transaction_is_allowed_and_a_prepared_statement_seen(
    database_url: str,
) -> None:
    with recorded(database_url) as (url, said):
        with psycopg.connect(url, autocommit=True) as connection, connection.transaction():
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SELECT set_config('lock_timeout', %s, true)", ("1s",))
            connection.execute("SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)")
            connection.execute("SELECT 1", prepare=True)
        assert said.session_state == []
        assert len(said.prepared) == 1


@pytest.fixture
def pooled(engines: tuple[str, str], pool: Pool | None, tmp_path: Path) -> Iterator[Pool]:
    """Return the run's PgBouncer, or one of the test's own."""
    if pool is not None:
        yield pool
        return
    if binary() is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    with pgbouncer(engines[0], tmp_path / "pgbouncer") as own:
        yield own


def test_the_functions_serve_through_pgbouncer(
    db: Db,
    direct_url: str,
    pooled: Pool,
    plex_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with functions_at(pooled.url(direct_url), monkeypatch):
        do_the_job(plex_url)


def test_a_server_that_dies_behind_pgbouncer_is_out_of_reach_for_one_transaction(
    db: Db, database_url: str, pooled: Pool
) -> None:
    # PgBouncer passes on what the server said last and adds its own: two answers to one command.
    client = Database(SecretStr(pooled.url(database_url)))

    def savepoint_after_death() -> None:
        with client.transaction() as connection:
            terminate(db, connection)
            with client.transaction():
                pytest.fail("it went on")

    def commit_after_death() -> None:
        with client.transaction() as connection:
            terminate(db, connection)

    for fails in (savepoint_after_death, commit_after_death):
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            fails()
        client.ping()
    client.close()


def terminate(db: Db, connection: Db) -> None:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    # With a time to wait for it, which tells whether the process has gone.
    assert db.execute("SELECT pg_terminate_backend(%s, 10000)", row).fetchone() == (True,)


def test_migrations_run_through_pgbouncer(
    engines: tuple[str, str], worker_id: str, pooled: Pool
) -> None:
    name, app = f"test_pooling_{worker_id}", f"test_pooling_app_{worker_id}"
    with engines_of_run.database(engines[0], name, [app]) as direct:
        names = [migration.name for migration in migrations()]
        assert set_up(pooled.url(direct), app) == names
        assert set_up(pooled.url(direct), app) == []


def test_no_client_is_pinned(database_url: str, pooled: Pool) -> None:
    # All hold a transaction at once, so each has a server connection; later ones go round.
    meeting = Barrier(CLIENTS, timeout=20)

    def backends(_: int) -> set[int]:
        client = Database(SecretStr(pooled.url(database_url)))
        found = set()
        for _ in range(4):
            with client.transaction() as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                found.add(row[0])
                meeting.wait()
        client.close()
        return found

    with ThreadPoolExecutor(CLIENTS) as threads:
        each = list(threads.map(backends, range(CLIENTS)))
    assert len(set.union(*each)) <= CLIENTS
    assert max(len(found) for found in each) > 1
