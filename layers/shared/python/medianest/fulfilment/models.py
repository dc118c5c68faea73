"""States of items, and what a request shows of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medianest.catalog.models import MediaType

type ItemState = Literal["none", "queued", "submitted", "downloaded", "failed"]
# An approved item without a state is fetched by hand.
type FulfilmentState = Literal["manual", "queued", "submitted", "downloaded", "failed"]


class ItemRow(NamedTuple):
    """The state of a film (`season` is None) or a season, as a list of requests reads it."""

    season: int | None
    state: ItemState
    since: datetime | None
    failure: dict[str, Any] | None


class SeasonState(NamedTuple):
    """The state of one season."""

    season: int
    state: FulfilmentState


class FulfilmentError(NamedTuple):
    """The reason of a failure or of a delay; `retry_at` is None when only an admin retries."""

    code: str
    message: str
    retry_at: datetime | None = None


class ServerName(NamedTuple):
    """The download server of a title."""

    id: UUID
    name: str


class Fulfilment(NamedTuple):
    """The fulfilment of an approved request; `server` and `job_id` are for admins."""

    state: FulfilmentState
    since: datetime | None
    seasons: list[SeasonState] | None
    error: FulfilmentError | None
    server: ServerName | None = None
    job_id: UUID | None = None


class WantedItem(NamedTuple):
    """An item of an approved request whose title a server is to have."""

    id: int
    season: int | None
    state: ItemState
    user_id: UUID
    username: str


class Handover(NamedTuple):
    """The server of a title; `options` replace those of the server."""

    server_id: UUID
    is_enabled: bool
    options: dict[str, Any]
    tvdb_id: int | None
    submitted_at: datetime | None
    checked_at: datetime | None


class TitleKey(NamedTuple):
    """A film or a show."""

    media_type: MediaType
    tmdb_id: int


def title_of(payload: dict[str, Any]) -> TitleKey:
    """Return the title that the payload of a job names."""
    return TitleKey(payload["mediaType"], payload["tmdbId"])


class Found(NamedTuple):
    """The state of a title on a server; the film's season is None."""

    external_id: int
    tvdb_id: int | None
    title_slug: str | None
    submitted: Sequence[int | None]
    downloaded: Sequence[int | None]
