"""Sign-in with Plex: a PIN that the user approves at plex.tv becomes a session."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.http import Budget
from medianest.core.observability import count
from medianest.sessions import repository as sessions_repository
from medianest.sessions import service as sessions_service
from medianest.signin import repository
from medianest.signin.attempts import RefusedError, open_session, record_failures
from medianest.signin.plex import PlexAccess, PlexAccount, PlexClient
from medianest.users import repository as users_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.sessions.service import SignedIn
    from medianest.users.models import Principal, Role, User

HANDLE_BYTES = 32
MAX_PLEX_SECONDS = 10.0


class Pin(NamedTuple):
    """A sign-in in progress: the handle (`pin_id`), and the page where the user approves it."""

    pin_id: str
    code: str
    auth_url: str
    expires_at: datetime


@cache
def plex() -> PlexClient:
    """Return the plex.tv client of this execution environment."""
    return PlexClient(environment(), shared_cache())


def begin(caller: Caller) -> Pin:
    """Begin a sign-in: create a PIN at plex.tv, and a handle that only this caller gets.

    The ids of Plex's PINs are sequential, so with such an id any caller could finish the sign-in of
    another user. The handle is random, and the id of its PIN stays in the database.
    """
    pin = plex().create_pin()
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    with database().transaction() as connection:
        expires_at = repository.add(
            connection, handle, plex_pin_id=pin.id, ip=caller.ip, seconds=pin.seconds
        )
    return Pin(handle, pin.code, plex().sign_in_url(pin.code), expires_at)


def finish(handle: str, caller: Caller, previous: Principal | None) -> SignedIn:
    """Exchange the handle of an approved sign-in for a session, which replaces `previous`.

    Raises AppError PIN_EXPIRED, PIN_PENDING, PLEX_UNREACHABLE, PLEX_ACCESS_DENIED or
    ACCOUNT_SUSPENDED. A handle stays valid until the sign-in succeeds or is refused, so the client
    can retry after a short outage of plex.tv.
    """
    pending = database().read(lambda connection: repository.get(connection, handle))
    if pending is None:
        raise AppError(ErrorCode.PIN_EXPIRED)
    budget = _plex_budget()
    token = plex().claimed_token(pending.plex_pin_id, budget)
    if token is None:
        raise AppError(ErrorCode.PIN_PENDING)
    account = plex().account(token, budget)
    # The token is not stored, because only the sign-in needs it.
    with (
        record_failures(caller, Action.SIGN_IN_FAILED, method="plex"),
        _consume_if_refused(handle),
    ):
        access = _access(account, token, budget)
        with database().transaction() as connection:
            if not repository.consume(connection, handle):
                raise AppError(ErrorCode.PIN_EXPIRED)
            user, revoked_by_role = _user_of(connection, account, access, caller)
            details = {"method": "plex", "begunFrom": pending.ip}
            signed_in, revoked = open_session(connection, user, caller, previous, details)
    sessions_service.invalidate(user.id, revoked_by_role)
    if previous is not None:
        sessions_service.invalidate(previous.user_id, revoked)
    count("SignIn")
    return signed_in


@contextmanager
def _consume_if_refused(handle: str) -> Iterator[None]:
    """Consume the handle when the account is refused, because a retry would be refused too."""
    try:
        yield
    except RefusedError:
        with database().transaction() as connection:
            repository.consume(connection, handle)
        raise


def _plex_budget() -> Budget:
    """Return the time budget of all calls of plex.tv that finish one sign-in.

    1.5 times the timeout of one call, bounded so that the function can respond in time.
    """
    return Budget(min(1.5 * environment().upstream_timeout_seconds, MAX_PLEX_SECONDS))


def _access(account: PlexAccount, token: str, budget: Budget) -> PlexAccess | None:
    server_id = environment().plex_server_id
    if server_id is None:
        return None
    access = plex().access(token, server_id, budget)
    if not access.reachable:
        raise RefusedError(ErrorCode.PLEX_ACCESS_DENIED, "no_access", plexId=str(account.id))
    return access


def _user_of(
    connection: Connection[Any], account: PlexAccount, access: PlexAccess | None, caller: Caller
) -> tuple[User, list[UUID]]:
    """Add or update the user of an account; return the user and the sessions to invalidate.

    A change of the role revokes all sessions of the user.
    """
    admin = access is not None and access.owned
    previous_role = users_repository.lock_plex_role(connection, account.id) if admin else None
    # A managed user of a Plex Home has no address; .invalid never exists (RFC 2606).
    email = account.email or f"{account.id}@plex.invalid"
    user = users_repository.update_plex_user(
        connection, plex_id=account.id, email=email, username=account.username, admin=admin
    )
    if user is None:
        user = users_repository.add_plex_user(
            connection,
            plex_id=account.id,
            email=email,
            username=account.username,
            admin=admin,
            first_is_admin=access is None,
        )
        if user is not None:
            audit_repository.record(
                connection,
                Action.USER_CREATED,
                caller,
                user_id=user.id,
                target=("user", user.id),
                details={"role": user.role},
            )
    if user is None:
        # A concurrent sign-in added the user between the two statements.
        user = users_repository.update_plex_user(
            connection, plex_id=account.id, email=email, username=account.username, admin=admin
        )
    if user is None:
        raise RuntimeError("the Plex user could neither be updated nor added")
    if user.status == "suspended":
        raise RefusedError(ErrorCode.ACCOUNT_SUSPENDED, "suspended", user_id=user.id)
    if previous_role in {None, user.role}:
        return user, []
    _record_promotion(connection, user, previous_role, caller)
    return user, sessions_repository.revoke_all(connection, user.id)[1]


def _record_promotion(
    connection: Connection[Any], user: User, previous: Role | None, caller: Caller
) -> None:
    audit_repository.record(
        connection,
        Action.USER_CHANGED,
        caller,
        user_id=user.id,
        target=("user", user.id),
        details={"role": {"from": previous, "to": user.role}},
    )
