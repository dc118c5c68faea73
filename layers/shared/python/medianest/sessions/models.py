"""Rows of `sessions`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from medianest.users.models import Role


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A live session with the current role of its user; `seen` means used in the last 5 minutes."""

    id: UUID
    user_id: UUID
    role: Role
    expires_at: datetime
    seen: bool


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that gets a token, with times by the database's clock."""

    id: UUID
    user_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A revoked or replaced session that the cache may still hold as live."""

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session in the list of its user."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
