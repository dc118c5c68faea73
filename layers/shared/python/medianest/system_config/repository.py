"""The SQL of run-time settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all, fetch_row
from medianest.system_config.models import ConfigRow

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

_COLUMNS = "key, value, updated_at, updated_by"
_NAME = "(SELECT username FROM users WHERE users.id = updated_by) AS updated_by_name"


def rows(connection: Connection[Any]) -> list[ConfigRow]:
    """Return every row."""
    return fetch_all(connection, ConfigRow, f"SELECT {_COLUMNS} FROM system_config ORDER BY key")


def named_rows(connection: Connection[Any]) -> list[ConfigRow]:
    """Return every row with the name of the admin who changed it last."""
    return fetch_all(
        connection, ConfigRow, f"SELECT {_COLUMNS}, {_NAME} FROM system_config ORDER BY key"
    )


def lock(connection: Connection[Any]) -> None:
    """Block other writers until the transaction ends; a row lock cannot cover missing rows."""
    connection.execute("LOCK TABLE system_config IN SHARE ROW EXCLUSIVE MODE")


def put(
    connection: Connection[Any], key: str, value: dict[str, Any], updated_by: UUID
) -> ConfigRow:
    """Insert or update a value.

    `updated_at` is clock_timestamp(), because now() is the start of the transaction, before it
    waited for the lock.
    """
    return fetch_row(
        connection,
        ConfigRow,
        f"INSERT INTO system_config ({_COLUMNS}) VALUES (%s, %s, clock_timestamp(), %s)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by"
        f" RETURNING {_COLUMNS}, {_NAME}",
        (key, json.dumps(value), updated_by),
    )
