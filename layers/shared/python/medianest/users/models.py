"""Rows of `users`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict
from uuid import UUID

type Role = Literal["admin", "user"]
type Status = Literal["active", "suspended"]


@dataclass(frozen=True, slots=True)
class Quota:
    """The films or seasons that a user may request in any `days` days; None is no limit."""

    limit: int | None = None
    days: int = 7


UNLIMITED = Quota()


class QuotaJson(TypedDict):
    """A `Quota` in a column of JSON."""

    limit: int | None
    days: int


class OwnQuotas(TypedDict, total=False):
    """The quotas of one user, which replace those of the role; the column `users.quota`."""

    movies: QuotaJson
    seasons: QuotaJson


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UUID
    plex_id: int | None
    email: str
    username: str
    role: Role
    status: Status
    quota: OwnQuotas | None
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
    quota: OwnQuotas | None


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user and the session of the call; `by_cookie` says how the call named it."""

    user_id: UUID
    session_id: UUID
    role: Role
    by_cookie: bool = False
