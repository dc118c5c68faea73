"""API models of requests."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from medianest.catalog.models import MediaType
from medianest.core.envelope import (
    TYPED,
    Id,
    PageQuery,
    QueryParams,
    RequestModel,
    ResponseModel,
    SearchText,
    Timestamp,
    documented,
)
from medianest.core.examples import (
    ADMIN_ID,
    JOB_ID,
    REQUEST_ID,
    SECOND_REQUEST_ID,
    SERVER_ID,
    USER_ID,
    Examples,
)
from medianest.fulfilment.schemas import AdminFulfilmentOut, FulfilmentOut
from medianest.requests.models import RequestStatus
from medianest.users.models import QuotaKind

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

_FILM = {
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
_SHOW = {
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
_BOB = {"id": USER_ID, "username": "bob", "email": "bob@example.com"}
_DECIDED = {"processedAt": "2026-01-06T08:00:00.000Z", "processedBy": ADMIN_ID}
_DECLINED = _DECIDED | {"status": "declined", "reason": "Already on the server"}
# Examples for the routes that decide one request.
_QUEUED = {"fulfilment": {"state": "queued", "since": "2026-01-06T08:00:00.000Z"}}
APPROVED_EXAMPLE = {"approved": _FILM | _DECIDED | {"status": "approved"} | _QUEUED}
DECLINED_EXAMPLE = {"declined": _FILM | _DECLINED}


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

    EXAMPLES: ClassVar[Examples] = {"film": _FILM, "show": _SHOW | _DECLINED}

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
        "film": _FILM,
        "show with a season that is already requested": _SHOW | {"skippedSeasons": [1]},
    }

    skipped_seasons: list[int] | None = Field(
        default=None, description="Seasons of the call that were already requested"
    )


class RequesterOut(ResponseModel):
    """The user who made a request."""

    id: UUID = Field(description="Id of the user")
    username: str = Field(description="User name")
    email: str = Field(
        description="E-mail address; a placeholder under `plex.invalid` if Plex has none"
    )


class AdminRequestOut(RequestOut):
    """A request with its requester."""

    EXAMPLES: ClassVar[Examples] = {
        "film": _FILM | {"requester": _BOB},
        "show that waits for its server": _SHOW
        | {
            "status": "approved",
            "requester": _BOB,
            "fulfilment": {
                "state": "queued",
                "since": "2026-01-06T08:00:00.000Z",
                "seasons": [{"season": 2, "state": "queued"}],
                "error": {
                    "code": "SERVER_UNREACHABLE",
                    "message": "The server does not respond.",
                    "retryAt": "2026-01-06T08:10:00.000Z",
                },
                "server": {"id": SERVER_ID, "name": "Sonarr"},
                "jobId": JOB_ID,
            },
        }
        | _DECIDED,
    }

    requester: RequesterOut
    processed_by_name: str | None = Field(
        default=None,
        description="Name of the admin who decided; absent if no admin decided, or after the"
        " admin's deletion",
    )
    fulfilment: AdminFulfilmentOut | None = Field(
        default=None, description="What became of it; absent unless it is approved"
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


type _OfUser = Annotated[
    Id | None, Field(description="Only requests of this user", examples=[USER_ID])
]
type _Searched = Annotated[
    SearchText | None,
    Field(
        description="Part of a title, or of the requester's user name or e-mail address, ignoring"
        " case and character width",
        examples=["matrix"],
    ),
]


class AdminRequestQuery(RequestQuery):
    """Filters of all requests."""

    user_id: _OfUser = None
    search: _Searched = None


class RequestCountsQuery(QueryParams):
    """Filters of the numbers of requests."""

    media_type: MediaType | None = Field(
        default=None, description="Only films (`movie`) or only shows (`tv`)", examples=["movie"]
    )
    user_id: _OfUser = None
    search: _Searched = None


class RequestCountsOut(ResponseModel):
    """The numbers of requests, by state."""

    EXAMPLES: ClassVar[Examples] = {"now": {"all": 12, "pending": 2, "approved": 9, "declined": 1}}

    all: int = Field(description="Number of requests")
    pending: int = Field(description="Number of pending requests")
    approved: int = Field(description="Number of approved requests")
    declined: int = Field(description="Number of declined requests")


class QuotaExceededOut(ResponseModel):
    """A quota that a request would exceed."""

    EXAMPLES: ClassVar[Examples] = {
        "films": {
            "quota": "movies",
            "limit": 5,
            "used": 5,
            "requested": 1,
            "remaining": 0,
            "resetsAt": "2026-01-12T20:15:30.120Z",
        }
    }

    quota: QuotaKind = Field(description="The quota: films are counted by request, shows by season")
    limit: int = Field(description="Number of films or seasons that the quota allows")
    used: int = Field(description="Number that currently counts against the quota")
    requested: int = Field(description="Number that this call requests")
    remaining: int = Field(description="Number that currently remains")
    resets_at: Timestamp | None = Field(
        default=None,
        description="Time when this request would fit or, if it alone exceeds the limit,"
        " when the whole limit is free; absent if waiting does not help",
    )


class QuotaOut(ResponseModel):
    """A quota and its use."""

    limit: int = Field(description="Number of films or seasons that the quota allows")
    used: int = Field(
        description="Number that currently counts against the quota; more than `limit` if the quota"
        " became smaller"
    )
    days: int = Field(description="Number of days that the quota covers")
    resets_at: Timestamp | None = Field(
        default=None,
        description="Time when one more can be requested; absent if one can now, or if waiting does"
        " not help",
    )


class AutoApproveOut(ResponseModel):
    """The requests of the caller that are approved automatically."""

    movie: bool = Field(description="Whether requests for films are")
    tv: bool = Field(description="Whether requests for shows are")


class QuotasOut(ResponseModel):
    """The caller's quotas; without one, the number is not limited."""

    EXAMPLES: ClassVar[Examples] = {
        "one left": {
            "movies": {"limit": 5, "used": 4, "days": 7},
            "seasons": {
                "limit": 10,
                "used": 10,
                "days": 30,
                "resetsAt": "2026-01-12T20:15:30.120Z",
            },
            "autoApprove": {"movie": False, "tv": False},
        },
        "no quotas": {"autoApprove": {"movie": True, "tv": False}},
    }

    movies: QuotaOut | None = Field(default=None, description="Quota of films")
    seasons: QuotaOut | None = Field(default=None, description="Quota of seasons of shows")
    auto_approve: AutoApproveOut
