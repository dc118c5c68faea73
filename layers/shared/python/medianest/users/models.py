"""Rows of `users`."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic.dataclasses import dataclass as validated_dataclass

type Role = Literal["admin", "user"]
type Status = Literal["active", "suspended"]
type QuotaKind = Literal["movies", "seasons"]

QUOTA_KINDS: tuple[QuotaKind, ...] = ("movies", "seasons")


@dataclass(frozen=True, slots=True)
class Quota:
    """Films or seasons that a user may request in any `days` days; no `limit` is unlimited."""

    limit: int | None
    days: int


@dataclass(frozen=True, slots=True)
class UserQuotas:
    """The quotas of one user (column `users.quota`); for None, the quota of the role applies."""

    movies: Quota | None = None
    seasons: Quota | None = None

    def of(self, kind: QuotaKind) -> Quota | None:
        """Return the quota of films or of seasons."""
        return self.movies if kind == "movies" else self.seasons

    def to_json(self) -> dict[str, dict[str, int | None]]:
        """Return the quotas that are set, in the format of the column and of the API."""
        quotas = {kind: self.of(kind) for kind in QUOTA_KINDS}
        return {kind: asdict(quota) for kind, quota in quotas.items() if quota is not None}


# A pydantic data class, which parses the JSON of the column `quota`.
@validated_dataclass(frozen=True, slots=True)
class User:
    """A user, without the password hash."""

    id: UUID
    plex_id: int | None
    email: str
    username: str
    role: Role
    status: Status
    quota: UserQuotas | None
    created_at: datetime
    updated_at: datetime


class LocalAccount(NamedTuple):
    """The credentials of a local account; not in `User`, so that no response can have them."""

    user_id: UUID
    email: str
    username: str
    password_hash: str


@validated_dataclass(frozen=True, slots=True)
class Actor:
    """The role and quotas of a user whose row a transaction has locked."""

    role: Role
    quota: UserQuotas | None


class Principal(NamedTuple):
    """A signed-in user and the session of the call; `by_cookie` is True for a session cookie."""

    user_id: UUID
    session_id: UUID
    role: Role
    expires_at: datetime
    by_cookie: bool = False
