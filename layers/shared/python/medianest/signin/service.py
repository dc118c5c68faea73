"""Rules of signing in with Plex."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core.config import settings
from medianest.core.db import database
from medianest.core.errors import AppError, ErrorCode
from medianest.core.observability import count
from medianest.sessions import service as sessions
from medianest.signin import repository
from medianest.signin.plex import PlexAccess, PlexAccount, PlexClient
from medianest.users import repository as users

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.sessions.service import SignedIn
    from medianest.users.models import User

HANDLE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pin:
    """A sign-in just begun."""

    pin_id: str
    code: str
    auth_url: str
    expires_at: datetime


@cache
def plex() -> PlexClient:
    """Return this environment's client of plex.tv."""
    return PlexClient(settings())


def begin() -> Pin:
    """Begin a sign-in: a PIN at plex.tv, and a handle of ours that only this caller knows.

    Plex numbers its PINs in sequence, so its id alone would let anybody finish a neighbour's
    sign-in; ours is unguessable, and what it stands for never leaves.
    """
    pin = plex().create_pin()
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    with database().transaction() as connection:
        expires_at = repository.add(connection, handle, plex_pin_id=pin.id, seconds=pin.seconds)
    return Pin(handle, pin.code, plex().sign_in_url(pin.code), expires_at)


def finish(handle: str, caller: Caller) -> SignedIn:
    """Turn an approved sign-in into a session; a handle works once.

    Raises AppError PIN_EXPIRED, PIN_PENDING, PLEX_UNREACHABLE, PLEX_ACCESS_DENIED or
    ACCOUNT_SUSPENDED. Until it has worked a handle stays good, so that a plex.tv that was away
    for a moment costs nobody their sign-in.
    """
    with database().transaction() as connection:
        begun = repository.get(connection, handle)
    if begun is None:
        raise AppError(ErrorCode.PIN_EXPIRED)
    token = plex().claimed_token(begun.plex_pin_id)
    if token is None:
        raise AppError(ErrorCode.PIN_PENDING)
    account = plex().account(token)
    access = _access(token)
    # The token is not kept: identity is all we wanted of it.
    with database().transaction() as connection:
        if not repository.use(connection, handle):
            raise AppError(ErrorCode.PIN_EXPIRED)
        user = _user_of(connection, account, access, caller)
        signed_in = sessions.open_session(connection, user, caller)
        audit.record(
            connection,
            Action.SIGN_IN,
            caller,
            user_id=user.id,
            target=("session", signed_in.session_id),
            details={"method": "plex"},
        )
    count("SignIn")
    return signed_in


def _access(token: str) -> PlexAccess | None:
    server_id = settings().plex_server_id
    if server_id is None:
        return None
    access = plex().access(token, server_id)
    if not access.reachable:
        raise AppError(ErrorCode.PLEX_ACCESS_DENIED)
    return access


def _user_of(
    connection: Connection[Any], account: PlexAccount, access: PlexAccess | None, caller: Caller
) -> User:
    """Return the account's user, up to date or new."""
    admin = access is not None and access.owned
    # A managed user of a Plex Home has no address; .invalid can never be anybody's (RFC 2606).
    email = account.email or f"{account.id}@plex.invalid"
    user = users.update_plex_user(
        connection, plex_id=account.id, email=email, username=account.username, admin=admin
    )
    if user is None:
        user = users.add_plex_user(
            connection,
            plex_id=account.id,
            email=email,
            username=account.username,
            admin=admin,
            first_is_admin=access is None,
        )
        if user is not None:
            audit.record(
                connection,
                Action.USER_CREATED,
                caller,
                user_id=user.id,
                target=("user", user.id),
                details={"role": user.role},
            )
    if user is None:
        # Added by a concurrent sign-in between our two statements, so it is there now.
        user = users.update_plex_user(
            connection, plex_id=account.id, email=email, username=account.username, admin=admin
        )
    if user is None:
        raise RuntimeError("a Plex user can neither be found nor added")
    if user.status == "suspended":
        raise AppError(ErrorCode.ACCOUNT_SUSPENDED)
    return user
