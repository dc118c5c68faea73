"""The SQL of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_one, fetch_row, fetch_value
from medianest.rate_limits.repository import CHARGE, Charged, charge_parameters
from medianest.sessions.models import LiveSession, NewSession, SessionRow, Tombstone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.rate_limits.sliding_window import Bucket
    from medianest.system_config.models import Lifetimes

MAX_LISTED = 100
# `sessions.service.authenticate` caches a session for 60 seconds, and only while `last_seen_at` is
# at most 5 minutes old. The rest is a margin for slow calls.
_MAY_BE_CACHED: LiteralString = "last_seen_at > now() - interval '10 minutes'"
# The database's clock decides whether a session is live, because all environments share it.
# Lifetimes are in seconds, because a calendar day of its time zone may have 23 or 25 hours.
_LIVE = (
    " s.revoked_at IS NULL AND s.expires_at > now() AND s.absolute_expires_at > now()"
    " AND s.last_seen_at > now() - %(idle)s"
)

# The columns of LiveSession, in its order.
_LIVE_SESSION: LiteralString = (
    "SELECT s.id, s.user_id, u.role, s.expires_at,"
    " s.last_seen_at > now() - interval '5 minutes' AS recently_used"
    " FROM sessions s JOIN users u ON u.id = s.user_id"
    " WHERE s.id = %(id)s AND u.status = 'active' AND" + _LIVE
)


def add(
    connection: Connection[Any], user_id: UUID, caller: Caller, lifetimes: Lifetimes
) -> NewSession:
    """Add the session of a sign-in."""
    return fetch_row(
        connection,
        NewSession,
        "INSERT INTO sessions (user_id, expires_at, absolute_expires_at, ip, user_agent)"
        " VALUES (%s, now() + make_interval(secs => %s), now() + make_interval(secs => %s), %s, %s)"
        " RETURNING id, user_id, created_at AS issued_at, expires_at",
        (
            user_id,
            min(lifetimes.token, lifetimes.absolute).total_seconds(),
            lifetimes.absolute.total_seconds(),
            caller.ip,
            caller.user_agent,
        ),
    )


def replace(
    connection: Connection[Any], session_id: UUID, caller: Caller, lifetimes: Lifetimes
) -> NewSession | None:
    """Change the id and the expiry of a live session; return None if it is not live.

    The new expiry is at most the absolute expiry. The previous id no longer exists, so only one of
    several concurrent refreshes succeeds. The caller has locked the user.
    """
    return fetch_one(
        connection,
        NewSession,
        "WITH replaced AS (UPDATE sessions s SET id = gen_random_uuid(), last_seen_at = now(),"
        "  expires_at = least(now() + make_interval(secs => %(token)s), absolute_expires_at),"
        "  ip = %(ip)s, user_agent = %(user_agent)s WHERE s.id = %(id)s AND" + _LIVE + ""
        "  RETURNING id, user_id, now() AS issued_at, expires_at),"
        " ended AS (INSERT INTO session_tombstones (session_id, user_id)"
        "  SELECT %(id)s, user_id FROM replaced)"
        " SELECT id, user_id, issued_at, expires_at FROM replaced",
        {
            "id": session_id,
            "idle": lifetimes.idle,
            "token": lifetimes.token.total_seconds(),
            "ip": caller.ip,
            "user_agent": caller.user_agent,
        },
    )


def live(connection: Connection[Any], session_id: UUID, idle: timedelta) -> LiveSession | None:
    """Return a live session of an active user, or None."""
    return fetch_one(connection, LiveSession, _LIVE_SESSION, {"id": session_id, "idle": idle})


def live_and_charge(
    connection: Connection[Any], user_id: UUID, session_id: UUID, idle: timedelta, bucket: Bucket
) -> tuple[LiveSession, Charged] | None:
    """Return a live session of an active user and charge a call to a bucket; None charges none."""
    row = connection.execute(
        # Materialized, so that only a live session is charged.
        f"WITH live AS MATERIALIZED ({_LIVE_SESSION} AND s.user_id = %(user_id)s)"
        f" SELECT live.*, charged.* FROM live CROSS JOIN LATERAL {CHARGE} AS charged",
        {"id": session_id, "user_id": user_id, "idle": idle, **charge_parameters(bucket)},
    ).fetchone()
    if row is None:
        return None
    columns = len(LiveSession._fields)
    return LiveSession(*row[:columns]), Charged(*row[columns:])


def touch(connection: Connection[Any], session_id: UUID) -> None:
    """Set the time of a session's last use to now."""
    connection.execute("UPDATE sessions SET last_seen_at = now() WHERE id = %s", (session_id,))


def of_user(connection: Connection[Any], user_id: UUID, idle: timedelta) -> list[SessionRow]:
    """Return a user's live sessions, the newest first."""
    return fetch_all(
        connection,
        SessionRow,
        "SELECT s.id, s.created_at, s.last_seen_at, s.expires_at, host(s.ip) AS ip, s.user_agent"
        " FROM sessions s WHERE s.user_id = %(user)s AND"
        + _LIVE
        + " ORDER BY s.created_at DESC, s.id LIMIT %(limit)s",
        {"user": user_id, "idle": idle, "limit": MAX_LISTED},
    )


def count_live(connection: Connection[Any], idle: timedelta) -> int:
    """Return the number of live sessions of active users."""
    count: int = fetch_value(
        connection,
        # An index has the few suspended users, so that not all active ones are joined.
        "SELECT count(*) FROM sessions s WHERE s.user_id NOT IN"
        " (SELECT id FROM users WHERE status = 'suspended') AND" + _LIVE,
        {"idle": idle},
    )
    return count


def revoke(connection: Connection[Any], *, user_id: UUID, session_id: UUID) -> list[UUID]:
    """Revoke a session of a user; return its id in a list, which is empty if none was revoked.

    The user is locked before the session (lock order), because the audit row refers to the user.
    """
    connection.execute("SELECT FROM users WHERE id = %s FOR KEY SHARE", (user_id,))
    rows = connection.execute(
        "WITH ended AS (UPDATE sessions SET revoked_at = now()"
        " WHERE user_id = %s AND id = %s AND revoked_at IS NULL RETURNING id, user_id)"
        " INSERT INTO session_tombstones (session_id, user_id) SELECT id, user_id FROM ended"
        " RETURNING session_id",
        (user_id, session_id),
    )
    return [row[0] for row in rows]


def revoke_all(
    connection: Connection[Any], user_id: UUID, *, except_id: UUID | None = None
) -> tuple[int, list[UUID]]:
    """Revoke all sessions of a user except one; return the number, and the ids possibly cached.

    The lock waits for a refresh in progress, which changes the id of its session.
    """
    connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,))
    rows = connection.execute(
        "WITH ended AS (UPDATE sessions SET revoked_at = now()"
        "  WHERE user_id = %(user)s AND revoked_at IS NULL AND expires_at > now()"
        "  AND (%(except)s::uuid IS NULL OR id <> %(except)s) RETURNING id, user_id, last_seen_at),"
        " pending AS (INSERT INTO session_tombstones (session_id, user_id)"
        f"  SELECT id, user_id FROM ended WHERE {_MAY_BE_CACHED} RETURNING session_id)"
        " SELECT (SELECT count(*) FROM ended), ARRAY(SELECT session_id FROM pending)",
        {"user": user_id, "except": except_id},
    )
    [(count, cached)] = rows.fetchall()
    return count, cached


def delete_all(connection: Connection[Any], user_id: UUID) -> list[UUID]:
    """Delete the sessions of a locked user; return the ids that may be cached."""
    rows = connection.execute(
        "WITH gone AS (DELETE FROM sessions WHERE user_id = %s"
        "  RETURNING id, user_id, revoked_at, last_seen_at)"
        " INSERT INTO session_tombstones (session_id, user_id)"
        f" SELECT id, user_id FROM gone WHERE revoked_at IS NULL AND {_MAY_BE_CACHED}"
        " RETURNING session_id",
        (user_id,),
    )
    return [row[0] for row in rows]


def pending_tombstones(connection: Connection[Any], first: UUID, *, limit: int) -> list[Tombstone]:
    """Return tombstones that the cache may lack, sorted so that the session `first` comes first."""
    return fetch_all(
        connection,
        Tombstone,
        "SELECT session_id, user_id FROM session_tombstones"
        " WHERE created_at > now() - interval '5 minutes'"
        " ORDER BY session_id = %s DESC, user_id LIMIT %s",
        (first, limit),
    )


def delete_tombstones(connection: Connection[Any], session_ids: Sequence[UUID]) -> None:
    """Delete tombstones that the cache has stored, but for those that another call deletes."""
    connection.execute(
        "DELETE FROM session_tombstones WHERE session_id = ANY (ARRAY(SELECT session_id"
        " FROM session_tombstones WHERE session_id = ANY(%s) FOR UPDATE SKIP LOCKED))",
        (list(session_ids),),
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete up to `limit` sessions that expired or were revoked a week ago; return the number.

    Two statements, because each of them can use an index, and an OR of both cannot.
    """
    expired = connection.execute(
        "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM sessions"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit,),
    ).rowcount
    revoked = connection.execute(
        "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM sessions"
        " WHERE revoked_at < now() - interval '7 days'"
        " ORDER BY revoked_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit - expired,),
    ).rowcount
    # A session is cached for a minute at most, so older tombstones are not needed.
    connection.execute(
        "DELETE FROM session_tombstones WHERE session_id = ANY (ARRAY(SELECT session_id"
        " FROM session_tombstones WHERE created_at < now() - interval '5 minutes'"
        " FOR UPDATE SKIP LOCKED))"
    )
    return expired + revoked
