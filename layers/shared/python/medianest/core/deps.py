"""FastAPI dependencies: who calls, from where, with what right."""

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request, Response

from medianest.core import csrf
from medianest.core.caller import Caller, Principal
from medianest.core.errors import AppError, ErrorCode
from medianest.core.tokens import invalid_token

SESSION_COOKIE = "__Host-medianest_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

type Authenticator = Callable[[str], Principal]


async def _caller(request: Request) -> Caller:
    # Never from a header: X-Forwarded-For says what the client wants it to say.
    context = request.scope["aws.event"]["requestContext"]
    return Caller(
        request_id=context["requestId"],
        ip=str(ip_address(context["identity"]["sourceIp"])),
        user_agent=(context["identity"].get("userAgent") or "")[:500].replace("\0", ""),
    )


async def _signed_in(request: Request) -> Principal:
    authorization = request.headers.get("authorization")
    authenticate: Authenticator = request.app.state.authenticate
    if authorization is not None:
        # A bad bearer never falls back to the cookie: one request, one credential.
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise invalid_token()
        return authenticate(token.strip())
    token = cookies(request).get(SESSION_COOKIE, "")
    if not token:
        raise invalid_token()
    principal = authenticate(token)
    if request.method not in SAFE_METHODS:
        _check_csrf(request, principal)
    return principal


async def _admin(principal: Annotated[Principal, Depends(_signed_in)]) -> Principal:
    if principal.role != "admin":
        raise AppError(ErrorCode.FORBIDDEN)
    return principal


def _check_csrf(request: Request, principal: Principal) -> None:
    cross_site = request.headers.get("sec-fetch-site") == "cross-site"
    token = request.headers.get(CSRF_HEADER, "")
    if cross_site or not csrf.matches(principal.session_id, token):
        raise AppError(ErrorCode.CSRF_TOKEN_MISMATCH)


def cookies(request: Request) -> dict[str, str]:
    """Return the request's cookies; two Cookie headers reach us joined by a comma."""
    pairs = request.headers.get("cookie", "").replace(",", ";").split(";")
    return {
        name.strip(): value.strip()
        for name, separator, value in (pair.partition("=") for pair in pairs)
        if separator
    }


def set_session_cookie(response: Response, token: str, expires_at: datetime) -> None:
    """Keep the session in a cookie that no script can read and no other site can set."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        expires=expires_at,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")


From = Annotated[Caller, Depends(_caller)]
SignedIn = Annotated[Principal, Depends(_signed_in)]
Admin = Annotated[Principal, Depends(_admin)]
