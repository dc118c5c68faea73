"""Sign-in with Plex.

A separate function, because its calls wait for plex.tv: while plex.tv hangs, they must not occupy
the environments that serve signed-in users.
"""

from medianest.api.app import create_app, documented_errors, lambda_handler
from medianest.api.cookies import set_session_cookie
from medianest.api.dependencies import PreviousSession, SignInOrigin
from medianest.api.parameters import Response
from medianest.api.rate_limiting import ClientDep, rate_limited_by_address
from medianest.core import drivers
from medianest.core.envelope import ApiResponse, EmptyIn, ok
from medianest.core.error_codes import ErrorCode
from medianest.signin import with_plex
from medianest.signin.schemas import PinOut, SignedInOut, VerifyIn

drivers.load("psycopg", "redis", "urllib3")
app = create_app(
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "PLEX_CLIENT_ID",
)


@app.post(
    "/api/auth/plex/pin",
    dependencies=[rate_limited_by_address("auth", "plex-pin")],
    openapi_extra=documented_errors(ErrorCode.PLEX_UNREACHABLE),
)
async def begin_plex_sign_in(
    caller: ClientDep,
    body: EmptyIn = EmptyIn(),
) -> ApiResponse[PinOut]:
    """Start a sign-in: open `authUrl`, approve it there, then verify with `pinId`."""
    return ok(PinOut.model_validate(with_plex.begin(caller)))


@app.post(
    "/api/auth/plex/verify",
    dependencies=[rate_limited_by_address("api", by_field=("plex-verify", "pinId"))],
    openapi_extra=documented_errors(
        ErrorCode.PIN_EXPIRED,
        ErrorCode.PIN_PENDING,
        ErrorCode.PLEX_ACCESS_DENIED,
        ErrorCode.PLEX_UNREACHABLE,
        ErrorCode.ACCOUNT_SUSPENDED,
        headers=("Set-Cookie",),
    ),
)
async def finish_plex_sign_in(
    body: VerifyIn,
    origin: SignInOrigin,
    caller: ClientDep,
    previous: PreviousSession,
    response: Response,
) -> ApiResponse[SignedInOut]:
    """Finish a sign-in after its approval; a `pinId` works once."""
    origin.check(body.session)
    signed_in = with_plex.finish(body.pin_id, caller, previous)
    if body.session == "cookie":
        set_session_cookie(response, signed_in.token, signed_in.expires_at)
    return ok(SignedInOut.of(signed_in, body.session))


handler = lambda_handler(app)
