"""Sign-in with Plex, the session, and who one is."""

from fastapi import Response, status

from medianest.core import csrf
from medianest.core.deps import From, SignedIn, clear_session_cookie, set_session_cookie
from medianest.core.envelope import ApiResponse, ok
from medianest.core.web import create_app, lambda_handler
from medianest.sessions import service as sessions
from medianest.signin import service as signin
from medianest.signin.schemas import CsrfOut, LogoutIn, PinIn, PinOut, SignedInOut, VerifyIn
from medianest.users import service as users
from medianest.users.schemas import UserOut

app = create_app("DATABASE_URL", "JWT_SECRET", "PLEX_CLIENT_ID", authenticate=sessions.authenticate)


@app.post("/api/auth/plex/pin")
async def begin_plex_sign_in(body: PinIn = PinIn()) -> ApiResponse[PinOut]:  # noqa: ARG001, B008
    """Begin a sign-in: open `authUrl`, approve it there, then verify with `pinId`."""
    return ok(PinOut.model_validate(signin.begin()))


@app.post("/api/auth/plex/verify")
async def finish_plex_sign_in(
    body: VerifyIn, caller: From, response: Response
) -> ApiResponse[SignedInOut]:
    """Finish a sign-in once it has been approved; a `pinId` works once."""
    signed_in = signin.finish(body.pin_id, caller)
    out = SignedInOut(user=UserOut.model_validate(signed_in.user), expires_at=signed_in.expires_at)
    if body.session == "cookie":
        set_session_cookie(response, signed_in.token, signed_in.expires_at)
        return ok(out.model_copy(update={"csrf_token": csrf.issue(signed_in.session_id)}))
    return ok(out.model_copy(update={"token": signed_in.token}))


@app.get("/api/auth/me")
async def me(principal: SignedIn) -> ApiResponse[UserOut]:
    """Return the signed-in user."""
    return ok(UserOut.model_validate(users.me(principal.user_id)))


@app.get("/api/auth/csrf")
async def csrf_token(principal: SignedIn) -> ApiResponse[CsrfOut]:
    """Return a CSRF token for this session."""
    return ok(CsrfOut(csrf_token=csrf.issue(principal.session_id)))


@app.post("/api/auth/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(
    principal: SignedIn,
    caller: From,
    response: Response,
    body: LogoutIn = LogoutIn(),  # noqa: B008
) -> None:
    """End this session, or all of one's sessions."""
    sessions.sign_out(principal, caller, all_sessions=body.all_sessions)
    clear_session_cookie(response)


handler = lambda_handler(app)
