"""Sign-in with the password of a local account, and the change of that password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid
from medianest.core.observability import count, logger
from medianest.rate_limits import service as rate_limits_service
from medianest.rate_limits.policies import digest, network
from medianest.sessions import repository as sessions_repository
from medianest.sessions import service as sessions_service
from medianest.signin import passwords, repository
from medianest.signin.attempts import RefusedError, open_session, record_failures
from medianest.users import repository as users_repository
from medianest.users.service import lock_active_user

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.rate_limits.policies import LimitKey
    from medianest.rate_limits.sliding_window import LimitResult
    from medianest.sessions.service import SignedIn
    from medianest.users.models import LocalAccount, Principal


def sign_in(
    identifier: str,
    password: str,
    caller: Caller,
    previous: Principal | None,
    report: Callable[[Sequence[LimitResult]], None],
) -> SignedIn:
    """Sign in to a local account by e-mail address or user name; revoke the session `previous`.

    `report` receives the state of the rate limits, for the headers of the response. Raises AppError
    RATE_LIMITED, INVALID_CREDENTIALS (after the same work for an unknown account), or
    ACCOUNT_SUSPENDED (only for the correct password).
    """
    client_network = network(caller.ip)
    with database().transaction() as connection:
        account = users_repository.find_local_account(connection, identifier)
        user_id = None if account is None else account.user_id
        is_known = repository.is_known_network(connection, user_id, client_network)
    # Charged before the password is checked, so that concurrent guesses count; refunded when it is
    # correct, so that only failures count.
    charge = rate_limits_service.charge(
        _limit_keys(identifier, client_network, is_known=is_known), caller
    )
    report(charge.results)
    charge.check()
    opened = None
    with record_failures(caller, Action.SIGN_IN_FAILED, method="password"):
        try:
            while opened is None:
                opened = _open_session_by_password(account, password, caller, previous)
                if opened is None:
                    with database().transaction() as connection:
                        account = users_repository.find_local_account(connection, identifier)
        except RefusedError:
            raise
        except AppError:
            # The database failed after the password had proved correct: no failure of the caller.
            report(charge.refund())
            raise
    report(charge.refund())
    signed_in, revoked = opened
    if previous is not None:
        sessions_service.invalidate(previous.user_id, revoked)
    count("SignIn")
    return signed_in


def _limit_keys(identifier: str, client_network: str, *, is_known: bool) -> list[LimitKey]:
    """Return the limit keys of a failed sign-in.

    They depend on the typed identifier and not on the account: an unknown account has the same
    buckets. A network from which the account has signed in before has its own bucket, which other
    networks cannot exhaust.
    """
    identifier_digest = digest(identifier)
    if is_known:
        return [("login", f"{identifier_digest}:{client_network}")]
    return [("login", client_network), ("login", identifier_digest)]


def _open_session_by_password(
    account: LocalAccount | None, password: str, caller: Caller, previous: Principal | None
) -> tuple[SignedIn, list[UUID]] | None:
    """Check a password and open a session; return None when the password was just changed.

    The change revokes the other sessions, so none may be opened with the previous password after
    it.
    """
    matches = passwords.verify(password, account.password_hash if account else None)
    if account is None:
        raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "unknown_account")
    if not matches:
        raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=account.user_id)
    outdated = passwords.is_outdated(account.password_hash)
    new_hash = passwords.hash_password(password) if outdated else None
    with database().transaction() as connection:
        user = users_repository.lock_local_user(connection, account)
        if user is None:
            return None
        if user.status == "suspended":
            raise RefusedError(ErrorCode.ACCOUNT_SUSPENDED, "suspended", user_id=user.id)
        if new_hash is not None:
            users_repository.replace_password(connection, account, new_hash)
        repository.remember_network(connection, user.id, network(caller.ip))
        return open_session(connection, user, caller, previous, {"method": "password"})


def change_password(principal: Principal, current: str, new: str, caller: Caller) -> None:
    """Change the password of a local account and revoke all its other sessions.

    Raises AppError INVALID_CREDENTIALS for an account without a password and for a wrong current
    password, also when a concurrent call has just changed it; VALIDATION_ERROR for a weak new
    password; JWT_INVALID when the session was revoked after authentication.
    """
    user_id = principal.user_id
    with record_failures(caller, Action.PASSWORD_FAILED):
        with database().transaction() as connection:
            account = users_repository.get_local_account(connection, user_id)
        if account is None:
            raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "no_password", user_id=user_id)
        if not passwords.verify(current, account.password_hash):
            raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=user_id)
        _check_new_password(account, current, new)
        new_hash = passwords.hash_password(new)
        with database().transaction() as connection:
            lock_active_user(connection, principal)
            if not users_repository.replace_password(connection, account, new_hash):
                raise RefusedError(ErrorCode.INVALID_CREDENTIALS, "wrong_password", user_id=user_id)
            number, revoked = sessions_repository.revoke_all(
                connection, user_id, except_id=principal.session_id
            )
            audit_repository.record(
                connection,
                Action.PASSWORD_CHANGED,
                caller,
                user_id=user_id,
                target=("user", user_id),
                details={"sessions": number},
            )
    sessions_service.invalidate(user_id, revoked)
    logger.info("password_changed", extra={"user_id": str(user_id)})


def _check_new_password(account: LocalAccount, current: str, new: str) -> None:
    problems = passwords.weaknesses(new, username=account.username, email=account.email)
    if passwords.is_same(new, current):
        problems.append("Use another password than the current one")
    if problems:
        raise invalid("body.newPassword", *problems)
