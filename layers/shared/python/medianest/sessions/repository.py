"""The SQL of sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.core.caller import Caller, Role
from medianest.core.db import fetch_one

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that holds now, with its user's present role."""

    id: UUID
    user_id: UUID
    role: Role
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made, with the database's own times."""

    id: UUID
    created_at: datetime
    expires_at: datetime


def add(
    connection: Connection[Any], user_id: UUID, caller: Caller, lifetime: timedelta
) -> NewSession:
    """Add a session."""
    session = fetch_one(
        connection,
        NewSession,
        "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
        " VALUES (%s, now() + %s, %s, %s) RETURNING id, created_at, expires_at",
        (user_id, lifetime, caller.ip, caller.user_agent),
    )
    if session is None:
        raise RuntimeError("INSERT … RETURNING gave no row")
    return session


def live(connection: Connection[Any], session_id: UUID) -> LiveSession | None:
    """Return a session that is neither expired nor revoked and whose user is active."""
    return fetch_one(
        connection,
        LiveSession,
        "SELECT s.id, s.user_id, u.role, s.expires_at"
        " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = %s"
        " AND s.revoked_at IS NULL AND s.expires_at > now() AND u.status = 'active'",
        (session_id,),
    )


def revoke(connection: Connection[Any], *, user_id: UUID, session_id: UUID | None) -> int:
    """Revoke one session of a user, or with None all of them; return how many were live."""
    return connection.execute(
        "UPDATE sessions SET revoked_at = now() WHERE user_id = %(user)s AND revoked_at IS NULL"
        " AND (%(session)s::uuid IS NULL OR id = %(session)s)",
        {"user": user_id, "session": session_id},
    ).rowcount
