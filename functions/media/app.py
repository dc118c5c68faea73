"""Search for films and shows, and requests for them."""

from http import HTTPStatus
from typing import Annotated

from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.dependencies import SignedIn, rate_limited
from medianest.api.headers import STALE_HEADER, set_stale_header
from medianest.api.parameters import Header, Path, Query, Response
from medianest.api.rate_limiting import ClientDep
from medianest.catalog.models import MediaType
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, Id, PageResponse, PlainInt, ok
from medianest.core.error_codes import ErrorCode
from medianest.core.examples import REQUEST_ID
from medianest.discovery import service as discovery_service
from medianest.discovery.schemas import DiscoverQuery, SearchQuery, TitleDetailsOut, TitleOut
from medianest.requests import create, quotas
from medianest.requests import service as requests_service
from medianest.requests.quota_schemas import QuotasOut
from medianest.requests.schemas import (
    CreatedRequestOut,
    RequestIn,
    RequestOut,
    RequestQuery,
)
from medianest.users.models import Principal

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "TMDB_API_KEY",
)


_RequestId = Annotated[Id, Path(description="Id of the request", examples=[REQUEST_ID])]
_FROM_CATALOG = documented_errors(ErrorCode.CATALOG_UNAVAILABLE, headers=(STALE_HEADER,))


@app.get("/api/media/search", openapi_extra=_FROM_CATALOG)
async def search(
    query: Annotated[SearchQuery, Query()],
    principal: Annotated[Principal, rate_limited("search")],
    response: Response,
) -> PageResponse[TitleOut]:
    """Search films and shows; each item has the state of its request.

    TMDB also finds people, which are omitted, so a page can have fewer than 20 items. A page that
    has only people is skipped: continue from the `page` in the response. `total` also counts
    people, unless all results fit on one page. On a page after the last film or show, `total` is
    the number of results on the pages before it.

    `tmdb:603` finds the film and the show with this TMDB id, `imdb:tt0133093` the title with this
    IMDb id, and `matrix (1999)` titles of this year (1870 to 2100). With a year and `type=all`,
    films and shows come in turn. Any other text is searched for as words.
    """
    found = discovery_service.search(query, principal.user_id)
    set_stale_header(response, found.stale_seconds)
    return found.value


@app.get("/api/media/discover", openapi_extra=_FROM_CATALOG)
async def discover(
    query: Annotated[DiscoverQuery, Query()], principal: SignedIn, response: Response
) -> PageResponse[TitleOut]:
    """List trending, popular, upcoming or requested titles; each item has the state of its request.

    The lists of TMDB are at most an hour old, and older while TMDB is down. `trending` is of the
    week; its pages and `total` are as in a search. Of `popular` and `upcoming`, TMDB has separate
    lists of films and shows: `type=all` has a film and a show in turn. Upcoming shows are new ones.
    `requested` has each title of the newest 200 active requests once, and does not need TMDB.
    """
    found = discovery_service.discover(query, principal.user_id)
    set_stale_header(response, found.stale_seconds)
    return found.value


@app.post(
    "/api/media/request",
    status_code=HTTPStatus.CREATED,
    openapi_extra=documented_errors(
        ErrorCode.ALREADY_REQUESTED,
        ErrorCode.QUOTA_EXCEEDED,
        ErrorCode.CATALOG_UNAVAILABLE,
        ErrorCode.IDEMPOTENCY_IN_PROGRESS,
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        ErrorCode.REQUEST_CANCELLED,
    ),
)
async def create_request(
    body: RequestIn,
    principal: Annotated[Principal, rate_limited("media-request")],
    caller: ClientDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Within 24 hours, a repeated call with the same key and payload returns the"
            " request of the first call",
            examples=["6f1c2a34-friday"],
            json_schema_extra={"maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        ),
    ] = None,
) -> ApiResponse[CreatedRequestOut]:
    """Request a film, or seasons of a show.

    Without `seasons`, the request has all seasons with an episode or an air date, except for the
    specials. `seasons` can also name a season that is only announced, or the specials (0).
    """
    return ok(create.create(body, principal, caller, idempotency_key))


@app.get("/api/media/quota")
async def show_quota(principal: SignedIn) -> ApiResponse[QuotasOut]:
    """Return the caller's request quotas, each with its use."""
    return ok(quotas.mine(principal.user_id))


@app.get("/api/media/requests")
async def own_requests(
    query: Annotated[RequestQuery, Query()], principal: SignedIn
) -> PageResponse[RequestOut]:
    """List the caller's requests."""
    return requests_service.list_mine(query, principal.user_id)


@app.get("/api/media/requests/{id}")
async def get_request(
    id: _RequestId,
    principal: SignedIn,
) -> ApiResponse[RequestOut]:
    """Return one of the caller's requests; an admin can read any."""
    return ok(requests_service.get(id, principal.user_id))


@app.delete(
    "/api/media/requests/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=documented_errors(ErrorCode.INVALID_STATE),
)
async def cancel_request(
    id: _RequestId,
    principal: SignedIn,
    caller: ClientDep,
) -> None:
    """Cancel one of the caller's pending requests; an admin can cancel any pending request."""
    requests_service.cancel(id, principal, caller)


# Declared after /api/media/requests/{id}, whose paths it also matches.
@app.get("/api/media/{mediaType}/{tmdbId}", openapi_extra=_FROM_CATALOG)
async def get_title(
    media_type: Annotated[
        MediaType,
        Path(alias="mediaType", description="Film (`movie`) or show (`tv`)", examples=["movie"]),
    ],
    tmdb_id: Annotated[
        PlainInt,
        Path(
            alias="tmdbId",
            gt=0,
            lt=2**31,
            description="TMDB id of the title",
            examples=[603],
        ),
    ],
    principal: SignedIn,
    response: Response,
) -> ApiResponse[TitleDetailsOut]:
    """Return the details of a film or show; each season has the state of its request."""
    found = discovery_service.details(media_type, tmdb_id, principal.user_id)
    set_stale_header(response, found.stale_seconds)
    return ok(found.value)


handler = lambda_handler(app)
