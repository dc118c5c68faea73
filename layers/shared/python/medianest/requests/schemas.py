"""Requests on the wire."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from medianest.catalog.models import MediaType
from medianest.core.envelope import (
    TYPED,
    ApiError,
    Id,
    PageQuery,
    RequestModel,
    ResponseModel,
    Timestamp,
    documented,
)
from medianest.requests.models import Decision, RequestStatus
from medianest.users.models import QuotaKind

type Comment = Annotated[
    str,
    TYPED,
    Field(min_length=1, max_length=500),
    documented(pattern=r"\S"),
]


def _distinct[T](items: list[T]) -> list[T]:
    if len(set(items)) != len(items):
        raise ValueError("One is named twice")
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


class RequestIn(RequestModel):
    """Ask for a film, or for seasons of a show: without `seasons` all that have begun."""

    media_type: MediaType
    tmdb_id: Annotated[int, Field(gt=0, lt=2**31)]
    seasons: Seasons | None = None
    comment: Comment | None = None


class RequestOut(ResponseModel):
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


class RequesterOut(ResponseModel):
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

    user_id: Id | None = None


class ApproveIn(RequestModel):
    """Approve, with an optional note for the audit log."""

    note: Comment | None = None


class DeclineIn(RequestModel):
    """Decline, with the reason that the requester gets to read."""

    reason: Comment


class DecisionsIn(RequestModel):
    """Decide many requests at once; a reason goes with `decline`, a note with `approve`."""

    decision: Literal["approve", "decline"]
    ids: RequestIds
    reason: Comment | None = None
    note: Comment | None = None


class DecisionOut(ResponseModel):
    """What became of one of many: its new status, or why it was not decided."""

    id: UUID
    status: Decision | None = None
    error: ApiError | None = None


class QuotaExceededOut(ResponseModel):
    """A quota that a request would exceed.

    `resets_at` is when it would fit or, where it asks for more than the limit, when the limit is
    free as a whole; absent where waiting does not help.
    """

    quota: QuotaKind
    limit: int
    used: int
    requested: int
    remaining: int
    resets_at: Timestamp | None = None
