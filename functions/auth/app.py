"""Sign-in with a password, and the caller's account and sessions."""

from http import HTTPStatus
from typing import Annotated

from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.cookies import clear_session_cookie, set_session_cookie
from medianest.api.dependencies import (
    MaybeSignedIn,
    PreviousSession,
    SignedIn,
    SignInOrigin,
    rate_limited,
)
from medianest.api.event import NO_ADDRESS
from medianest.api.parameters import Path, Response
from medianest.api.rate_limiting import ClientDep, ReportLimitsDep, rate_limited_by_address
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, Id, ok
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.sessions import csrf
from medianest.sessions import service as sessions_service
from medianest.sessions.schemas import SESSION_ID, SessionOut
from medianest.signin import with_password
from medianest.signin.schemas import (
    LANGUAGES,
    CsrfOut,
    CurrentSessionOut,
    LoginIn,
    LogoutIn,
    PasswordIn,
    RefreshIn,
    SignedInOut,
    SignInOptionsOut,
)
from medianest.system_config import service as system_config_service
from medianest.users import service as users_service
from medianest.users.models import Principal
from medianest.users.schemas import UserOut

drivers.load("psycopg", "redis")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
)


# The header that sets or clears the session cookie.
_COOKIE = ("Set-Cookie",)


@app.post(
    "/api/auth/login",
    dependencies=[rate_limited_by_address("auth")],
    openapi_extra=documented_errors(
        ErrorCode.INVALID_CREDENTIALS,
        ErrorCode.ACCOUNT_SUSPENDED,
        headers=_COOKIE,
        policies=[("login", "IP address and `identifier`, failures only")],
    ),
)
async def sign_in(
    body: LoginIn,
    origin: SignInOrigin,
    caller: ClientDep,
    previous: PreviousSession,
    response: Response,
    report_limits: ReportLimitsDep,
) -> ApiResponse[SignedInOut]:
    """Sign in to a local account.

    The policy `login` limits failures by IP address and `identifier`. A network that has signed in
    to the account before has a separate limit.
    """
    origin.check(body.session)
    signed_in = with_password.sign_in(
        body.identifier, body.password, caller, previous, report_limits
    )
    if body.session == "cookie":
        set_session_cookie(response, signed_in.token, signed_in.expires_at)
    return ok(SignedInOut.of(signed_in, body.session))


@app.post(
    "/api/auth/password",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=documented_errors(ErrorCode.INVALID_CREDENTIALS),
)
async def change_password(
    body: PasswordIn, principal: Annotated[Principal, rate_limited("password")], caller: ClientDep
) -> None:
    """Change the caller's password and revoke the caller's other sessions."""
    with_password.change_password(principal, body.current_password or "", body.new_password, caller)


@app.get("/api/auth/options", dependencies=[rate_limited_by_address("api")])
async def sign_in_options(caller: ClientDep) -> ApiResponse[SignInOptionsOut]:
    """Return what the sign-in page shows and offers."""
    page = system_config_service.sign_in_page()
    return ok(
        SignInOptionsOut(
            plex=page.plex,
            local=page.local,
            name=page.name,
            languages=list(LANGUAGES),
            secure_cookie=environment().has_secure_cookie,
            address=None if caller.ip == NO_ADDRESS else caller.ip,
        )
    )


@app.get("/api/auth/session")
async def current_session(principal: MaybeSignedIn) -> ApiResponse[CurrentSessionOut]:
    """Return the session of the call, or an empty object without a valid one, never 401."""
    user = None if principal is None else users_service.find_active(principal.user_id)
    if principal is None or user is None:
        return ok(CurrentSessionOut())
    return ok(CurrentSessionOut.of(user, principal))


@app.get("/api/auth/me")
async def me(principal: SignedIn) -> ApiResponse[UserOut]:
    """Return the signed-in user."""
    return ok(UserOut.model_validate(users_service.me(principal.user_id)))


@app.get("/api/auth/csrf")
async def csrf_token(principal: SignedIn) -> ApiResponse[CsrfOut]:
    """Return a CSRF token for this session."""
    return ok(CsrfOut(csrf_token=csrf.issue(principal.session_id)))


@app.post("/api/auth/refresh", openapi_extra=documented_errors(headers=_COOKIE))
async def refresh(
    principal: SignedIn,
    caller: ClientDep,
    response: Response,
    body: RefreshIn = RefreshIn(),
) -> ApiResponse[SignedInOut]:
    """Replace the session's token or cookie with a new one; the old one is revoked."""
    signed_in = sessions_service.refresh(principal, caller)
    if principal.by_cookie:
        set_session_cookie(response, signed_in.token, signed_in.expires_at)
    return ok(SignedInOut.of(signed_in, "cookie" if principal.by_cookie else "bearer"))


@app.get("/api/auth/sessions")
async def own_sessions(principal: SignedIn) -> ApiResponse[list[SessionOut]]:
    """List the caller's active sessions, newest first."""
    return ok(sessions_service.list_mine(principal))


@app.delete("/api/auth/sessions/{id}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_session(
    id: Annotated[Id, Path(description="Id of the session", examples=[SESSION_ID])],
    principal: SignedIn,
    caller: ClientDep,
) -> None:
    """Revoke one of the caller's sessions."""
    sessions_service.revoke(principal, caller, id)


@app.post(
    "/api/auth/logout",
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=documented_errors(headers=_COOKIE),
)
async def logout(
    principal: SignedIn,
    caller: ClientDep,
    response: Response,
    body: LogoutIn = LogoutIn(),
) -> None:
    """Sign out: revoke this session, or all sessions of the caller."""
    sessions_service.sign_out(principal, caller, all_sessions=body.all_sessions)
    if principal.by_cookie:
        clear_session_cookie(response)


handler = lambda_handler(app)
