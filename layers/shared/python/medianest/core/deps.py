"""FastAPI dependencies: who calls, from where, with what right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import Depends, Request, Response

from medianest.core import csrf
from medianest.core.caller import Caller, Principal
from medianest.core.config import settings
from medianest.core.errors import AppError, ErrorCode
from medianest.core.proxy_call import ProxyCall
from medianest.core.rate_limit import Ask, Limiter, PolicyName, Verdict, digest, network
from medianest.core.rate_limit import headers as rate_limit_headers
from medianest.core.rate_limit import refusal as refusal_of
from medianest.core.tokens import invalid_token

SESSION_COOKIE = "__Host-medianest_session"
CSRF_HEADER = "X-CSRF-Token"
# Policies of so few calls that a malformed one should not count.
SCARCE: frozenset[PolicyName] = frozenset({"password", "search", "media-request"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator(Protocol):
    """Finds out whose a token is; `fresh` asks the truth and not a cache."""

    def __call__(self, token: str, *, fresh: bool) -> Principal:
        """Return the token's principal; raises AppError JWT_INVALID."""


def proxy_call(request: Request) -> ProxyCall:
    """Return the call as API Gateway passed it on."""
    call: ProxyCall = request.scope["proxy_call"]
    return call


async def _caller(request: Request) -> Caller:
    # Never from a header: X-Forwarded-For says what the client wants it to say.
    call = proxy_call(request)
    return Caller(request_id=call.id, ip=call.ip, user_agent=call.user_agent)


From = Annotated[Caller, Depends(_caller)]


@dataclass(frozen=True, slots=True)
class Limited:
    """Rate-limits unauthenticated calls by IP address and by a text field of the body.

    A body without that field is limited by address alone: one key for all such calls would let
    one caller lock out the others.
    """

    by_ip: tuple[PolicyName, ...]
    by_field: tuple[PolicyName, str] | None

    async def __call__(self, request: Request, caller: From) -> None:
        """Charge the call; raises RATE_LIMITED."""
        asks: list[Ask] = [(policy, network(caller.ip)) for policy in self.by_ip]
        if self.by_field is not None:
            policy, field = self.by_field
            body = await request.json()
            typed = body.get(field) if isinstance(body, dict) else None
            if isinstance(typed, str) and typed.strip():
                asks.append((policy, digest(typed)))
        error = _charge(request, caller, asks)
        if error is not None:
            raise error


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Lets signed-in users in, each held to its share of a policy; `fresh` trusts no cache."""

    policy: PolicyName
    fresh: bool = False

    async def __call__(self, request: Request, caller: From) -> Principal:
        """Return who is signed in; raises JWT_INVALID, RATE_LIMITED or CSRF_TOKEN_MISMATCH."""
        try:
            principal = _principal(request, fresh=self.fresh)
        except AppError as error:
            if error.code is ErrorCode.JWT_INVALID:
                # An address that goes on guessing is held off, not the users at it.
                held_off = _charge(request, caller, [("api", network(caller.ip))])
                if held_off is not None:
                    raise held_off from error
            raise
        asks: list[Ask] = [(self.policy, str(principal.user_id))]
        refusal = _charge(request, caller, asks, principal.user_id)
        if refusal is not None:
            raise refusal
        if self.policy in SCARCE:
            request.state.scarce = principal, caller
        if principal.by_cookie and request.method not in SAFE_METHODS:
            _check_csrf(request, principal)
        return principal


@dataclass(frozen=True, slots=True)
class AdminOnly(Authenticated):
    """Authenticates admins; never from the cache, so that a demotion holds with the next call."""

    policy: PolicyName = "admin"
    fresh: bool = True

    async def __call__(self, request: Request, caller: From) -> Principal:
        """Return the signed-in admin; raises FORBIDDEN, or as for any user."""
        principal = await Authenticated.__call__(self, request, caller)
        if principal.role != "admin":
            request.app.state.on_denied(principal, caller)
            raise AppError(ErrorCode.FORBIDDEN)
        return principal


def limited(*by_ip: PolicyName, by_field: tuple[PolicyName, str] | None = None) -> Any:
    """Return the dependency that holds the callers of a route without a session."""
    return Depends(Limited(by_ip, by_field))


def held_to(policy: PolicyName) -> Any:
    """Return the dependency on a signed-in user, who is held to a policy of the route's own."""
    return Depends(Authenticated(policy))


def _charge(
    request: Request, caller: Caller, asks: Sequence[Ask], user_id: UUID | None = None
) -> AppError | None:
    """Charge a call, keep what its answer will tell, and return the error when it is refused."""
    limiter: Limiter = request.app.state.limiter
    charge = limiter(asks, caller, user_id)
    request.state.charge = charge
    request.state.rate_limit_headers = rate_limit_headers(charge.verdicts)
    return refusal_of(charge.verdicts)


def charge_malformed(request: Request) -> AppError | None:
    """Charge a malformed call to the general share of its user, not to that of its route.

    So no mistake of a client uses up the few calls that a route allows. Returns the error when the
    general share refuses the call.
    """
    scarce: tuple[Principal, Caller] | None = getattr(request.state, "scarce", None)
    if scarce is None:
        return None
    request.state.charge.refund()
    principal, caller = scarce
    return _charge(request, caller, [("api", str(principal.user_id))], principal.user_id)


type Tell = Callable[[Sequence[Verdict]], None]


async def _teller(request: Request) -> Tell:
    """Return what a rule tells of limits of its own; the last of several calls holds."""

    def tell(verdicts: Sequence[Verdict]) -> None:
        told = [*request.state.charge.verdicts, *verdicts]
        request.state.rate_limit_headers = rate_limit_headers(told)

    return tell


async def _former(request: Request) -> Principal | None:
    try:
        return _principal(request, fresh=True)
    except AppError as error:
        if error.code is not ErrorCode.JWT_INVALID:
            raise
        return None


def _principal(request: Request, *, fresh: bool) -> Principal:
    """Return who the request's credential belongs to; raises JWT_INVALID."""
    authenticate: Authenticator = request.app.state.authenticate
    authorization = request.headers.get("authorization")
    if authorization is not None:
        # A bad bearer never falls back to the cookie: one request, one credential.
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise invalid_token()
        return authenticate(token.strip(), fresh=fresh)
    token = session_cookie(request)
    if not token:
        raise invalid_token()
    return replace(authenticate(token, fresh=fresh), by_cookie=True)


def _check_csrf(request: Request, principal: Principal) -> None:
    token = request.headers.get(CSRF_HEADER, "")
    if is_foreign(request) or not csrf.matches(principal.session_id, token):
        raise AppError(ErrorCode.CSRF_TOKEN_MISMATCH)


def is_foreign(request: Request) -> bool:
    """Tell whether a browser says that another site than ours and the allowed ones is calling.

    No script can set Sec-Fetch-Site. Where a browser leaves it out, or another host of the same
    site calls, the Origin decides: ours is the host that API Gateway serves, under TLS.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in {"same-origin", "none"}:
        return False
    if site == "cross-site":
        return True
    if origin is None or origin in settings().cors_origins:
        return False
    host = request.headers.get("host", "")
    own = {f"https://{host}"}
    if host.partition(":")[0] in {"localhost", "127.0.0.1"}:
        own.add(f"http://{host}")
    return origin not in own


def session_cookie(request: Request) -> str:
    """Return the session cookie's value, or nothing when there is none or more than one.

    From the event, where each header is by itself: joined by commas, as they reach us, a value of
    another cookie could pass for a cookie of its own.
    """
    lines = proxy_call(request).headers.get("cookie", [])
    pairs = [pair.partition("=") for line in lines for pair in line.split(";")]
    found = [value.strip() for name, _, value in pairs if name.strip() == SESSION_COOKIE]
    return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from, as far as a browser says so."""

    foreign: bool

    def check(self, kind: str) -> None:
        """Refuse to give a foreign site's visitor a session cookie that its author chose."""
        if kind == "cookie" and self.foreign:
            raise AppError(ErrorCode.FORBIDDEN)


async def _sign_in_origin(request: Request) -> Origin:
    return Origin(is_foreign(request))


def set_session_cookie(response: Response, token: str, expires_at: datetime) -> None:
    """Keep the session in a cookie that no script can read and no other site can set."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        expires=expires_at.astimezone(UTC),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")


SignInOrigin = Annotated[Origin, Depends(_sign_in_origin)]
SignedIn = Annotated[Principal, held_to("api")]
TellLimits = Annotated[Tell, Depends(_teller)]
Former = Annotated[Principal | None, Depends(_former)]
Admin = Annotated[Principal, Depends(AdminOnly())]
# For the routes that change limits, which no limit that they set may lock.
ConfigAdmin = Annotated[Principal, Depends(AdminOnly("admin-config"))]
