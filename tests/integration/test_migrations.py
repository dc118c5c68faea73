"""The runner, on a real database of each test's own."""

import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.core.errors import AppError
from medianest.migrations.runner import DIRECTORY, MigrationError, migrate, migrations


@pytest.fixture
def empty(engines: tuple[str, str], worker_id: str) -> Iterator[str]:
    """Return the address of a database with nothing in it."""
    url, _ = engines
    name = f"migrations_{worker_id}"
    identifier = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        yield url.rpartition("/")[0] + f"/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def run(url: str, directory: Path = DIRECTORY) -> list[str]:
    database = Database(SecretStr(url))
    try:
        return migrate(database, directory)
    finally:
        database.close()


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        return {row[0] for row in rows}


def test_makes_the_tables_of_the_reference(empty: str) -> None:
    assert run(empty) == [migration.name for migration in migrations()]
    reference = {"users", "media_requests", "sessions", "audit_logs", "system_config"}
    assert reference <= tables(empty)


def test_ships_no_account(empty: str) -> None:
    run(empty)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_does_nothing_the_second_time(empty: str) -> None:
    run(empty)
    assert run(empty) == []


def test_runners_at_once_take_turns(empty: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        applied = pool.map(run, [empty] * 4)
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


def test_an_edited_migration_is_refused(empty: str, tmp_path: Path) -> None:
    run(empty)
    copy = tmp_path / "migrations"
    shutil.copytree(DIRECTORY, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert run(empty, copy) == []
    first = min(copy.glob("*.sql"))
    first.write_text(first.read_text() + "-- edited")
    with pytest.raises(MigrationError, match="was edited after"):
        run(empty, copy)


def test_a_failing_migration_leaves_nothing(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (id int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(empty, tmp_path)
    assert tables(empty) == {"schema_migrations", "good"}
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE whole (id int);")
    assert run(empty, tmp_path) == ["0002_bad"]


def test_a_newer_database_is_left_alone(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE one (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE two (id int);")
    run(empty, tmp_path)
    (tmp_path / "0002_second.sql").unlink()
    assert run(empty, tmp_path) == []


def test_no_database_is_a_clear_error() -> None:
    with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
        run("postgresql://nobody:nothing@127.0.0.1:1/nowhere")
