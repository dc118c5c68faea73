"""Servers: list them."""

from __future__ import annotations

from medianest.core.db import database
from medianest.servers import repository
from medianest.servers.models import Server


def every() -> list[Server]:
    """Return every server, sorted by name."""
    return database().read(repository.every)
