"""docs/database-schema.md matches the migrations and describes each table."""

from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.migrations.runner import migrate
from tests.support.api import ROOT
from tests.support.clean import EMPTIED, KEPT
from tests.support.engines import database
from tools.docs.database import PAGE, page


@pytest.fixture(scope="module")
def migrated(engines: tuple[str, str], worker_id: str) -> Iterator[str]:
    """Return the address of a migrated database."""
    with database(engines[0], f"test_schema_{worker_id}") as url:
        owner = Database(SecretStr(url))
        try:
            migrate(owner)
        finally:
            owner.close()
        yield url


def test_a_generated_page_equals_its_file(migrated: str) -> None:
    is_current = (ROOT / PAGE).read_text(encoding="utf-8") == page(migrated)
    assert is_current, f"{PAGE} does not follow the migrations: run `make docs`"


def test_every_table_has_a_comment(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        undescribed = connection.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND obj_description(oid, 'pg_class') IS NULL"
        ).fetchall()
    assert undescribed == [], "add a COMMENT ON TABLE to the migration"


def test_every_table_is_emptied_before_each_test(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    assert sorted(name for (name,) in tables) == sorted((*EMPTIED, *KEPT))
