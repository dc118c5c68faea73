"""API models of requests."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from medianest.catalog.models import MediaType
from medianest.core.envelope import (
    TYPED,
    Id,
    PageQuery,
    RequestModel,
    ResponseModel,
    Timestamp,
    documented,
)
from medianest.core.examples import ADMIN_ID, REQUEST_ID, SECOND_REQUEST_ID, USER_ID, Examples
from medianest.fulfilment.schemas import FulfilmentOut
from medianest.requests.models import RequestStatus

type Comment = Annotated[
    str,
    TYPED,
    Field(min_length=1, max_length=500),
    documented(pattern=r"\S"),
]


def _distinct[T](items: list[T]) -> list[T]:
    if len(set(items)) != len(items):
        raise ValueError("Must not contain duplicates")
    return items


type Seasons = Annotated[
    list[Annotated[int, Field(ge=0, lt=10_000)]],
    Field(min_length=1, max_length=200),
    AfterValidator(_distinct),
    documented(uniqueItems=True),
]
type RequestIds = Annotated[
    list[Id],
    Field(min_length=1, max_length=100),
    AfterValidator(_distinct),
    documented(uniqueItems=True),
]
type RequestSort = Literal["requestedAt", "-requestedAt", "title", "-title"]

EXAMPLE_FILM = {
    "id": REQUEST_ID,
    "userId": USER_ID,
    "mediaType": "movie",
    "tmdbId": 603,
    "title": "The Matrix",
    "posterPath": "/matrix.jpg",
    "year": 1999,
    "status": "pending",
    "comment": "For Friday, please",
    "requestedAt": "2026-01-05T20:15:30.120Z",
}
EXAMPLE_SHOW = {
    "id": SECOND_REQUEST_ID,
    "userId": USER_ID,
    "mediaType": "tv",
    "tmdbId": 1396,
    "title": "Breaking Bad",
    "posterPath": "/breaking-bad.jpg",
    "year": 2008,
    "status": "pending",
    "seasons": [2],
    "requestedAt": "2026-01-04T21:00:00.000Z",
}
EXAMPLE_DECISION = {"processedAt": "2026-01-06T08:00:00.000Z", "processedBy": ADMIN_ID}
EXAMPLE_REJECTION = EXAMPLE_DECISION | {"status": "declined", "reason": "Already on the server"}


class RequestIn(RequestModel):
    """A request for a film, or for seasons of a show."""

    EXAMPLES: ClassVar[Examples] = {
        "film": {"mediaType": "movie", "tmdbId": 603, "comment": "For Friday, please"},
        "seasons of a show": {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]},
        "whole show": {"mediaType": "tv", "tmdbId": 1396},
    }

    media_type: MediaType = Field(description="Film (`movie`) or show (`tv`)")
    tmdb_id: int = Field(gt=0, lt=2**31, description="TMDB id of the title")
    seasons: Seasons | None = Field(
        default=None,
        description="Numbers of seasons, 0 for the specials. Without it, the request has all"
        " seasons with an episode or an air date, except for the specials",
    )
    comment: Comment | None = Field(default=None, description="Note to the admins")


class RequestOut(ResponseModel):
    """A request."""

    EXAMPLES: ClassVar[Examples] = {"film": EXAMPLE_FILM, "show": EXAMPLE_SHOW | EXAMPLE_REJECTION}

    id: UUID = Field(description="Id of the request")
    user_id: UUID = Field(description="Id of the user who made it")
    media_type: MediaType = Field(description="Film (`movie`) or show (`tv`)")
    tmdb_id: int = Field(description="TMDB id of the title")
    title: str = Field(description="Title at TMDB at the time of the request")
    poster_path: str | None = Field(
        default=None, description="Path of the poster, relative to TMDB's image URL"
    )
    year: int | None = Field(default=None, description="Year of the first release")
    status: RequestStatus = Field(description="State of the request")
    seasons: list[int] | None = Field(
        default=None, description="Numbers of the requested seasons; 0 is the specials"
    )
    comment: str | None = Field(default=None, description="The requester's note to the admins")
    reason: str | None = Field(default=None, description="The admin's reason for declining it")
    requested_at: Timestamp = Field(description="Time of the request")
    processed_at: Timestamp | None = Field(default=None, description="Time of the decision")
    processed_by: UUID | None = Field(
        default=None,
        description="Id of the admin who decided; absent if no admin decided, or after the admin's"
        " deletion",
    )
    fulfilment: FulfilmentOut | None = Field(
        default=None, description="What became of it; absent unless it is approved"
    )


class CreatedRequestOut(RequestOut):
    """A new request."""

    EXAMPLES: ClassVar[Examples] = {
        "film": EXAMPLE_FILM,
        "show with a season that is already requested": EXAMPLE_SHOW | {"skippedSeasons": [1]},
    }

    skipped_seasons: list[int] | None = Field(
        default=None, description="Seasons of the call that were already requested"
    )


class RequestQuery(PageQuery):
    """Filters of the caller's requests."""

    status: RequestStatus | None = Field(
        default=None, description="Only requests in this state", examples=["pending"]
    )
    media_type: MediaType | None = Field(
        default=None, description="Only films (`movie`) or only shows (`tv`)", examples=["movie"]
    )
    sort: RequestSort = Field(
        default="-requestedAt",
        description="Sort by time or title; `-` means descending",
        examples=["requestedAt"],
    )
