"""Rows of `download_servers` and `routing_rules`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

type Kind = Literal["radarr", "sonarr"]
type State = Literal["unknown", "ok", "unreachable", "misconfigured"]
type MediaType = Literal["movie", "tv"]

KIND_OF: dict[MediaType, Kind] = {"movie": "radarr", "tv": "sonarr"}


@dataclass(frozen=True, slots=True)
class Server:
    """A Radarr or Sonarr, without its secret; `secret_hint` is what admins see of that."""

    id: UUID
    kind: Kind
    name: str
    base_url: str
    secret_hint: dict[str, Any] | None
    is_default: bool
    enabled: bool
    options: dict[str, Any]
    inventory: dict[str, Any] | None
    inventory_at: datetime | None
    state: State
    state_at: datetime
    failures: int
    open_until: datetime | None
    last_error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class Credentials(NamedTuple):
    """The secret of a server, which each call sends; never in a response or a log line."""

    api_key: str
    headers: dict[str, str]

    @property
    def hint(self) -> dict[str, Any]:
        """Return what admins may see."""
        return {"last4": self.api_key[-4:], "headers": sorted(self.headers)}


class Sealed(NamedTuple):
    """The encrypted credentials of a server."""

    id: UUID
    name: str
    secret_enc: str


class Rule(NamedTuple):
    """A routing rule; `conditions` and `options` have the form of the API."""

    id: UUID
    media_type: MediaType
    conditions: dict[str, Any]
    server_id: UUID
    options: dict[str, Any]


class TitleFacts(NamedTuple):
    """The facts that rules read: of a title, and of the users who requested it."""

    media_type: MediaType
    user_ids: frozenset[UUID] = frozenset()
    genre_ids: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    keyword_ids: frozenset[int] = frozenset()
    anime: bool = False
