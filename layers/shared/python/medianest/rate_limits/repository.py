"""The SQL of rate limits that are counted in the database: without a cache, or while it is down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from medianest.core.db import fetch_all, fetch_value
from medianest.rate_limits.sliding_window import Bucket, LimitResult, evaluate

if TYPE_CHECKING:
    from psycopg import Connection


# Charges a call (migration 0030) in a statement of the caller; its columns are those of Charged.
# A statement that is sent again on a new connection charges a second call.
CHARGE: LiteralString = "charge_call(%(limit_key)s, %(call_limit)s, %(window_seconds)s)"


class Charged(NamedTuple):
    """A bucket at the time of a call, which `CHARGE` has added unless the bucket was full."""

    at: float
    calls: Sequence[float]
    marked: bool


class Hit(NamedTuple):
    """An accepted call, or the mark of a refused one."""

    at: float
    refused: bool


def hit(connection: Connection[Any], buckets: Sequence[Bucket]) -> tuple[list[LimitResult], float]:
    """Charge a call to its buckets, unless one refuses; also return its time (Unix seconds).

    Advisory locks serialise the calls of a key, so the count is exact.
    """
    # Acquire the locks in order, to prevent deadlocks.
    connection.execute(
        "SELECT pg_advisory_xact_lock(lock) FROM (SELECT hashtextextended(key, 0) AS lock"
        " FROM unnest(%s::text[]) AS key ORDER BY lock) AS locks",
        ([bucket.key for bucket in buckets],),
    )
    # Not now(), which is the time before the wait for the locks.
    now: float = fetch_value(connection, "SELECT extract(epoch FROM clock_timestamp())::float8")
    hits = [_hits(connection, bucket, now) for bucket in buckets]
    logs = [[hit.at for hit in bucket_hits if not hit.refused] for bucket_hits in hits]
    marked = [any(hit.refused for hit in bucket_hits) for bucket_hits in hits]
    results = evaluate(buckets, logs, marked, now)
    full = any(result.refused for result in results)
    for bucket, result in zip(buckets, results, strict=True):
        if not full or result.first:
            _add(connection, bucket, now, refused=full)
    return results, now


def charge_parameters(bucket: Bucket) -> dict[str, Any]:
    """Return the parameters of `CHARGE`."""
    return {
        "limit_key": bucket.key,
        "call_limit": bucket.policy.limit,
        "window_seconds": bucket.policy.window,
    }


def refund(connection: Connection[Any], buckets: Sequence[Bucket], at: float) -> None:
    """Remove the call that was charged at the time `at` from its buckets."""
    connection.execute(
        "DELETE FROM rate_limit_hits WHERE key = ANY(%s) AND at = to_timestamp(%s) AND NOT refused",
        ([bucket.key for bucket in buckets], at),
    )


def _hits(connection: Connection[Any], bucket: Bucket, now: float) -> list[Hit]:
    return fetch_all(
        connection,
        Hit,
        "SELECT extract(epoch FROM at)::float8 AS at, refused FROM rate_limit_hits"
        " WHERE key = %s AND at > to_timestamp(%s) ORDER BY at",
        (bucket.key, now - bucket.policy.window),
    )


def _add(connection: Connection[Any], bucket: Bucket, now: float, *, refused: bool) -> None:
    connection.execute(
        "INSERT INTO rate_limit_hits (key, at, expires_at, refused)"
        " VALUES (%(key)s, to_timestamp(%(now)s), to_timestamp(%(now)s + %(window)s), %(refused)s)",
        {"key": bucket.key, "now": now, "window": bucket.policy.window, "refused": refused},
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete up to `limit` hits whose window has passed; return the number."""
    return connection.execute(
        "DELETE FROM rate_limit_hits WHERE ctid = ANY (ARRAY(SELECT ctid FROM rate_limit_hits"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit,),
    ).rowcount
