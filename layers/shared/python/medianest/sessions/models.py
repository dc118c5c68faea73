"""Rows of `sessions`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from medianest.users.models import Role


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that holds now, with its user's present role; `seen` says whether just lately."""

    id: UUID
    user_id: UUID
    role: Role
    expires_at: datetime
    seen: bool


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that a token is signed for, with the database's own times."""

    id: UUID
    user_id: UUID
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that has ended, and that the cache may hold as live."""

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its user may see it."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
