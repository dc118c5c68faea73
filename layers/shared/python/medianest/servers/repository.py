"""The SQL of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all
from medianest.servers.models import Server

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = (
    "id, kind, name, base_url, secret_hint, is_default, enabled, options, inventory, inventory_at,"
    " state, state_at, failures, open_until, last_error, created_at, updated_at"
)


def every(connection: Connection[Any]) -> list[Server]:
    """Return every server, sorted by name."""
    return fetch_all(
        connection, Server, f"SELECT {_COLUMNS} FROM download_servers ORDER BY lower(name), id"
    )
