"""The SQL of cleanup: batches of rows that concurrent runs skip, never one unbounded DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

    from psycopg import Connection

BATCH = 500


def delete_sessions(connection: Connection[Any]) -> int:
    """Delete sessions that have expired, and those revoked for a week; no row means no session.

    One after the other, since each has an index, and an OR of the two has none.
    """
    expired = connection.execute(
        "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM sessions"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (BATCH,),
    ).rowcount
    revoked = connection.execute(
        "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM sessions"
        " WHERE revoked_at < now() - interval '7 days'"
        " ORDER BY revoked_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (BATCH - expired,),
    ).rowcount
    # The cache holds no session for as long as this.
    connection.execute(
        "DELETE FROM session_tombstones WHERE created_at < now() - interval '5 minutes'"
    )
    return expired + revoked


def delete_signin_handles(connection: Connection[Any]) -> int:
    """Delete sign-in handles that have expired, and networks that were not used for half a year."""
    handles = connection.execute(
        "DELETE FROM signin_handles WHERE ctid = ANY (ARRAY(SELECT ctid FROM signin_handles"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (BATCH,),
    ).rowcount
    networks = connection.execute(
        "DELETE FROM signin_networks WHERE ctid = ANY (ARRAY(SELECT ctid FROM signin_networks"
        " WHERE last_at < now() - interval '180 days' ORDER BY last_at LIMIT %s"
        " FOR UPDATE SKIP LOCKED))",
        (BATCH - handles,),
    ).rowcount
    return handles + networks


def delete_idempotency_keys(connection: Connection[Any]) -> int:
    """Delete idempotency keys past their 24 hours."""
    return connection.execute(
        "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys"
        " WHERE created_at < now() - interval '24 hours'"
        " ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (BATCH,),
    ).rowcount


def delete_rate_limit_hits(connection: Connection[Any]) -> int:
    """Delete hits of rate limits whose window is over."""
    return connection.execute(
        "DELETE FROM rate_limit_hits WHERE ctid = ANY (ARRAY(SELECT ctid FROM rate_limit_hits"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (BATCH,),
    ).rowcount


def delete_audit_logs(connection: Connection[Any], retention: timedelta) -> int:
    """Delete audit rows past their retention."""
    return connection.execute(
        "DELETE FROM audit_logs WHERE id = ANY (ARRAY(SELECT id FROM audit_logs"
        " WHERE created_at < now() - %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (retention, BATCH),
    ).rowcount
