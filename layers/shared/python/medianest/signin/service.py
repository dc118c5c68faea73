"""Rules of signing in: with Plex, or with the password of a local account."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core import passwords
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.environment import environment
from medianest.core.errors import AppError, ErrorCode, invalid
from medianest.core.http import Budget
from medianest.core.observability import count, logger
from medianest.rate_limits import service as rate_limits
from medianest.rate_limits.policies import digest, network
from medianest.sessions import service as sessions
from medianest.signin import repository
from medianest.signin.plex import PlexAccess, PlexAccount, PlexClient
from medianest.users import repository as users
from medianest.users.service import lock_active_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller, Principal
    from medianest.rate_limits.policies import LimitKey
    from medianest.rate_limits.sliding_window import LimitResult
    from medianest.sessions.service import SignedIn
    from medianest.users.models import LocalAccount, User

HANDLE_BYTES = 32
MAX_PLEX_SECONDS = 10.0
_METRICS = {
    Action.SIGN_IN_FAILED: "SignInFailed",
    Action.PASSWORD_FAILED: "PasswordChangeFailed",
}


class RefusedError(AppError):
    """A refusal whose reason only the audit log and the operator get to know."""

    def __init__(
        self, code: ErrorCode, reason: str, *, user_id: UUID | None = None, **details: Any
    ) -> None:
        unauthorized = code is ErrorCode.INVALID_CREDENTIALS
        super().__init__(code, headers={"WWW-Authenticate": "Bearer"} if unauthorized else None)
        self.user_id = user_id
        self.known = {"reason": reason, **details}


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
    return PlexClient(environment(), shared_cache())


def begin(caller: Caller) -> Pin:
    """Begin a sign-in: a PIN at plex.tv, and a handle of ours that only this caller knows.

    Plex numbers its PINs in sequence, so its id alone would let anybody finish a neighbour's
    sign-in; ours is unguessable, and what it stands for never leaves.
    """
    pin = plex().create_pin()
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    with database().transaction() as connection:
        expires_at = repository.add(
            connection, handle, plex_pin_id=pin.id, ip=caller.ip, seconds=pin.seconds
        )
    return Pin(handle, pin.code, plex().sign_in_url(pin.code), expires_at)


def finish(handle: str, caller: Caller, former: Principal | None) -> SignedIn:
    """Turn an approved sign-in into a session; a handle works once.

    The session that signs in anew, `former`, ends with it.

    Raises AppError PIN_EXPIRED, PIN_PENDING, PLEX_UNREACHABLE, PLEX_ACCESS_DENIED or
    ACCOUNT_SUSPENDED. Until it has worked a handle stays good, so that a plex.tv that was away
    for a moment costs nobody their sign-in.
    """
    with database().transaction() as connection:
        begun = repository.get(connection, handle)
    if begun is None:
        raise AppError(ErrorCode.PIN_EXPIRED)
    budget = _plex_budget()
    token = plex().claimed_token(begun.plex_pin_id, budget)
    if token is None:
        raise AppError(ErrorCode.PIN_PENDING)
    account = plex().account(token, budget)
    # The token is not kept: identity is all we wanted of it.
    with (
        _failures_on_record(caller, Action.SIGN_IN_FAILED, method="plex"),
        _refusal_ends(handle),
    ):
        access = _access(account, token, budget)
        with database().transaction() as connection:
            if not repository.use(connection, handle):
                raise AppError(ErrorCode.PIN_EXPIRED)
            user, outdated = _user_of(connection, account, access, caller)
            how = {"method": "plex", "begunFrom": begun.ip}
            signed_in, ended = _enter(connection, user, caller, former, how)
    sessions.invalidate(user.id, outdated)
    if former is not None:
        sessions.invalidate(former.user_id, ended)
    count("SignIn")
    return signed_in


def sign_in(
    identifier: str,
    password: str,
    caller: Caller,
    former: Principal | None,
    tell: Callable[[Sequence[LimitResult]], None],
) -> SignedIn:
    """Sign in to a local account by its e-mail address or user name; `former` ends with it.

    `tell` gets what the limits leave. Raises AppError RATE_LIMITED, INVALID_CREDENTIALS after equal
    work for an account that does not exist, and ACCOUNT_SUSPENDED, only after the right password.
    """
    place = network(caller.ip)
    with database().transaction() as connection:
        account = users.find_local_account(connection, identifier)
        user_id = None if account is None else account.user_id
        is_known = repository.is_known_network(connection, user_id, place)
    # Charged before the password is checked, so that guesses at once count, and taken back when it
    # is right: only failures count.
    charge = rate_limits.charge(_login_shares(identifier, place, is_known=is_known), caller)
    tell(charge.results)
    charge.check()
    entered = None
    with _failures_on_record(caller, Action.SIGN_IN_FAILED, method="password"):
        while entered is None:
            entered = _enter_by_password(account, password, caller, former)
            if entered is None:
                with database().transaction() as connection:
                    account = users.find_local_account(connection, identifier)
    tell(charge.refund())
    signed_in, ended = entered
    if former is not None:
        sessions.invalidate(former.user_id, ended)
    count("SignIn")
    return signed_in


def _login_shares(identifier: str, place: str, *, is_known: bool) -> list[LimitKey]:
    """Return what a failed login counts against.

    By what was typed and not by the account: an account that does not exist has the same buckets. A
    network that has signed in to the account before has one of its own, which strangers elsewhere
    cannot use up.
    """
    typed = digest(identifier)
    if is_known:
        return [("login", f"{typed}:{place}")]
    return [("login", place), ("login", typed)]


def _enter_by_password(
    account: LocalAccount | None, password: str, caller: Caller, former: Principal | None
) -> tuple[SignedIn, list[UUID]] | None:
    """Check a password and make a session; return None when what was kept of it changed meanwhile.

    A session made of the former password would outlive the change that ended all others.
    """
    matches = passwords.verify(password, account.password_hash if account else None)
    if account is None:
        raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "unknown_account")
    if not matches:
        raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=account.user_id)
    outdated = passwords.is_outdated(account.password_hash)
    new_hash = passwords.hash_password(password) if outdated else None
    with database().transaction() as connection:
        user = users.lock_local_user(connection, account)
        if user is None:
            return None
        if user.status == "suspended":
            raise RefusedError(ErrorCode.ACCOUNT_SUSPENDED, "suspended", user_id=user.id)
        if new_hash is not None:
            users.replace_password(connection, account, new_hash)
        repository.remember_network(connection, user.id, network(caller.ip))
        return _enter(connection, user, caller, former, {"method": "password"})


def change_password(principal: Principal, current: str, new: str, caller: Caller) -> None:
    """Change the password of a local account and end all its other sessions.

    Raises AppError INVALID_CREDENTIALS for a wrong current password, also when a change at the same
    time was faster, and for an account without any; VALIDATION_ERROR for a new one that is weak;
    JWT_INVALID when the session was revoked meanwhile.
    """
    user_id = principal.user_id
    with _failures_on_record(caller, Action.PASSWORD_FAILED):
        with database().transaction() as connection:
            account = users.get_local_account(connection, user_id)
        if account is None:
            raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "no_password", user_id=user_id)
        if not passwords.verify(current, account.password_hash):
            raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=user_id)
        _check_new_password(account, current, new)
        new_hash = passwords.hash_password(new)
        with database().transaction() as connection:
            lock_active_user(connection, principal)
            if not users.replace_password(connection, account, new_hash):
                raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=user_id)
            number, ended = users.revoke_sessions(
                connection, user_id, except_id=principal.session_id
            )
            audit.record(
                connection,
                Action.PASSWORD_CHANGED,
                caller,
                user_id=user_id,
                target=("user", user_id),
                details={"sessions": number},
            )
    sessions.invalidate(user_id, ended)
    logger.info("password_changed", extra={"user_id": str(user_id)})


def _check_new_password(account: LocalAccount, current: str, new: str) -> None:
    problems = passwords.weaknesses(new, username=account.username, email=account.email)
    if passwords.is_same(new, current):
        problems.append("Use another password than the current one")
    if problems:
        raise invalid("body.newPassword", *problems)


@contextmanager
def _failures_on_record(caller: Caller, action: Action, **details: Any) -> Iterator[None]:
    """Write a refusal down in a transaction of its own: the refused one is rolled back by then."""
    try:
        yield
    except RefusedError as refused:
        details |= refused.known
        with database().transaction() as connection:
            audit.record(connection, action, caller, user_id=refused.user_id, details=details)
        count(_METRICS[action])
        user_id = None if refused.user_id is None else str(refused.user_id)
        logger.warning(action, extra={"user_id": user_id, **details})
        raise


def _enter(
    connection: Connection[Any],
    user: User,
    caller: Caller,
    former: Principal | None,
    details: dict[str, str | None],
) -> tuple[SignedIn, list[UUID]]:
    """Make the session of a sign-in; return it and the sessions it ends."""
    ended = sessions.revoke_previous(connection, former, caller) if former else []
    signed_in = sessions.open_session(connection, user, caller)
    audit.record(
        connection,
        Action.SIGN_IN,
        caller,
        user_id=user.id,
        target=("session", signed_in.session_id),
        details=details,
    )
    return signed_in, ended


@contextmanager
def _refusal_ends(handle: str) -> Iterator[None]:
    """Use a handle up when its account is refused: asking again would end the same way."""
    try:
        yield
    except RefusedError:
        with database().transaction() as connection:
            repository.use(connection, handle)
        raise


def _plex_budget() -> Budget:
    """Return the time for the calls of plex.tv that finish one sign-in, all together.

    Half as much again as one call may take, and never so much that the function runs out of time.
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
    """Return the account's user, up to date or new, and the sessions that another role ends."""
    admin = access is not None and access.owned
    former_role = users.lock_plex_role(connection, account.id) if admin else None
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
        raise RefusedError(ErrorCode.ACCOUNT_SUSPENDED, "suspended", user_id=user.id)
    if former_role in {None, user.role}:
        return user, []
    return user, users.revoke_sessions(connection, user.id)[1]
