"""Rows of `users`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from medianest.core.caller import Role

type Status = Literal["active", "suspended"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UUID
    plex_id: int | None
    email: str
    username: str
    role: Role
    status: Status
    quota: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """How a user with a password signs in; never part of a `User`, so that it never leaves."""

    user_id: UUID
    email: str
    username: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Actor:
    """What a user may do, as the row says while a transaction keeps it so."""

    role: Role
    quota: dict[str, Any] | None
