"""Search, and asking for titles."""

from typing import Annotated

from fastapi import Header, Query, status

from medianest.core.caller import Principal
from medianest.core.deps import From, SignedIn, held_to
from medianest.core.envelope import ApiResponse, PageResponse, ok
from medianest.core.web import create_app, lambda_handler
from medianest.limits import service as limits
from medianest.requests import service
from medianest.requests.schemas import (
    CreatedRequestOut,
    RequestIn,
    RequestOut,
    RequestQuery,
    SearchQuery,
    TitleOut,
)
from medianest.sessions.service import authenticate

app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "TMDB_API_KEY",
    authenticate=authenticate,
    limiter=limits.take,
)


@app.get("/api/media/search")
async def search(
    query: Annotated[SearchQuery, Query()], principal: Annotated[Principal, held_to("search")]
) -> PageResponse[TitleOut]:
    """Search films and shows; each item says whether it is already requested."""
    return service.search(query, principal.user_id)


@app.post("/api/media/request", status_code=status.HTTP_201_CREATED)
async def request(
    body: RequestIn,
    principal: Annotated[Principal, held_to("media-request")],
    caller: From,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> ApiResponse[CreatedRequestOut]:
    """Ask for a film, or for seasons of a show."""
    return ok(service.create(body, principal, caller, idempotency_key))


@app.get("/api/media/requests")
async def own_requests(
    query: Annotated[RequestQuery, Query()], principal: SignedIn
) -> PageResponse[RequestOut]:
    """List one's own requests."""
    return service.own(query, principal.user_id)


handler = lambda_handler(app)
