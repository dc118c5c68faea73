"""Sign-in on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from medianest.core.envelope import In, Out, Timestamp
from medianest.users.schemas import UserOut

# Our handles are 43 characters; the bound only keeps nonsense away from the hash.
type Handle = Annotated[str, Field(min_length=1, max_length=200)]
type SessionKind = Literal["bearer", "cookie"]


class PinIn(In):
    """Nothing is needed to begin a sign-in."""


class PinOut(Out):
    """A sign-in that was begun: open `auth_url`, approve, then verify with `pin_id`."""

    pin_id: str
    code: str
    auth_url: str
    expires_at: Timestamp


class VerifyIn(In):
    """Finish a sign-in; `session` says whether the token comes in the answer or in a cookie."""

    pin_id: Handle
    session: SessionKind = "bearer"


class SignedInOut(Out):
    """Who signed in: with `token` for a bearer, with `csrf_token` for a cookie session."""

    user: UserOut
    expires_at: Timestamp
    token: str | None = None
    csrf_token: str | None = None


class CsrfOut(Out):
    """The value to send in X-CSRF-Token."""

    csrf_token: str


class LogoutIn(In):
    """Which sessions end: the one that asks, or all of its user's."""

    all_sessions: bool = False
