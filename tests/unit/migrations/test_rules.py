"""Migrations do not break the previous release, and their names say when they may run.

All migrations of a deployment run before its code takes traffic, while the previous release still
serves. A `pre` migration adds what this release needs and the previous one ignores. A `post`
migration removes what neither release uses, so it ships one release after the code that stopped
using it.
"""

import re

import pytest

from medianest.migrations.runner import Migration, migrations

# Names contain `pre` or `post` from this number on; applied files keep their names.
FIRST_PRE_OR_POST = 14
NAME = re.compile(r"\d{4}_(pre|post)_[a-z0-9]+(_[a-z0-9]+)*")
# Statements that break the previous release.
BREAKING = re.compile(
    r"DROP\s+(TABLE|COLUMN|VIEW|FUNCTION)|RENAME\s|ALTER\s+COLUMN\s+\S+\s+(TYPE|SET\s+NOT\s+NULL)"
    r"|ADD\s+COLUMN\s+\S+\s+\S+\s+NOT\s+NULL(?!\s+(DEFAULT|GENERATED))"
    # A trigger on TRUNCATE breaks nothing.
    r"|(?<!AFTER )\bTRUNCATE\b",
    re.IGNORECASE,
)
for_each_migration = pytest.mark.parametrize(
    "migration", migrations()[1:], ids=lambda each: each.name
)


@for_each_migration
def test_a_name_contains_pre_or_post(migration: Migration) -> None:
    assert migration.version < FIRST_PRE_OR_POST or NAME.fullmatch(migration.name), (
        f"name it {migration.version:04}_pre_….sql if the previous release works with it,"
        f" {migration.version:04}_post_….sql if it removes what that release no longer uses"
    )


@for_each_migration
def test_the_previous_release_works_with_the_new_schema(migration: Migration) -> None:
    breaking = [match[0] for match in BREAKING.finditer(migration.statements)]
    assert not breaking or "_post_" in migration.name, (
        f"{migration.name} breaks the previous release: {', '.join(breaking)}. Add the new schema"
        " in a pre migration, stop using the old one, and drop that one release later in a post one"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE users",
        "ALTER TABLE users DROP COLUMN email",
        "ALTER TABLE users RENAME COLUMN email TO address",
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN email TYPE citext",
        "ALTER TABLE users ADD COLUMN age integer NOT NULL",
    ],
)
def test_a_statement_that_breaks_the_previous_release_is_detected(statement: str) -> None:
    assert BREAKING.search(statement)


@pytest.mark.parametrize(
    "name", ["0014_comments", "0014_pre", "0014_Pre_x", "14_pre_x", "0014_pre_"]
)
def test_a_name_without_pre_or_post_is_refused(name: str) -> None:
    assert not NAME.fullmatch(name)


def test_the_first_migration_with_pre_or_post_has_the_next_number() -> None:
    names = {migration.version: migration.name for migration in migrations()}
    assert names[FIRST_PRE_OR_POST] == "0014_pre_comments"
