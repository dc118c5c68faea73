"""Administration of users, requests and settings."""

from http import HTTPStatus
from typing import Annotated

from medianest.accounts import service as accounts_service
from medianest.accounts.schemas import UserChangeIn, UserIn
from medianest.api.app import create_app, documented_errors, documented_success, lambda_handler
from medianest.api.dependencies import Admin, ConfigAdmin
from medianest.api.parameters import Depends, Path, Query
from medianest.api.rate_limiting import ClientDep
from medianest.audit import service as audit_service
from medianest.audit.schemas import AuditLogOut, AuditQuery
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, Id, PageResponse, ok, page_of
from medianest.core.error_codes import ErrorCode
from medianest.core.examples import REQUEST_ID, USER_ID
from medianest.requests import admin as requests_admin
from medianest.requests import approved, decisions
from medianest.requests.admin_schemas import (
    APPROVED_EXAMPLE,
    DECLINED_EXAMPLE,
    AdminRequestOut,
    AdminRequestQuery,
    RequestCountsOut,
    RequestCountsQuery,
)
from medianest.requests.decision_schemas import (
    ApproveIn,
    DecisionOut,
    DecisionsIn,
    DeclineIn,
    RetryIn,
    WithdrawIn,
)
from medianest.requests.schemas import RequestOut
from medianest.sessions import service as sessions_service
from medianest.stats import service as stats_service
from medianest.stats.schemas import StatsOut
from medianest.system_config import admin as system_config_admin
from medianest.system_config.admin_schemas import SettingIn, SettingOut
from medianest.users import service as users_service
from medianest.users.schemas import AdminUserOut, UserOut, UserQuery

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
)

_UserId = Annotated[Id, Path(description="Id of the user", examples=[USER_ID])]
_RequestId = Annotated[Id, Path(description="Id of the request", examples=[REQUEST_ID])]
_Key = Annotated[str, Path(description="Name of the setting", examples=["rateLimit.search"])]


@app.get("/api/admin/users")
async def list_users(
    query: Annotated[UserQuery, Query()],
    admin: Admin,
) -> PageResponse[UserOut]:
    """List users."""
    found, total = users_service.page(query)
    items = [UserOut.model_validate(user) for user in found]
    return page_of(items, page=query.page, limit=query.limit, total=total)


@app.post("/api/admin/users", status_code=HTTPStatus.CREATED)
async def create_user(body: UserIn, admin: Admin, caller: ClientDep) -> ApiResponse[AdminUserOut]:
    """Create a local account."""
    return ok(AdminUserOut.model_validate(accounts_service.create(body, admin, caller)))


@app.get("/api/admin/users/{id}")
async def get_user(
    id: _UserId,
    admin: Admin,
) -> ApiResponse[AdminUserOut]:
    """Return a user, with status and quota."""
    return ok(AdminUserOut.model_validate(users_service.get(id)))


@app.patch("/api/admin/users/{id}", openapi_extra=documented_errors(ErrorCode.LAST_ADMIN))
async def change_user(
    id: _UserId,
    body: UserChangeIn,
    admin: Admin,
    caller: ClientDep,
) -> ApiResponse[AdminUserOut]:
    """Change a user's role, status or quota, effective immediately.

    A new role or a suspension revokes all sessions of the user.
    """
    user = accounts_service.change(id, body, admin, caller)
    return ok(AdminUserOut.model_validate(user))


@app.delete(
    "/api/admin/users/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=documented_errors(ErrorCode.LAST_ADMIN),
)
async def delete_user(
    id: _UserId,
    admin: Admin,
    caller: ClientDep,
) -> None:
    """Delete a user with all sessions and requests; the audit log keeps its entries."""
    accounts_service.delete(id, admin, caller)


@app.delete("/api/admin/users/{id}/sessions", status_code=HTTPStatus.NO_CONTENT)
async def revoke_sessions(
    id: _UserId,
    admin: Admin,
    caller: ClientDep,
) -> None:
    """Revoke all sessions of a user."""
    sessions_service.revoke_all(id, admin, caller)


@app.get("/api/admin/requests")
async def list_requests(
    query: Annotated[AdminRequestQuery, Query()],
    admin: Admin,
) -> PageResponse[AdminRequestOut]:
    """List the requests of all users, with the requesters."""
    return requests_admin.list_all(query)


@app.get("/api/admin/requests/counts")
async def count_requests(
    query: Annotated[RequestCountsQuery, Query()], admin: Admin
) -> ApiResponse[RequestCountsOut]:
    """Count the requests of all users by state; the filters are those of the list."""
    return ok(requests_admin.count_all(query))


@app.post(
    "/api/admin/requests/{id}/approve",
    responses=documented_success(APPROVED_EXAMPLE),
    openapi_extra=documented_errors(ErrorCode.INVALID_STATE, ErrorCode.TITLE_ON_OTHER_SERVER),
)
async def approve_request(
    id: _RequestId,
    admin: Admin,
    caller: ClientDep,
    body: ApproveIn = ApproveIn(),
) -> ApiResponse[RequestOut]:
    """Approve a pending request, and queue it for a download server if there is one.

    The server is the one that the call names, or the one that the routing rules choose.
    """
    return ok(decisions.approve(id, body, admin, caller))


@app.post(
    "/api/admin/requests/{id}/decline",
    responses=documented_success(DECLINED_EXAMPLE),
    openapi_extra=documented_errors(ErrorCode.INVALID_STATE),
)
async def decline_request(
    id: _RequestId,
    body: DeclineIn,
    admin: Admin,
    caller: ClientDep,
) -> ApiResponse[RequestOut]:
    """Decline a pending request, with a reason that the requester can read."""
    return ok(decisions.decline(id, body.reason, admin, caller))


@app.post(
    "/api/admin/requests/{id}/retry",
    responses=documented_success(APPROVED_EXAMPLE),
    openapi_extra=documented_errors(ErrorCode.INVALID_STATE),
)
async def retry_request(
    id: _RequestId,
    admin: Admin,
    caller: ClientDep,
    body: RetryIn = RetryIn(),
) -> ApiResponse[RequestOut]:
    """Hand an approved request over to its server again, at once, after a failure or a delay."""
    return ok(approved.retry(id, admin, caller, reroute=body.reroute))


@app.post(
    "/api/admin/requests/{id}/withdraw",
    responses=documented_success(DECLINED_EXAMPLE),
    openapi_extra=documented_errors(ErrorCode.INVALID_STATE),
)
async def withdraw_request(
    id: _RequestId,
    body: WithdrawIn,
    admin: Admin,
    caller: ClientDep,
) -> ApiResponse[RequestOut]:
    """Withdraw an approval: the request is declined, and its title can be requested again.

    What a download server already has stays there.
    """
    return ok(approved.withdraw(id, body.reason, admin, caller))


@app.post("/api/admin/requests/decisions")
async def decide_requests(
    body: DecisionsIn, admin: Admin, caller: ClientDep
) -> ApiResponse[list[DecisionOut]]:
    """Approve or decline many requests in one call; the response has a result for each."""
    return ok(decisions.decide(body, admin, caller))


@app.get("/api/admin/audit-logs")
async def list_audit_logs(
    query: Annotated[AuditQuery, Query()],
    admin: Admin,
) -> PageResponse[AuditLogOut]:
    """List the audit log, newest first; `from` is inclusive, `to` is exclusive."""
    return audit_service.page(query)


@app.get("/api/admin/config")
async def list_settings(admin: ConfigAdmin) -> ApiResponse[list[SettingOut]]:
    """List every setting that can change at run time."""
    return ok(system_config_admin.list_settings())


async def _known_key(key: _Key, admin: ConfigAdmin) -> None:
    system_config_admin.find(key)


# The key is checked before the body, because the key decides how the body is validated.
@app.put(
    "/api/admin/config/{key}",
    dependencies=[Depends(_known_key)],
    openapi_extra=documented_errors(ErrorCode.EDIT_CONFLICT),
)
async def change_setting(
    key: _Key, body: SettingIn, admin: ConfigAdmin, caller: ClientDep
) -> ApiResponse[SettingOut]:
    """Change a setting, effective everywhere within half a minute.

    With `expected`, only if the setting still has this value.
    """
    return ok(system_config_admin.change(key, body, admin, caller))


@app.get("/api/admin/stats")
async def show_stats(admin: Admin) -> ApiResponse[StatsOut]:
    """Count users, requests and sessions."""
    return ok(stats_service.current())


handler = lambda_handler(app)
