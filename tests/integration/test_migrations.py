"""The migration runner on a real database; each test gets an empty one."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.core.errors import AppError
from medianest.core.text import fold
from medianest.migrations import runner
from medianest.migrations.runner import (
    DIRECTORY,
    MigrationError,
    migrate,
    migrations,
)
from medianest.users import repository as users_repository
from medianest.users.schemas import UserQuery
from tests.support import forked
from tests.support.concurrency import waits_for_lock
from tests.support.engines import database
from tests.support.local import eventually


@pytest.fixture
def empty(engines: tuple[str, str], worker_id: str) -> Iterator[str]:
    """Return the URL of an empty database."""
    name, role = f"test_migrations_{worker_id}", f"test_plain_{worker_id}"
    with database(engines[0], name, [role]) as url:
        yield url


def run_migrations(url: str, directory: Path = DIRECTORY) -> list[str]:
    database = Database(SecretStr(url))
    try:
        return migrate(database, directory)
    finally:
        database.close()


def table_names(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        return {row[0] for row in rows}


def test_migrations_create_the_tables_of_the_reference(empty: str) -> None:
    assert run_migrations(empty) == [migration.name for migration in migrations()]
    reference = {"users", "media_requests", "sessions", "audit_logs", "system_config"}
    assert reference <= table_names(empty)


def test_migrated_database_contains_no_account(empty: str) -> None:
    run_migrations(empty)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_second_run_applies_nothing(empty: str) -> None:
    run_migrations(empty)
    assert run_migrations(empty) == []


def test_concurrent_runners_apply_each_migration_once(empty: str) -> None:
    with forked.CONTEXT.Pool(4) as pool:
        applied = pool.map(run_migrations, [empty] * 4)
    # A lock serializes the runners: each may apply some migrations, and each migration runs once.
    names = sorted(name for each in applied for name in each)
    assert names == [migration.name for migration in migrations()]


def test_every_timestamp_column_has_a_time_zone(empty: str) -> None:
    run_migrations(empty)
    with psycopg.connect(empty) as connection:
        zoneless = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type ~ '(timestamp|time) without'"
        ).fetchall()
    assert zoneless == []


def test_edited_migration_is_refused(empty: str, tmp_path: Path) -> None:
    run_migrations(empty)
    copy = tmp_path / "migrations"
    shutil.copytree(DIRECTORY, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert run_migrations(empty, copy) == []
    first = min(copy.glob("*.sql"))
    first.write_text(first.read_text() + "-- edited")
    with pytest.raises(MigrationError, match="was edited after"):
        run_migrations(empty, copy)


def test_failing_migration_is_rolled_back(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (id int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"^0002_bad failed: division by zero$"):
        run_migrations(empty, tmp_path)
    assert table_names(empty) == {"schema_migrations", "good"}
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE whole (id int);")
    assert run_migrations(empty, tmp_path) == ["0002_bad"]


def test_migration_that_waits_for_a_lock_lets_calls_pass(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls queue behind a migration that waits for a dump, and give up after a second."""
    monkeypatch.setattr(runner, "_LOCK_WAITS", (0.2,))
    monkeypatch.setattr(runner, "PAUSE_SECONDS", 0.05)
    (tmp_path / "0001_table.sql").write_text("CREATE TABLE busy (id int);")
    run_migrations(empty, tmp_path)
    (tmp_path / "0002_column.sql").write_text("ALTER TABLE busy ADD COLUMN name text;")
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(empty) as dump,
        psycopg.connect(empty, autocommit=True) as caller,
    ):
        dump.execute("SELECT FROM busy")
        late = Database(SecretStr(empty))
        with pytest.raises(MigrationError, match="another transaction keeps a table locked"):
            migrate(late, tmp_path, deadline=time.monotonic() + 0.1)
        late.close()
        migrating = pool.submit(run_migrations, empty, tmp_path)
        try:
            eventually(lambda: waits_for_lock(caller))
            caller.execute("SET lock_timeout = '1s'")
            caller.execute("SELECT FROM busy")
        finally:
            dump.rollback()
        assert migrating.result(10) == ["0002_column"]


def test_database_newer_than_the_code_is_not_changed(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE one (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE two (id int);")
    run_migrations(empty, tmp_path)
    (tmp_path / "0002_second.sql").unlink()
    assert run_migrations(empty, tmp_path) == []


def test_unreachable_database_is_reported() -> None:
    with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
        run_migrations("postgresql://user:password@127.0.0.1:1/unreachable")


PREVIOUS_RELEASE_ACCOUNTS = [
    # E-mail address, user name, whether the account is local.
    ("Ju\u0308rgen@example.com", "Ju\u0308rgen", True),
    ("strasse@example.com", "Straße", True),
    ("istanbul@example.com", "\u0130stanbul", True),
    ("bob@example.com", "Bob\u00a0Smith", False),
    ("BOB@example.com", "bob smith", False),
]


@pytest.fixture
def before_folded_names(empty: str, tmp_path: Path) -> str:
    """Return the URL of a database at the schema before migration 0009."""
    for path in DIRECTORY.glob("000[1-8]_*.sql"):
        shutil.copy(path, tmp_path)
    run_migrations(empty, tmp_path)
    return empty


def add_users(url: str, names: list[tuple[str, str, bool]]) -> None:
    with psycopg.connect(url) as connection:
        for number, (email, username, is_local) in enumerate(names, 1):
            connection.execute(
                "INSERT INTO users (plex_id, email, username, password_hash)"
                " VALUES (%s, %s, %s, %s)",
                (None if is_local else number, email, username, "hash" if is_local else None),
            )


def test_migration_0009_folds_the_existing_names(before_folded_names: str) -> None:
    add_users(before_folded_names, PREVIOUS_RELEASE_ACCOUNTS)
    assert "0009_folded_names" in run_migrations(before_folded_names)
    with psycopg.connect(before_folded_names) as connection:
        keys = connection.execute("SELECT username, email_key, username_key FROM users").fetchall()
        assert {row[0]: row[1:] for row in keys} == {
            username: (fold(email), fold(username))
            for email, username, _ in PREVIOUS_RELEASE_ACCOUNTS
        }
        for typed in (" J\u00dcRGEN ", "STRASSE", "i\u0307stanbul"):
            assert users_repository.find_local_account(connection, typed) is not None, typed
        assert users_repository.find_local_account(connection, "bob smith") is None


def test_rows_that_the_previous_release_writes_get_folded_names(before_folded_names: str) -> None:
    run_migrations(before_folded_names)
    add_users(before_folded_names, PREVIOUS_RELEASE_ACCOUNTS)
    with psycopg.connect(before_folded_names) as connection:
        assert users_repository.find_local_account(connection, "jürgen") is not None
        found, _ = users_repository.page(connection, UserQuery(search="bob"))
        assert len(found) == 2


@pytest.mark.parametrize(
    ("duplicates", "column"),
    [
        ([("a@x.example", "Straße", True), ("b@x.example", "STRASSE", True)], "user name"),
        ([("é@x.example", "a", True), ("e\u0301@x.example", "b", True)], "e-mail address"),
    ],
)
def test_accounts_with_equal_folded_names_stop_the_migration(
    before_folded_names: str, duplicates: list[tuple[str, str, bool]], column: str
) -> None:
    add_users(before_folded_names, duplicates)
    with pytest.raises(MigrationError, match=f"have the same {column}") as caught:
        run_migrations(before_folded_names)
    assert all(repr(each[column == "user name"]) in str(caught.value) for each in duplicates)
    with psycopg.connect(before_folded_names) as connection:
        columns = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'users'"
        ).fetchall()
        assert ("email_key",) not in columns
        connection.execute("DELETE FROM users WHERE email = %s", (duplicates[0][0],))
    assert "0009_folded_names" in run_migrations(before_folded_names)


SEARCH_INDEXES = {"users_name_search", "users_email_search", "users_search"}


def search_indexes(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'users'")
        return {row[0] for row in rows} & SEARCH_INDEXES


def test_search_indexes_exist(empty: str) -> None:
    run_migrations(empty)
    assert search_indexes(empty) == SEARCH_INDEXES


def test_extension_may_exist_in_another_schema(empty: str) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE SCHEMA elsewhere")
        connection.execute("CREATE EXTENSION pg_trgm SCHEMA elsewhere")
    run_migrations(empty)
    assert search_indexes(empty) == SEARCH_INDEXES


@pytest.fixture
def without_extensions(empty: str, worker_id: str) -> str:
    """Return the URL of a database for a role that may create tables but no extension."""
    role = f"test_plain_{worker_id}"
    identifier = sql.Identifier(role)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'plain'").format(identifier))
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(identifier))
    return make_conninfo(empty, user=role, password="plain")


def test_conflict_with_the_extension_stops_the_migration(empty: str) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE FUNCTION similarity(text, text) RETURNS int RETURN 1")
    with pytest.raises(MigrationError, match="already exists"):
        run_migrations(empty)
    with psycopg.connect(empty) as connection:
        connection.execute("DROP FUNCTION similarity")
    assert "0007_user_search" in run_migrations(empty)
    assert search_indexes(empty) == SEARCH_INDEXES


def test_search_works_without_the_extension(without_extensions: str) -> None:
    assert run_migrations(without_extensions) == [migration.name for migration in migrations()]
    assert search_indexes(without_extensions) == set()
    with psycopg.connect(without_extensions) as connection:
        for name in ("ann", "bob"):
            connection.execute(
                "INSERT INTO users (plex_id, email, username) VALUES (%s, %s, %s)",
                (ord(name[0]), f"{name}@example.com", name),
            )
        found, total = users_repository.page(connection, UserQuery(search="NN@ex"))
        assert ([user.username for user in found], total) == (["ann"], 1)
