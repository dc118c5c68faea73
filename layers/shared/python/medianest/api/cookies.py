"""The session cookie: how to read, set and delete it."""

from datetime import UTC, datetime

from fastapi import Request, Response

from medianest.api.event import proxy_call
from medianest.core.environment import environment

SECURE_COOKIE = "__Host-medianest_session"
# For COOKIE_SECURE=false: browsers reject the prefix without Secure, and WebKit rejects Secure over
# plain HTTP, on localhost too.
PLAIN_COOKIE = "medianest_session"


def session_cookie(request: Request) -> str:
    """Return the session cookie's value, or an empty string when there is none or more than one.

    The value comes from the headers of the event. The ASGI scope joins repeated headers by commas,
    so that part of another cookie's value could pass for a session cookie.
    """
    expected = _name()
    lines = proxy_call(request).headers.get("cookie", [])
    pairs = [pair.partition("=") for line in lines for pair in line.split(";")]
    values = [value.strip() for name, _, value in pairs if name.strip() == expected]
    return values[0] if len(values) == 1 else ""


def set_session_cookie(response: Response, token: str, expires_at: datetime) -> None:
    """Set the session cookie; scripts cannot read it, and other hosts cannot set a secure one."""
    response.set_cookie(
        _name(),
        token,
        expires=expires_at.astimezone(UTC),
        path="/",
        secure=environment().has_secure_cookie,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(
        _name(),
        path="/",
        secure=environment().has_secure_cookie,
        httponly=True,
        samesite="lax",
    )


def _name() -> str:
    # One of the two names, so that a value under the other one never counts.
    return SECURE_COOKIE if environment().has_secure_cookie else PLAIN_COOKIE
