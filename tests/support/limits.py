"""Set rate limits in system_config, as an operator does."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from medianest.rate_limits.policies import POLICIES

type Db = psycopg.Connection[tuple[Any, ...]]


def set_limit(db: Db, policy: str, limit: int, window: int) -> None:
    """Allow `limit` calls of a caller in `window` seconds."""
    db.execute(
        "INSERT INTO system_config (key, value) VALUES (%s, %s)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"rateLimit.{policy}", Jsonb({"limit": limit, "window": window})),
    )


def raise_limits(db: Db) -> None:
    """Raise every changeable limit, for tests that are not about limits."""
    for policy in POLICIES.values():
        if not policy.fixed:
            set_limit(db, policy.name, 1000, 1)


def default_limits(db: Db) -> None:
    """Restore the default limits."""
    db.execute("DELETE FROM system_config WHERE key LIKE 'rateLimit.%'")
