"""The SQL of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all, fetch_one, fetch_row, fetch_value
from medianest.sessions.models import LiveSession, NewSession, OwnSession
from medianest.users.repository import LATELY_SEEN

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.settings.models import Lifetimes

MAX_LISTED = 100
# Lifetimes go as seconds: a day more or less in the calendar of the database's time zone may have
# 23 or 25 hours. A session counts as live by the database's clock, which all environments share.
_LIVE = (
    " s.revoked_at IS NULL AND s.expires_at > now() AND s.absolute_expires_at > now()"
    " AND s.last_seen_at > now() - %(idle)s"
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
        " RETURNING id, user_id, created_at, expires_at",
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
    """Revoke a live session and add its successor, which ends with it at the latest.

    One statement, so of all who try at once exactly one gets a successor; None for the others.
    The user is locked before the session, as by who ends all of a user's: they wait in no circle.
    """
    connection.execute(
        "SELECT FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = %s) FOR KEY SHARE",
        (session_id,),
    )
    return fetch_one(
        connection,
        NewSession,
        "WITH old AS (UPDATE sessions s SET revoked_at = now()"
        " WHERE s.id = %(id)s AND" + _LIVE + " RETURNING s.user_id, s.absolute_expires_at)"
        " INSERT INTO sessions (user_id, expires_at, absolute_expires_at, ip, user_agent)"
        " SELECT user_id, least(now() + make_interval(secs => %(token)s), absolute_expires_at),"
        " absolute_expires_at, %(ip)s, %(user_agent)s FROM old"
        " RETURNING id, user_id, created_at, expires_at",
        {
            "id": session_id,
            "idle": lifetimes.idle,
            "token": lifetimes.token.total_seconds(),
            "ip": caller.ip,
            "user_agent": caller.user_agent,
        },
    )


def live(connection: Connection[Any], session_id: UUID, idle: timedelta) -> LiveSession | None:
    """Return a session that holds now and whose user is active."""
    return fetch_one(
        connection,
        LiveSession,
        "SELECT s.id, s.user_id, u.role, s.expires_at,"
        " s.last_seen_at > now() - interval '5 minutes' AS seen"
        " FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.id = %(id)s AND u.status = 'active' AND" + _LIVE,
        {"id": session_id, "idle": idle},
    )


def see(connection: Connection[Any], session_id: UUID) -> None:
    """Note that a session is in use."""
    connection.execute("UPDATE sessions SET last_seen_at = now() WHERE id = %s", (session_id,))


def of_user(connection: Connection[Any], user_id: UUID, idle: timedelta) -> list[OwnSession]:
    """Return a user's live sessions, the newest first."""
    return fetch_all(
        connection,
        OwnSession,
        "SELECT s.id, s.created_at, s.last_seen_at, s.expires_at, host(s.ip) AS ip, s.user_agent"
        " FROM sessions s WHERE s.user_id = %(user)s AND"
        + _LIVE
        + " ORDER BY s.created_at DESC, s.id LIMIT %(limit)s",
        {"user": user_id, "idle": idle, "limit": MAX_LISTED},
    )


def count_live(connection: Connection[Any], idle: timedelta) -> int:
    """Return how many sessions hold now, of users who are active."""
    count: int = fetch_value(
        connection,
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE u.status = 'active' AND" + _LIVE,
        {"idle": idle},
    )
    return count


def revoke(connection: Connection[Any], *, user_id: UUID, session_id: UUID) -> list[UUID]:
    """Revoke one session of a user; return its id, or nothing when it was none or revoked.

    The user is locked before the session, as by `replace`; the audit row refers to them later on.
    """
    connection.execute("SELECT FROM users WHERE id = %s FOR KEY SHARE", (user_id,))
    rows = connection.execute(
        "UPDATE sessions SET revoked_at = now()"
        " WHERE user_id = %s AND id = %s AND revoked_at IS NULL RETURNING id",
        (user_id, session_id),
    )
    return [row[0] for row in rows]


def revoke_all(connection: Connection[Any], user_id: UUID, *, except_id: UUID | None = None) -> int:
    """Revoke all sessions of a user but one; return how many that were.

    The lock lets a refresh that is under way finish first: its new session refers to the user,
    and would otherwise be there only after this statement had looked.
    """
    connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,))
    ended = connection.execute(
        "UPDATE sessions SET revoked_at = now() WHERE user_id = %(user)s AND revoked_at IS NULL"
        " AND expires_at > now() AND (%(except)s::uuid IS NULL OR id <> %(except)s)",
        {"user": user_id, "except": except_id},
    )
    return ended.rowcount


def lately_seen(connection: Connection[Any], user_id: UUID) -> list[UUID]:
    """Return the sessions of a user that the cache may hold, ended or not."""
    rows = connection.execute(
        "SELECT id FROM sessions WHERE user_id = %s AND " + LATELY_SEEN, (user_id,)
    )
    return [row[0] for row in rows]
