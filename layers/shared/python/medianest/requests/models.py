"""Rows of `media_requests` and `request_items`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from medianest.catalog.models import MediaType
from medianest.fulfilment.models import Fulfilment, TitleKey
from medianest.fulfilment.view import fulfilment

type RequestStatus = Literal["pending", "approved", "declined"]
type Decision = Literal["approved", "declined"]


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """A request; `seasons` is None for a film, `items` unless it is approved."""

    id: UUID
    user_id: UUID
    media_type: MediaType
    tmdb_id: int
    title: str
    status: RequestStatus
    comment: str | None
    reason: str | None
    requested_at: datetime
    processed_at: datetime | None
    processed_by: UUID | None
    poster_path: str | None
    year: int | None
    seasons: list[int] | None
    items: list[dict[str, Any]] | None

    @property
    def fulfilment(self) -> Fulfilment | None:
        """Return what became of an approved request, as its requester sees it."""
        return fulfilment(self.items)


class LockedRequest(NamedTuple):
    """Title and status of a request that a transaction has locked, and who has decided it when."""

    title: TitleKey
    status: RequestStatus
    processed_at: datetime | None
    processed_by_name: str | None


class Requester(NamedTuple):
    """The user who made a request."""

    id: UUID
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class RequestWithRequester(MediaRequest):
    """A request with requester, deciding admin and fulfilment, for admins."""

    username: str
    email: str
    processed_by_name: str | None
    for_admins: dict[str, Any] | None

    @property
    def fulfilment(self) -> Fulfilment | None:
        """Return what became of an approved request, with the server and the job."""
        return fulfilment(self.items, self.for_admins)

    @property
    def requester(self) -> Requester:
        """Return the requester as the response has it."""
        return Requester(self.user_id, self.username, self.email)


class TitleRequest(NamedTuple):
    """The active request for a title; `id` is None for the request of another user.

    `seasons` are those of a show that any active request has. `started_seasons` are those that had
    started at the newest request; None if that is unknown.
    """

    media_type: MediaType
    tmdb_id: int
    id: UUID | None
    status: RequestStatus
    seasons: list[int | None]
    started_seasons: list[int] | None


class ItemRequest(NamedTuple):
    """The active request for a film (`season` is None) or a season; `id` as in `TitleRequest`."""

    season: int | None
    id: UUID | None
    status: RequestStatus


class UnreadTitle(NamedTuple):
    """A request whose title has not been read from TMDB."""

    id: UUID
    media_type: MediaType
    tmdb_id: int
    title: str


class Counted(NamedTuple):
    """The items that count against a quota, without those of the request `except_id`."""

    user_id: UUID
    media_type: MediaType
    days: int
    except_id: UUID | None = None
