"""Requests on the wire."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from medianest.catalog.models import MediaType, SearchType
from medianest.core.envelope import In, Out, PageNumber, PageQuery, QueryParams, Timestamp
from medianest.requests.models import RequestStatus

type Comment = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)
]


def _distinct(seasons: list[int]) -> list[int]:
    if len(set(seasons)) != len(seasons):
        raise ValueError("A season is named twice")
    return seasons


type Seasons = Annotated[
    list[Annotated[int, Field(ge=0, lt=10_000)]],
    Field(min_length=1, max_length=200),
    AfterValidator(_distinct),
]
type RequestSort = Literal["requestedAt", "-requestedAt", "title", "-title"]


class SearchQuery(QueryParams):
    """What to search for; a page has TMDB's 20 items."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    type: SearchType = "all"
    page: PageNumber = 1


class TitleRequestOut(Out):
    """That a title is requested already; `id` only where the request is the caller's own."""

    id: UUID | None = None
    status: RequestStatus


class TitleOut(Out):
    """A film or show that a search found."""

    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None = None
    overview: str | None = None
    poster_path: str | None = None
    request: TitleRequestOut | None = None


class RequestIn(In):
    """Ask for a film, or for seasons of a show: without `seasons` all of them but specials."""

    media_type: MediaType
    tmdb_id: Annotated[int, Field(gt=0, lt=2**31)]
    seasons: Seasons | None = None
    comment: Comment | None = None


class RequestOut(Out):
    """A request."""

    id: UUID
    user_id: UUID
    media_type: MediaType
    tmdb_id: int
    title: str
    status: RequestStatus
    seasons: list[int] | None = None
    comment: str | None = None
    reason: str | None = None
    requested_at: Timestamp
    processed_at: Timestamp | None = None
    processed_by: UUID | None = None


class CreatedRequestOut(RequestOut):
    """A request just made; `skipped_seasons` were held by other requests already."""

    skipped_seasons: list[int] | None = None


class RequesterOut(Out):
    """Who asked."""

    id: UUID
    username: str
    email: str


class AdminRequestOut(RequestOut):
    """A request with who asked."""

    requester: RequesterOut


class RequestQuery(PageQuery):
    """Filters of one's own requests."""

    status: RequestStatus | None = None
    media_type: MediaType | None = None
    sort: RequestSort = "-requestedAt"


class AdminRequestQuery(RequestQuery):
    """Filters of all requests."""

    user_id: UUID | None = None


class ApproveIn(In):
    """Approve, with an optional note for the audit log."""

    note: Comment | None = None


class DeclineIn(In):
    """Decline, with the reason that the requester gets to read."""

    reason: Comment
