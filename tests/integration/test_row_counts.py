"""The numbers of rows that triggers keep are exact, whatever writes and in what order."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import DeadlockDetected, ForeignKeyViolation
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.core.environment import environment as core_environment
from medianest.migrations.runner import DIRECTORY, migrate, run
from tests.support.engines import database
from tests.support.row_counts import wrong_counts

type Db = psycopg.Connection[tuple[Any, ...]]

WRITERS = 6
ROUNDS = 10
ADD_REQUESTS: LiteralString = (
    "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, requested_at)"
    " SELECT md5('u' || %(user)s)::uuid, (ARRAY['movie', 'tv'])[1 + n %% 2], 1 + n, 'Title ' || n,"
    " now() - n * interval '11 hours' FROM generate_series(1, %(rows)s) AS n"
)
APPROVE: LiteralString = (
    "UPDATE media_requests SET status = 'approved', processed_at = now(),"
    " processed_by = md5('u0')::uuid WHERE id = ANY (ARRAY(SELECT id FROM media_requests"
    " WHERE status = 'pending' ORDER BY id LIMIT %(rows)s FOR UPDATE SKIP LOCKED))"
)
COMMENT: LiteralString = (
    "UPDATE media_requests SET comment = 'changes no number' WHERE id = ANY (ARRAY(SELECT id"
    " FROM media_requests ORDER BY id LIMIT %(rows)s FOR UPDATE SKIP LOCKED))"
)
CANCEL: LiteralString = (
    "DELETE FROM media_requests WHERE id = ANY (ARRAY(SELECT id FROM media_requests"
    " ORDER BY id DESC LIMIT %(rows)s FOR UPDATE SKIP LOCKED))"
)
AUDIT: LiteralString = (
    "INSERT INTO audit_logs (user_id, action, request_id, ip, user_agent, created_at)"
    " SELECT md5('u' || %(user)s)::uuid, (ARRAY['auth.sign_in', 'user.changed'])[1 + n %% 2],"
    " 'r', '203.0.113.7', 'tests', now() - n * interval '11 hours'"
    " FROM generate_series(1, %(rows)s) AS n"
)
CLEAN_UP: LiteralString = (
    "DELETE FROM audit_logs WHERE id = ANY (ARRAY(SELECT id FROM audit_logs"
    " ORDER BY created_at LIMIT %(rows)s FOR UPDATE SKIP LOCKED))"
)
ADD_USER: LiteralString = (
    "INSERT INTO users (id, plex_id, email, username) SELECT md5('u' || %(user)s)::uuid, %(user)s,"
    " 'a@example.com', 'a' ON CONFLICT DO NOTHING"
)
CHANGE_ROLE: LiteralString = (
    "UPDATE users SET role = CASE role WHEN 'user' THEN 'admin' ELSE 'user' END"
    " WHERE id = md5('u' || %(user)s)::uuid"
)
# The requests of a user go too, and the audit rows stay.
DELETE_USER: LiteralString = "DELETE FROM users WHERE id = md5('u' || %(user)s)::uuid"
WRITES = (
    *(ADD_USER, CHANGE_ROLE, ADD_REQUESTS, ADD_REQUESTS, APPROVE, COMMENT, CANCEL),
    *(AUDIT, CLEAN_UP, DELETE_USER),
)


@pytest.fixture
def url(engines: tuple[str, str], worker_id: str) -> Iterator[str]:
    """Return the URL of a database of its own, migrated up to the release before row counts."""
    with database(engines[0], f"test_counts_{worker_id}") as url:
        yield url


def migrate_all(url: str, directory: Path = DIRECTORY) -> None:
    own = Database(SecretStr(url))
    try:
        migrate(own, directory)
    finally:
        own.close()


def write(url: str, seed: int, stop: threading.Event) -> int:
    """Run random writes in random transactions; return the number of committed ones."""
    random = Random(seed)
    committed = 0
    with psycopg.connect(url) as connection:
        connection.execute("SET lock_timeout = 0; SET statement_timeout = '20s'")
        connection.commit()
        for _ in range(ROUNDS):
            if stop.is_set():
                break
            try:
                for _ in range(random.randint(1, 4)):
                    values = {"user": random.randint(0, 5), "rows": random.randint(1, 20)}
                    connection.execute(random.choice(WRITES), values)
            except (DeadlockDetected, ForeignKeyViolation):  # of these writes among themselves
                connection.rollback()
                continue
            if random.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()
                committed += 1
    return committed


@contextmanager
def writers(url: str) -> Iterator[Callable[[], int]]:
    """Run the writers beside a block, which gets a function that waits for them."""
    stop = threading.Event()
    with ThreadPoolExecutor(WRITERS) as pool:
        runs = [pool.submit(write, url, seed, stop) for seed in range(WRITERS)]

        def committed() -> int:
            return sum(run.result(60) for run in runs)

        try:
            yield committed
        finally:
            stop.set()


def test_counts_are_exact_in_every_snapshot_while_writers_race(url: str) -> None:
    migrate_all(url)
    with psycopg.connect(url, autocommit=True) as connection:
        checks = 0
        with writers(url) as committed, ThreadPoolExecutor(1) as waiter:
            done = waiter.submit(committed)
            while not done.done():
                assert wrong_counts(connection) == []
                checks += 1
                if checks % 5 == 2:
                    # On a busy machine the lock may come too late, and a later call gets it.
                    with suppress(psycopg.errors.LockNotAvailable):
                        connection.execute("SELECT place_title_marks(5)")
                if checks % 5 == 0:
                    assert connection.execute("SELECT repair_row_counts()").fetchone() == (0,)
        assert done.result() > WRITERS
        assert checks > 5
        # The writers may have left too few titles, or the lock may never have come in time.
        connection.execute(ADD_USER, {"user": 6})
        connection.execute(ADD_REQUESTS, {"user": 6, "rows": 30})
        connection.execute("SELECT place_title_marks(5)")
        assert connection.execute("SELECT count(*) > 1 FROM title_marks").fetchone() == (True,)
        assert wrong_counts(connection) == []
        connection.execute("SELECT repair_row_counts()")
        rows_per_key = connection.execute(
            "SELECT count(*) FROM row_counts GROUP BY source, day, mark, facet, subfacet"
        ).fetchall()
        assert set(rows_per_key) == {(1,)}


def test_migration_counts_the_rows_that_exist_while_writers_race(url: str, tmp_path: Path) -> None:
    for path in DIRECTORY.glob("*.sql"):
        if path.name < "0015":
            shutil.copy(path, tmp_path)
    migrate_all(url, tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ADD_USER, {"user": 0})
        connection.execute(ADD_REQUESTS, {"user": 0, "rows": 3000})
        with writers(url) as committed:
            migrate_all(url)
            assert wrong_counts(connection) == []
            assert committed() > WRITERS
        assert wrong_counts(connection) == []


def test_writers_of_one_key_do_not_wait_for_each_other(url: str) -> None:
    migrate_all(url)
    values = {"user": 0, "rows": 1}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ADD_USER, values)
        connection.execute(ADD_REQUESTS, values)
        with psycopg.connect(url) as first, psycopg.connect(url) as second:
            first.execute(ADD_REQUESTS, values)
            second.execute("SET LOCAL lock_timeout = '50ms'")
            second.execute(ADD_REQUESTS, values)
            second.commit()
            assert wrong_counts(connection) == []
        assert wrong_counts(connection) == []


def test_deleting_a_user_and_truncating_tables_are_counted(url: str) -> None:
    migrate_all(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for user in (0, 1):
            for statement in (ADD_USER, ADD_REQUESTS, AUDIT):
                connection.execute(statement, {"user": user, "rows": 30})
        connection.execute("DELETE FROM users WHERE id = md5('u1')::uuid")
        assert wrong_counts(connection) == []
        assert connection.execute(
            "SELECT source, sum(n)::int FROM row_counts GROUP BY source ORDER BY source"
        ).fetchall() == [("audit_logs", 60), ("media_requests", 30), ("titles", 30), ("users", 1)]
        connection.execute("TRUNCATE users CASCADE")
        assert wrong_counts(connection) == []
        assert connection.execute("SELECT sum(n) FROM row_counts").fetchone() == (None,)


def test_each_deployment_repairs_the_counts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate_all(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # as a restore may do
        connection.execute(ADD_USER, {"user": 0})
        connection.execute(ADD_REQUESTS, {"user": 0, "rows": 30})
        connection.execute("RESET session_replication_role")
        assert wrong_counts(connection) != []
        monkeypatch.setattr(
            "medianest.migrations.runner.environment",
            lambda: type(
                "Environment", (), {"database_url": SecretStr(url), "app_database_url": None}
            ),
        )
        try:
            assert run(seconds=30) == []
        finally:
            monkeypatch.undo()
            core_environment.cache_clear()
        assert wrong_counts(connection) == []
