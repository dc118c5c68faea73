"""Rows of `sessions` and of `session_tombstones`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from medianest.users.models import Role


class LiveSession(NamedTuple):
    """A live session with the current role of its user.

    `recently_used` means that `last_seen_at` is at most 5 minutes old.
    """

    id: UUID
    user_id: UUID
    role: Role
    expires_at: datetime
    recently_used: bool


class NewSession(NamedTuple):
    """A session whose token is to be signed, with times of the database's clock."""

    id: UUID
    user_id: UUID
    issued_at: datetime
    expires_at: datetime


class Tombstone(NamedTuple):
    """A revoked, replaced or deleted session that the cache may still have as live."""

    session_id: UUID
    user_id: UUID


class SessionRow(NamedTuple):
    """A session in the list of its user."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
