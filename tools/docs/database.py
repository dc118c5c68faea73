"""docs/database-schema.md: the tables as the migrations leave them, read from a database.

The pages of `pages.py` follow from the code alone; this one needs a PostgreSQL. `make docs` starts
the embedded one on an empty folder and stops it again.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row
from pydantic import SecretStr

from local import servers
from medianest.core.db import Database
from medianest.migrations.runner import migrate, migrations

PAGE = "docs/database-schema.md"
_PAGE = """\
# Database schema

Made from a database that the {count} migrations have run on, by `make docs`; do not edit. The migrations are in
`layers/shared/python/medianest/migrations/`; a column's meaning is its `COMMENT` there. A line of the picture leads from the row that is
referred to, to the rows that refer to it.

```mermaid
erDiagram
{picture}
```

{tables}"""  # noqa: E501 - lines of the page are long
_TABLES: LiteralString = """
SELECT relname, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
_COLUMNS: LiteralString = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
    CASE attidentity WHEN '' THEN coalesce(pg_get_expr(adbin, adrelid), '') ELSE 'identity' END
        AS default,
    coalesce(col_description(attrelid, attnum), '') AS meaning, attnum AS number
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# PostgreSQL 18 keeps NOT NULL as constraints ('n'); the columns have that.
_CONSTRAINTS: LiteralString = """
SELECT conname AS name, contype::text AS kind, pg_get_constraintdef(oid) AS definition,
    conkey AS columns,
    CASE confrelid WHEN 0 THEN '' ELSE confrelid::regclass::text END AS parent
FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c', 'f')
ORDER BY array_position(ARRAY['p', 'u', 'f', 'c'], contype::text), conname
"""
_INDEXES: LiteralString = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1
"""
_TRIGGERS: LiteralString = """
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY tgname
"""

# The name and the table of an index stand beside its definition already.
_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX \S+ ON \S+ USING ")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    required: bool
    default: str
    meaning: str
    number: int


@dataclass(frozen=True, slots=True)
class _Constraint:
    name: str
    kind: str
    definition: str
    columns: list[int]
    parent: str


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    meaning: str
    columns: list[_Column]
    constraints: list[_Constraint]
    others: list[tuple[str, str]]

    def key(self, column: _Column) -> str:
        """Return PK, FK and UK as far as a column alone or with others is such a key."""
        kinds = {"p": "PK", "f": "FK", "u": "UK"}
        found = [
            kinds[each.kind]
            for each in self.constraints
            if each.kind in kinds and column.number in each.columns
        ]
        return ", ".join(dict.fromkeys(found))


def write() -> str:
    """Return the page, from an embedded PostgreSQL that runs for as long as this takes."""
    with (
        tempfile.TemporaryDirectory(prefix="medianest-docs-") as folder,
        servers.postgres(Path(folder), durable=False) as server,
    ):
        database = Database(SecretStr(server.url))
        try:
            migrate(database)
        finally:
            database.close()
        return page(server.url)


def page(url: str) -> str:
    """Return the page of a migrated database."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        tables = list(_read(connection))
    return _PAGE.format(
        count=len(migrations()),
        picture="\n".join(_picture(tables)),
        tables="\n\n".join("\n".join(_section(table)) for table in tables) + "\n",
    )


def _read(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[_Table]:
    def typed[R](kind: type[R], query: LiteralString, table: str) -> list[R]:
        with connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(query, (table,)).fetchall()

    for name, meaning in connection.execute(_TABLES).fetchall():
        table = f"public.{name}"
        others = [
            (own, _INDEX.sub(r"\1", definition.replace("public.", "")))
            for query in (_INDEXES, _TRIGGERS)
            for own, definition in connection.execute(query, (table,)).fetchall()
        ]
        columns = typed(_Column, _COLUMNS, table)
        yield _Table(name, meaning, columns, typed(_Constraint, _CONSTRAINTS, table), others)


def _short(kind: str) -> str:
    return kind.replace("timestamp with time zone", "timestamptz")


def _picture(tables: list[_Table]) -> Iterator[str]:
    for table in tables:
        yield f"    {table.name} {{"
        for column in table.columns:
            kind = re.sub(r"\W+", "_", _short(column.type))
            yield f"        {kind} {column.name} {table.key(column)}".rstrip()
        yield "    }"
    for table in tables:
        by_number = {column.number: column for column in table.columns}
        for each in table.constraints:
            if each.kind == "f":
                columns = [by_number[number] for number in each.columns]
                parent = "||" if all(column.required for column in columns) else "|o"
                names = ", ".join(column.name for column in columns)
                yield f'    {each.parent} {parent}--o{{ {table.name} : "{names}"'


def _section(table: _Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    if table.meaning:
        yield table.meaning
        yield ""
    yield "| Column | Type | Null | Default | Key | Meaning |"
    yield "|---|---|---|---|---|---|"
    for column in table.columns:
        default = f"`{column.default}`" if column.default else ""
        yield (
            f"| `{column.name}` | {_short(column.type)} | {'no' if column.required else 'yes'} |"
            f" {default} | {table.key(column)} | {column.meaning} |"
        )
    yield ""
    for each in table.constraints:
        yield f"- `{each.name}`: `{each.definition}`"
    for name, definition in table.others:
        yield f"- `{name}`: `{definition}`"
