"""The SQL of the sign-in limits, for as long as the cache is down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all, fetch_value
from medianest.core.rate_limit import Share, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection


@dataclass(frozen=True, slots=True)
class Hit:
    """A call that was let through, or the mark of one that was refused."""

    at: float
    refused: bool


def take(connection: Connection[Any], shares: Sequence[Share]) -> tuple[list[Verdict], float]:
    """Charge a call to its shares, unless one refuses; return when that was, too (Unix seconds).

    Exact, since callers of a key take turns.
    """
    # In the order of the locks themselves, so that no two calls wait for each other.
    connection.execute(
        "SELECT pg_advisory_xact_lock(lock) FROM (SELECT hashtextextended(key, 0) AS lock"
        " FROM unnest(%s::text[]) AS key ORDER BY lock) AS locks",
        ([share.key for share in shares],),
    )
    # Not now(), the time before the turn came.
    now: float = fetch_value(connection, "SELECT extract(epoch FROM clock_timestamp())::float8")
    hits = [_hits(connection, share, now) for share in shares]
    logs = [[hit.at for hit in found if not hit.refused] for found in hits]
    marked = [any(hit.refused for hit in found) for found in hits]
    verdicts = judge(shares, logs, marked, now)
    full = any(verdict.refused for verdict in verdicts)
    for share, verdict in zip(shares, verdicts, strict=True):
        if not full or verdict.first:
            _add(connection, share, now, refused=full)
    return verdicts, now


def refund(connection: Connection[Any], shares: Sequence[Share], at: float) -> None:
    """Take a call that was charged at a time out of the counts of its shares."""
    connection.execute(
        "DELETE FROM rate_limit_hits WHERE key = ANY(%s) AND at = to_timestamp(%s) AND NOT refused",
        ([share.key for share in shares], at),
    )


def _hits(connection: Connection[Any], share: Share, now: float) -> list[Hit]:
    return fetch_all(
        connection,
        Hit,
        "SELECT extract(epoch FROM at)::float8 AS at, refused FROM rate_limit_hits"
        " WHERE key = %s AND at > to_timestamp(%s) ORDER BY at",
        (share.key, now - share.policy.window),
    )


def _add(connection: Connection[Any], share: Share, now: float, *, refused: bool) -> None:
    connection.execute(
        "INSERT INTO rate_limit_hits (key, at, expires_at, refused)"
        " VALUES (%(key)s, to_timestamp(%(now)s), to_timestamp(%(now)s + %(window)s), %(refused)s)",
        {"key": share.key, "now": now, "window": share.policy.window, "refused": refused},
    )
