"""Rows of `media_requests` and what hangs on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from medianest.catalog.models import MediaType

type RequestStatus = Literal["pending", "approved", "declined"]
type Decision = Literal["approved", "declined"]


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """A request; `seasons` is None for a film."""

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
    seasons: list[int] | None


@dataclass(frozen=True, slots=True)
class RequestWithRequester(MediaRequest):
    """A request as an admin sees it, with the name of who asked."""

    username: str
    email: str


@dataclass(frozen=True, slots=True)
class TitleRequest:
    """The state of a title in a search: `id` is of the request, None when it is somebody else's."""

    media_type: MediaType
    tmdb_id: int
    id: UUID | None
    status: RequestStatus


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """The state of a film (`season` is None) or of a season; `id` as above."""

    season: int | None
    id: UUID | None
    status: RequestStatus


@dataclass(frozen=True, slots=True)
class Replay:
    """What an idempotency key was used for, and the answer it got."""

    fingerprint: bytes
    response: dict[str, object]
