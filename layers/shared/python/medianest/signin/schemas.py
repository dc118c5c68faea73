"""Sign-in on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field

from medianest.core.envelope import TYPED, RequestModel, ResponseModel, Timestamp
from medianest.sessions import csrf
from medianest.sessions.service import SignedIn
from medianest.signin.passwords import MAX_LENGTH
from medianest.users.schemas import MAX_EMAIL, UserOut

# Our handles are 43 characters; the bound only keeps nonsense away from the hash.
# Bounded before it is hashed; what a new one must be like is told all at once, by the rules.
type Password = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


type Handle = Annotated[str, Field(min_length=1, max_length=200)]
type Identifier = Annotated[str, TYPED, Field(min_length=1, max_length=MAX_EMAIL)]
type SessionKind = Literal["bearer", "cookie"]


class PinIn(RequestModel):
    """Nothing is needed to begin a sign-in."""


class PinOut(ResponseModel):
    """A sign-in that was begun: open `auth_url`, approve, then verify with `pin_id`."""

    pin_id: str
    code: str
    auth_url: str
    expires_at: Timestamp


class VerifyIn(RequestModel):
    """Finish a sign-in; `session` says whether the token comes in the answer or in a cookie."""

    pin_id: Handle
    session: SessionKind = "bearer"


class LoginIn(RequestModel):
    """Sign in to a local account, by its e-mail address or user name."""

    identifier: Identifier
    password: Password
    session: SessionKind = "bearer"


class PasswordIn(RequestModel):
    """Change one's own password; an account without one has none to change."""

    current_password: Password | None = None
    new_password: Password


class SignedInOut(ResponseModel):
    """Who signed in: with `token` for a bearer, with `csrf_token` for a cookie session."""

    user: UserOut
    expires_at: Timestamp
    token: str | None = None
    csrf_token: str | None = None

    @classmethod
    def of(cls, signed_in: SignedIn, kind: SessionKind) -> Self:
        """Describe a new session; the token of a cookie session is in its cookie alone."""
        out = cls(user=UserOut.model_validate(signed_in.user), expires_at=signed_in.expires_at)
        if kind == "cookie":
            return out.model_copy(update={"csrf_token": csrf.issue(signed_in.session_id)})
        return out.model_copy(update={"token": signed_in.token})


class CsrfOut(ResponseModel):
    """The value to send in X-CSRF-Token."""

    csrf_token: str


class RefreshIn(RequestModel):
    """Nothing but the credential is needed to refresh a session."""


class LogoutIn(RequestModel):
    """Which sessions end: the one that asks, or all of its user's."""

    all_sessions: bool = False
