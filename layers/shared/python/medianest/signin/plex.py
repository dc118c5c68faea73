"""A client of the plex.tv API for sign-ins: PINs (v2), the account, its servers.

plex.tv adds and removes fields, so every response is validated here. An invalid id, code or token
is PLEX_UNREACHABLE (section 2 of the contract). An invalid optional field, or one invalid device
among others, is treated as absent.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from pydantic import Field, ValidationError

from medianest import VERSION
from medianest.core.cache import Cache
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.http import Budget, UpstreamError
from medianest.core.observability import count, logger
from medianest.core.text import clean
from medianest.core.upstream import Upstream, unavailable
from medianest.core.variables import Environment
from medianest.core.wire import Reader, Wire, cause_of

PRODUCT = "MediaNest"
# A strong PIN of Plex expires after half an hour; a sign-in must finish within this time.
MAX_PIN_SECONDS = 600
MAX_NAME_CHARS = 200
# RFC 5321, section 4.5.3.1.3, without the brackets around it. A token has the address: one that is
# longer could exceed the size of a token.
MAX_EMAIL_BYTES = 254
_PLEX_ID = Annotated[int, Field(gt=0, lt=2**63)]


class _Pin(Wire):
    id: _PLEX_ID
    code: Annotated[str, Field(min_length=1, max_length=100)]
    expiresIn: Annotated[int, Field(gt=0)] = MAX_PIN_SECONDS


class _ClaimedPin(Wire):
    # A token becomes a header: visible ASCII only.
    authToken: Annotated[str, Field(pattern=r"^[!-~]*$", max_length=4096)] | None = None


class _Account(Wire):
    id: _PLEX_ID
    username: str | None = None
    title: str | None = None
    friendlyName: str | None = None
    email: str | None = None


class _Device(Wire):
    clientIdentifier: str | None = None
    provides: str | None = None
    owned: bool | None = None

    @property
    def is_server(self) -> bool:
        return "server" in [each.strip() for each in (self.provides or "").split(",")]


class PlexPin(NamedTuple):
    """A PIN that its user has not approved yet."""

    id: int
    code: str
    seconds: int


class PlexAccount(NamedTuple):
    """The account that approved a PIN. `email` is None for a managed user of a Plex Home."""

    id: int
    username: str
    email: str | None


class PlexAccess(NamedTuple):
    """The access of an account to a server."""

    reachable: bool
    owned: bool


class PlexClient:
    """plex.tv for one installation; every method raises AppError PLEX_UNREACHABLE on failure."""

    def __init__(self, environment: Environment, cache: Cache) -> None:
        self._plex_tv = Upstream(environment.plex_api_url, cache)
        self._auth_url = environment.plex_auth_url
        # plex.tv returns a PIN only to the client identifier that created it.
        self._client_id = environment.plex_client_id or ""

    def create_pin(self) -> PlexPin:
        """Create a strong PIN, which the hosted sign-in page requires."""
        # In the query, because plex.tv ignores `strong` in the body and creates a weak PIN.
        status, body = self._call("POST", "/api/v2/pins", query={"strong": "true"})
        if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise _unreachable(f"status {status} for a new PIN")
        with _reject_invalid():
            pin = self._reader("/api/v2/pins").read(_Pin, body)
        return PlexPin(pin.id, pin.code, min(pin.expiresIn, MAX_PIN_SECONDS))

    def sign_in_url(self, code: str) -> str:
        """Return the hosted page on which the user approves a PIN."""
        fragment = urlencode(
            {"clientID": self._client_id, "code": code, "context[device][product]": PRODUCT}
        )
        return f"{self._auth_url}#?{fragment}"

    def claimed_token(self, pin_id: int, budget: Budget | None = None) -> str | None:
        """Return the Plex token of an approved PIN, None while it waits.

        Raises AppError PIN_EXPIRED when plex.tv no longer has the PIN.
        """
        status, body = self._call("GET", f"/api/v2/pins/{pin_id}", budget=budget)
        # Only a 404 with plex.tv's error format is about the PIN; others may come from a proxy.
        if status == HTTPStatus.NOT_FOUND and isinstance(body, dict) and "errors" in body:
            raise AppError(ErrorCode.PIN_EXPIRED)
        if status != HTTPStatus.OK:
            raise _unreachable(f"status {status} for a PIN")
        # Without the Reader, which would treat an invalid token as absent.
        with _reject_invalid():
            return _ClaimedPin.model_validate(body).authToken or None

    def account(self, token: str, budget: Budget | None = None) -> PlexAccount:
        """Return the account of a token."""
        status, body = self._call("GET", "/api/v2/user", token=token, budget=budget)
        if status != HTTPStatus.OK:
            raise _unreachable(f"status {status} for a fresh token")
        with _reject_invalid():
            account = self._reader("/api/v2/user").read(_Account, body)
        names = map(_name, (account.username, account.title, account.friendlyName))
        username = next(filter(None, names), f"plex-{account.id}")
        return PlexAccount(account.id, username, _email(account.email))

    def access(self, token: str, server_id: str, budget: Budget | None = None) -> PlexAccess:
        """Return whether the account of a token can reach a server, and whether it owns it."""
        status, body = self._call(
            "GET",
            "/api/v2/resources",
            token=token,
            query={"includeHttps": "1", "includeRelay": "1"},
            budget=budget,
        )
        if status != HTTPStatus.OK:
            raise _unreachable(f"status {status} for the servers of an account")
        if not isinstance(body, list):
            raise _unreachable("the servers of an account are not a list")
        servers = [
            device
            for device in self._reader("/api/v2/resources").read_each(_Device, body)
            if device.clientIdentifier == server_id and device.is_server
        ]
        return PlexAccess(bool(servers), any(server.owned for server in servers))

    def _reader(self, path: str) -> Reader:
        return Reader(self._plex_tv.host, path, ("id", "clientIdentifier"))

    def _call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        query: dict[str, str] | None = None,
        budget: Budget | None = None,
    ) -> tuple[int, Any]:
        headers = {
            "Accept": "application/json",
            "X-Plex-Client-Identifier": self._client_id,
            "X-Plex-Product": PRODUCT,
            "X-Plex-Version": VERSION,
            "X-Plex-Platform": "Python",
            "X-Plex-Platform-Version": platform.python_version(),
            "X-Plex-Device": "Server",
            "X-Plex-Device-Name": PRODUCT,
            "X-Plex-Model": "Server",
        }
        if token:
            headers["X-Plex-Token"] = token
        try:
            return self._plex_tv.request(method, path, headers=headers, query=query, budget=budget)
        except UpstreamError as error:
            raise _unreachable(str(error), error) from error


@contextmanager
def _reject_invalid() -> Iterator[None]:
    """Raise PLEX_UNREACHABLE when the block finds an invalid response."""
    try:
        yield
    except ValidationError as error:
        raise _unreachable(cause_of(error)) from error


def _unreachable(cause: str, error: UpstreamError | None = None) -> AppError:
    count("PlexUnreachable")
    logger.warning("plex_failed", extra={"cause": cause})
    return unavailable(ErrorCode.PLEX_UNREACHABLE, error)


def _name(text: str | None) -> str:
    return clean(clean(text or "")[:MAX_NAME_CHARS])


def _email(text: str | None) -> str | None:
    """Return a valid e-mail address, or None; a truncated one could belong to another person."""
    email = clean(text or "")
    return email if 0 < len(email.encode()) <= MAX_EMAIL_BYTES else None
