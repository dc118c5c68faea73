"""Dependencies of routes with a session: authentication, roles, CSRF."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Depends, Request

from medianest.api.cookies import session_cookie
from medianest.api.event import proxy_call
from medianest.api.headers import CSRF_HEADER
from medianest.api.rate_limiting import apply, caller_of
from medianest.api.route import charge_refused
from medianest.audit import service as audit_service
from medianest.core.cache import shared_cache
from medianest.core.caller import Caller
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_token
from medianest.core.origins import is_loopback
from medianest.rate_limits import service as rate_limits_service
from medianest.rate_limits.policies import LimitKey, PolicyName, network
from medianest.rate_limits.sliding_window import Charge
from medianest.sessions import csrf
from medianest.sessions import service as sessions_service
from medianest.users.models import Principal, Role

# Policies with low limits: malformed calls, and those without a valid CSRF token, are charged to
# `api` instead.
LOW_LIMIT_POLICIES: frozenset[PolicyName] = frozenset(
    {"password", "search", "media-request", "server-test"}
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A dependency: requires a session and rate-limits its user.

    A cached session is accepted, except for a user with the role `fresh_for`: the row is read.
    """

    policy: PolicyName
    fresh_for: Role | None = None

    async def __call__(self, request: Request) -> Principal:
        """Return the signed-in user, whom the middleware has admitted."""
        principal: Principal = request.state.principal
        return principal

    def admit(self, request: Request) -> None:
        """Raise JWT_INVALID, RATE_LIMITED or CSRF_TOKEN_MISMATCH, or note the signed-in user."""
        request.state.principal = self.admitted_user(request, caller_of(request))

    def admitted_user(self, request: Request, caller: Caller) -> Principal:
        """Authenticate and charge a call; return its user, or raise as `admit` does."""
        charge: Charge | None = None

        def read_and_charge(key: str, user_id: UUID) -> tuple[str | None, bool]:
            """Read the cached session, and charge the call if it is live, in one round trip."""
            nonlocal charge
            value, charge = rate_limits_service.charge_if_live(
                key, (self.policy, user_id), caller, user_id
            )
            return value, charge is not None

        try:
            if not shared_cache().exists:
                principal, charge = _charged_principal(request, self.policy, caller)
            else:
                principal = _principal(request, read_and_charge, fresh_for=self.fresh_for)
        except AppError as error:
            if error.code is ErrorCode.JWT_INVALID:
                # Throttle token guessing by IP address, to protect the limits of users.
                denied = _charge(request, caller, [("api", network(caller.ip))])
                if denied is not None:
                    raise denied from error
            raise
        user_id = principal.user_id
        charged = charge or rate_limits_service.charge([(self.policy, user_id)], caller, user_id)
        denied = apply(request, charged)
        if denied is not None:
            raise denied
        if self.policy in LOW_LIMIT_POLICIES:
            request.state.charge_refused = partial(_charge_api, request, principal, caller)
        if principal.by_cookie and request.method not in SAFE_METHODS:
            _check_csrf(request, principal)
        return principal


@dataclass(frozen=True, slots=True)
class AdminOnly(Authenticated):
    """A dependency: requires an admin, or raises FORBIDDEN.

    It reads the row of an admin, so a demotion applies to the next call. A cached session of
    another user is refused without it: another role ends all sessions.
    """

    policy: PolicyName = "admin"
    fresh_for: Role | None = "admin"

    def admitted_user(self, request: Request, caller: Caller) -> Principal:
        """Return the admin of a call; raises FORBIDDEN for another user."""
        principal = Authenticated.admitted_user(self, request, caller)
        if principal.role != "admin":
            audit_service.record_denial(principal.user_id, caller)
            raise AppError(ErrorCode.FORBIDDEN)
        return principal


@dataclass(frozen=True, slots=True)
class OptionallyAuthenticated:
    """A dependency: the signed-in user, or None without a valid session.

    It rate-limits the user, or without a session the IP address.
    """

    policy: PolicyName

    async def __call__(self, request: Request) -> Principal | None:
        """Return the signed-in user, whom the middleware has found."""
        principal: Principal | None = request.state.principal
        return principal

    def admit(self, request: Request) -> None:
        """Raise RATE_LIMITED, or note the signed-in user or None."""
        try:
            Authenticated(self.policy).admit(request)
        except AppError as error:
            if error.code is not ErrorCode.JWT_INVALID:
                raise
            request.state.principal = None


def rate_limited(policy: PolicyName) -> Any:
    """Return the dependency that requires a session and rate-limits its user by `policy`."""
    return Depends(Authenticated(policy))


def _charge(
    request: Request, caller: Caller, limit_keys: Sequence[LimitKey], user_id: UUID | None = None
) -> AppError | None:
    return apply(request, rate_limits_service.charge(limit_keys, caller, user_id))


def _charge_api(request: Request, principal: Principal, caller: Caller) -> AppError | None:
    """Charge a malformed call to `api` instead of the route's policy.

    Returns the error when `api` refuses the call.
    """
    request.state.charge.refund()
    return _charge(request, caller, [("api", principal.user_id)], principal.user_id)


async def _previous_session(request: Request) -> Principal | None:
    try:
        return _principal(request)
    except AppError as error:
        if error.code is not ErrorCode.JWT_INVALID:
            raise
        return None


def _principal(
    request: Request,
    read_cache: sessions_service.ReadCache | None = None,
    *,
    fresh_for: Role | None = None,
) -> Principal:
    """Return the user and session of the request's credential; raises JWT_INVALID."""
    token, by_cookie = _credential(request)
    principal = sessions_service.authenticate(token, read_cache, fresh_for=fresh_for)
    return principal._replace(by_cookie=by_cookie)


def _charged_principal(
    request: Request, policy: PolicyName, caller: Caller
) -> tuple[Principal, Charge]:
    """Return the user and session of the request's credential, and its charge, without a cache."""
    token, by_cookie = _credential(request)
    principal, charge = sessions_service.authenticate_and_charge(token, policy, caller)
    return principal._replace(by_cookie=by_cookie), charge


def _credential(request: Request) -> tuple[str, bool]:
    """Return the token of a request, and whether a cookie has it; raises JWT_INVALID."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        # An invalid bearer token never falls back to the cookie: a request has one credential.
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise invalid_token()
        return token.strip(), False
    token = session_cookie(request)
    if not token:
        raise invalid_token()
    return token, True


def _check_csrf(request: Request, principal: Principal) -> None:
    token = request.headers.get(CSRF_HEADER, "")
    if is_cross_origin(request) or not csrf.matches(principal.session_id, token):
        # The page repeats such a call with a new token, which must not use up a low limit.
        raise charge_refused(request) or AppError(ErrorCode.CSRF_TOKEN_MISMATCH)


def is_cross_origin(request: Request) -> bool:
    """Return whether a browser reports a call from an origin that is neither ours nor allowed.

    Scripts cannot set Sec-Fetch-Site. When it is missing (Safari before 16.4) or `same-site`, the
    Origin header decides.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in {"same-origin", "none"}:
        return False
    if site == "cross-site":
        return True
    if origin is None or origin in environment().cors_origins:
        return False
    return origin not in (environment().page_origins or _called_origins(request))


def _called_origins(request: Request) -> frozenset[str]:
    """Return our own origins by the URL of the call, for a service without PUBLIC_URL.

    Behind a distribution, Host is the name of API Gateway; the distribution reports its own URL.
    """
    if public_url := proxy_call(request).public_url:
        return frozenset({public_url})
    host = request.headers.get("host", "")
    return frozenset({f"https://{host}", *([f"http://{host}"] if is_loopback(host) else [])})


class Origin(NamedTuple):
    """The origin of a sign-in; `cross_origin` means that a browser reports a foreign origin."""

    cross_origin: bool

    def check(self, kind: str) -> None:
        """Raise FORBIDDEN for a cookie session from another origin, to prevent login CSRF."""
        if kind == "cookie" and self.cross_origin:
            raise AppError(ErrorCode.FORBIDDEN)


async def _sign_in_origin(request: Request) -> Origin:
    return Origin(is_cross_origin(request))


SignInOrigin = Annotated[Origin, Depends(_sign_in_origin)]
SignedIn = Annotated[Principal, rate_limited("api")]
MaybeSignedIn = Annotated[Principal | None, Depends(OptionallyAuthenticated("api"))]
PreviousSession = Annotated[Principal | None, Depends(_previous_session)]
Admin = Annotated[Principal, Depends(AdminOnly())]
# For the routes that change rate limits. Their own limit is fixed, so that no setting can block the
# routes that would correct it.
ConfigAdmin = Annotated[Principal, Depends(AdminOnly("admin-config"))]
TestingAdmin = Annotated[Principal, Depends(AdminOnly("server-test"))]
