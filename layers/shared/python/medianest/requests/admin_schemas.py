"""API models of requests, as admins see them."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from medianest.catalog.models import MediaType
from medianest.core.envelope import Id, QueryParams, ResponseModel, SearchText
from medianest.core.examples import JOB_ID, SERVER_ID, USER_ID, Examples
from medianest.fulfilment.admin_schemas import AdminFulfilmentOut
from medianest.requests.schemas import (
    EXAMPLE_DECISION,
    EXAMPLE_FILM,
    EXAMPLE_REJECTION,
    EXAMPLE_SHOW,
    RequestOut,
    RequestQuery,
)

_BOB = {"id": USER_ID, "username": "bob", "email": "bob@example.com"}
# Examples for the routes that decide one request.
_QUEUED = {"fulfilment": {"state": "queued", "since": "2026-01-06T08:00:00.000Z"}}
APPROVED_EXAMPLE = {"approved": EXAMPLE_FILM | EXAMPLE_DECISION | {"status": "approved"} | _QUEUED}
DECLINED_EXAMPLE = {"declined": EXAMPLE_FILM | EXAMPLE_REJECTION}


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
        "film": EXAMPLE_FILM | {"requester": _BOB},
        "show that waits for its server": EXAMPLE_SHOW
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
        | EXAMPLE_DECISION,
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
