"""Set rate limits in system_config, as an operator does."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from medianest.rate_limits.policies import POLICIES

type Db = psycopg.Connection[tuple[Any, ...]]


def set_limit(db: Db, policy: str, limit: int, window: int) -> None:
    """Allow `limit` calls of a caller in `window` seconds."""
    _set_limits(db, [policy], limit, window)


def raise_limits(db: Db) -> None:
    """Raise every changeable limit, for tests that are not about limits."""
    _set_limits(db, [each.name for each in POLICIES.values() if not each.fixed], 1000, 1)


def _set_limits(db: Db, policies: Sequence[str], limit: int, window: int) -> None:
    db.execute(
        "INSERT INTO system_config (key, value)"
        " SELECT 'rateLimit.' || policy, %s FROM unnest(%s::text[]) policy"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (Jsonb({"limit": limit, "window": window}), policies),
    )


def default_limits(db: Db) -> None:
    """Restore the default limits."""
    db.execute("DELETE FROM system_config WHERE key LIKE 'rateLimit.%'")
