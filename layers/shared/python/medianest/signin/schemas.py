"""API models of sign-in."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from medianest.core.envelope import TYPED, RequestModel, ResponseModel, Timestamp
from medianest.core.examples import Examples
from medianest.sessions import csrf
from medianest.sessions.service import SignedIn
from medianest.signin.passwords import Password
from medianest.users.models import Principal, User
from medianest.users.schemas import EXAMPLE_USER, MAX_EMAIL, UserOut

# Handles have 43 characters; the bound only keeps oversized values away from the hash.
type Handle = Annotated[str, Field(min_length=1, max_length=200)]
type Identifier = Annotated[str, TYPED, Field(min_length=1, max_length=MAX_EMAIL)]
type SessionKind = Literal["bearer", "cookie"]

# The languages of the page: the files of web/locales.
LANGUAGES = ("en", "de")

_PIN_ID = "Zr8W1c0yqk3ZkVt5o7mX2bq9sJdL4nPpE6uH0aRfTgY"
_PASSWORD = "Tr0ub4dor-and-3"  # noqa: S105 - an example
_CSRF_TOKEN = f"{'0a1b2c3d' * 8}.{'4e5f6071' * 4}"
_SIGNED_IN = {"user": EXAMPLE_USER, "expiresAt": "2026-02-01T18:30:00.000Z"}


def _session_kind() -> Any:
    return Field(
        default="bearer",
        description="Return the token in the response (`bearer`) or set it as a cookie (`cookie`)",
    )


class PinOut(ResponseModel):
    """A started sign-in: open `auth_url`, approve it there, then verify with `pin_id`."""

    EXAMPLES: ClassVar[Examples] = {
        "started": {
            "pinId": _PIN_ID,
            "code": "ab12cd34ef56gh78",
            "authUrl": "https://app.plex.tv/auth#?clientID=medianest&code=ab12cd34ef56gh78",
            "expiresAt": "2026-01-02T18:40:00.000Z",
        }
    }

    pin_id: str = Field(
        description="Handle of this sign-in, which works once; only the caller knows it"
    )
    code: str = Field(description="Code for the sign-in page at Plex; `authUrl` contains it")
    auth_url: str = Field(description="Sign-in page at Plex, to open in a browser")
    expires_at: Timestamp = Field(description="Time when this sign-in expires")


class VerifyIn(RequestModel):
    """The completion of a sign-in with Plex."""

    EXAMPLES: ClassVar[Examples] = {
        "token": {"pinId": _PIN_ID},
        "cookie": {"pinId": _PIN_ID, "session": "cookie"},
    }

    pin_id: Handle = Field(description="Handle that the start of the sign-in returned")
    session: SessionKind = _session_kind()


class LoginIn(RequestModel):
    """A sign-in to a local account."""

    EXAMPLES: ClassVar[Examples] = {
        "token": {"identifier": "carol", "password": _PASSWORD},
        "cookie": {"identifier": "carol", "password": _PASSWORD, "session": "cookie"},
    }

    identifier: Identifier = Field(
        description="E-mail address or user name; case and surrounding spaces are ignored"
    )
    password: Password = Field(description="Password of the account")
    session: SessionKind = _session_kind()


class PasswordIn(RequestModel):
    """A change of the caller's password."""

    EXAMPLES: ClassVar[Examples] = {
        "change": {"currentPassword": _PASSWORD, "newPassword": "c0rrect-Horse-battery"}
    }

    current_password: Password | None = Field(default=None, description="Current password")
    new_password: Password = Field(
        description="At least 8 characters with a lower-case letter, an upper-case letter, a digit"
        " and another character; neither common nor similar to the user name or e-mail address"
    )


class SignedInOut(ResponseModel):
    """The user and the new session."""

    EXAMPLES: ClassVar[Examples] = {
        "token": _SIGNED_IN
        | {"token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFmMGEyYjNjIn0.eyJzdWIiOiI1YTBjIn0.c2lnbmF0dXJl"},
        "cookie": _SIGNED_IN | {"csrfToken": _CSRF_TOKEN},
    }

    user: UserOut
    expires_at: Timestamp = Field(description="Time when the token or cookie expires")
    token: str | None = Field(
        default=None,
        description="Value for `Authorization: Bearer`; absent for a cookie session",
    )
    csrf_token: str | None = Field(
        default=None, description="Value for `X-CSRF-Token`; only for a cookie session"
    )

    @classmethod
    def of(cls, signed_in: SignedIn, kind: SessionKind) -> Self:
        """Build the response for a new session; a cookie session has its token in the cookie."""
        out = cls(user=UserOut.model_validate(signed_in.user), expires_at=signed_in.expires_at)
        if kind == "cookie":
            return out.model_copy(update={"csrf_token": csrf.issue(signed_in.session_id)})
        return out.model_copy(update={"token": signed_in.token})


class CurrentSessionOut(ResponseModel):
    """The session of a call; empty without a valid one."""

    EXAMPLES: ClassVar[Examples] = {
        "cookie": _SIGNED_IN | {"csrfToken": _CSRF_TOKEN},
        "token": _SIGNED_IN,
        "no session": {},
    }

    user: UserOut | None = Field(
        default=None, description="The signed-in user; absent without a valid session"
    )
    csrf_token: str | None = Field(
        default=None, description="Value for `X-CSRF-Token`; only for a cookie session"
    )
    expires_at: Timestamp | None = Field(
        default=None, description="Time when the token or cookie expires"
    )

    @classmethod
    def of(cls, user: User, principal: Principal) -> Self:
        """Build the response for a valid session."""
        return cls(
            user=UserOut.model_validate(user),
            csrf_token=csrf.issue(principal.session_id) if principal.by_cookie else None,
            expires_at=principal.expires_at,
        )


class SignInOptionsOut(ResponseModel):
    """The content of the sign-in page."""

    EXAMPLES: ClassVar[Examples] = {
        "default": {
            "plex": True,
            "local": True,
            "name": "MediaNest",
            "languages": list(LANGUAGES),
            "secureCookie": True,
            "address": "203.0.113.7",
        }
    }

    plex: bool = Field(description="Whether the page offers to sign in with Plex")
    local: bool = Field(description="Whether the page offers to sign in to a local account")
    name: str = Field(description="Name of the community (setting `signIn.page`)")
    languages: list[str] = Field(description="Languages of the page")
    secure_cookie: bool = Field(description="Whether a cookie session requires HTTPS")
    address: str | None = Field(
        default=None,
        description="IP address of the caller, as limits and the audit log have it; absent if"
        " unknown",
    )


class CsrfOut(ResponseModel):
    """A CSRF token."""

    EXAMPLES: ClassVar[Examples] = {"token": {"csrfToken": _CSRF_TOKEN}}

    csrf_token: str = Field(description="Value for `X-CSRF-Token`, bound to this session")


class RefreshIn(RequestModel):
    """A refresh of a session; it has no fields."""

    EXAMPLES: ClassVar[Examples] = {"empty": {}}


class LogoutIn(RequestModel):
    """A sign-out."""

    EXAMPLES: ClassVar[Examples] = {"this session": {}, "all sessions": {"allSessions": True}}

    all_sessions: bool = Field(
        default=False, description="Revoke all sessions of the user, not only this one"
    )
