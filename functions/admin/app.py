"""What admins see and decide."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, status

from medianest.audit import service as audit
from medianest.core.deps import Admin, From
from medianest.core.envelope import ApiResponse, PageResponse, ok, page_of
from medianest.core.web import create_app, lambda_handler
from medianest.limits import service as limits
from medianest.requests import service as requests
from medianest.requests.schemas import (
    AdminRequestOut,
    AdminRequestQuery,
    ApproveIn,
    DeclineIn,
    RequestOut,
)
from medianest.sessions import service as sessions
from medianest.users import service as users
from medianest.users.schemas import UserChangeIn, UserOut, UserQuery

app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    authenticate=sessions.authenticate,
    limiter=limits.take,
    on_denied=audit.record_denial,
)


@app.get("/api/admin/users")
async def list_users(
    query: Annotated[UserQuery, Query()],
    admin: Admin,  # noqa: ARG001
) -> PageResponse[UserOut]:
    """List users."""
    found, total = users.page(query)
    items = [UserOut.model_validate(user) for user in found]
    return page_of(items, page=query.page, limit=query.limit, total=total)


@app.patch("/api/admin/users/{id}")
async def change_user(
    id: UUID,  # noqa: A002
    body: UserChangeIn,
    admin: Admin,
    caller: From,
) -> ApiResponse[UserOut]:
    """Change a user's role, or suspend or reinstate them; it holds at once."""
    affected = sessions.of_user(id)
    user = users.change(id, body, admin, caller)
    sessions.forget(affected)
    return ok(UserOut.model_validate(user))


@app.delete("/api/admin/users/{id}/sessions", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_sessions(id: UUID, admin: Admin, caller: From) -> None:  # noqa: A002
    """End all sessions of a user."""
    sessions.revoke_all(id, admin, caller)


@app.get("/api/admin/requests")
async def list_requests(
    query: Annotated[AdminRequestQuery, Query()],
    admin: Admin,  # noqa: ARG001
) -> PageResponse[AdminRequestOut]:
    """List everybody's requests, with who asked."""
    return requests.everybodys(query)


@app.post("/api/admin/requests/{id}/approve")
async def approve(
    id: UUID,  # noqa: A002
    admin: Admin,
    caller: From,
    body: ApproveIn = ApproveIn(),  # noqa: B008
) -> ApiResponse[RequestOut]:
    """Approve a pending request."""
    return ok(requests.approve(id, body.note, admin, caller))


@app.post("/api/admin/requests/{id}/decline")
async def decline(
    id: UUID,  # noqa: A002
    body: DeclineIn,
    admin: Admin,
    caller: From,
) -> ApiResponse[RequestOut]:
    """Decline a pending request, with the reason the requester gets to read."""
    return ok(requests.decline(id, body.reason, admin, caller))


handler = lambda_handler(app)
