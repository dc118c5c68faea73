"""The SQL of run-time settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all
from medianest.settings.models import ConfigRow

if TYPE_CHECKING:
    from psycopg import Connection


def rows(connection: Connection[Any]) -> list[ConfigRow]:
    """Return every row."""
    return fetch_all(connection, ConfigRow, "SELECT key, value FROM system_config ORDER BY key")
