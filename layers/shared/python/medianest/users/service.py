"""Rules of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core import passwords
from medianest.core.db import database
from medianest.core.errors import AppError, ErrorCode
from medianest.core.tokens import invalid_token
from medianest.users import repository

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller, Principal
    from medianest.settings.schemas import SomeQuotasIn
    from medianest.users.models import User
    from medianest.users.schemas import UserChangeIn, UserIn, UserQuery


def me(user_id: UUID) -> User:
    """Return the signed-in user; raises JWT_INVALID when the account is gone meanwhile."""
    with database().transaction() as connection:
        user = repository.get(connection, user_id)
    if user is None:
        raise invalid_token()
    return user


def page(query: UserQuery) -> tuple[list[User], int]:
    """Return one page of users and how many match in all."""
    with database().transaction() as connection:
        return repository.page(connection, query)


def get(user_id: UUID) -> User:
    """Return a user; raises NOT_FOUND."""
    with database().transaction() as connection:
        user = repository.get(connection, user_id)
    if user is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return user


def create(body: UserIn, admin: Principal, caller: Caller) -> User:
    """Create a local account.

    Raises VALIDATION_ERROR for a weak password, and for an address or name that another local
    account has.
    """
    weak = passwords.weaknesses(body.password, username=body.username, email=body.email)
    _refuse([("body.password", message) for message in weak])
    # Before the transaction: it takes its time.
    password_hash = passwords.hash_password(body.password)
    with database().transaction() as connection:
        user = _add(connection, body, password_hash)
        audit.record(
            connection,
            Action.USER_CREATED,
            caller,
            user_id=admin.user_id,
            target=("user", user.id),
            details={"username": user.username, "role": user.role},
        )
    return user


def change(
    user_id: UUID, body: UserChangeIn, admin: Principal, caller: Caller
) -> tuple[User, list[UUID]]:
    """Change a user's role, status or quota; return the user, and the sessions that it concerns.

    The caller then has those forgotten (`sessions.service.forget`). Raises NOT_FOUND, LAST_ADMIN,
    or FORBIDDEN for an admin who has just ceased to be one.
    """
    changes = body.model_dump(exclude_unset=True)
    if "quota" in changes:
        changes["quota"] = _kept(body.quota)
    with database().transaction() as connection:
        admins = _lock_admins(connection, admin)
        sessions = repository.lock_sessions(connection, user_id)
        if "quota" in changes:
            repository.set_quota(connection, user_id, changes["quota"])
        user = repository.change(connection, user_id, role=body.role, status=body.status)
        if user is None:
            raise AppError(ErrorCode.NOT_FOUND)
        if admins == [user_id] and (user.role != "admin" or user.status != "active"):
            raise AppError(ErrorCode.LAST_ADMIN)
        audit.record(
            connection,
            Action.USER_CHANGED,
            caller,
            user_id=admin.user_id,
            target=("user", user_id),
            details=changes,
        )
    return user, sessions


def delete(user_id: UUID, admin: Principal, caller: Caller) -> list[UUID]:
    """Delete a user with sessions and requests; return the sessions, for the caller to forget.

    The audit log keeps what the user did, and who it was. Raises as `change` does.
    """
    with database().transaction() as connection:
        admins = _lock_admins(connection, admin)
        if admins == [user_id]:
            raise AppError(ErrorCode.LAST_ADMIN)
        sessions = repository.lock_sessions(connection, user_id)
        user = repository.delete(connection, user_id)
        if user is None:
            raise AppError(ErrorCode.NOT_FOUND)
        known = {"username": user.username, "role": user.role, "plexId": user.plex_id}
        audit.record(
            connection,
            Action.USER_DELETED,
            caller,
            # Whoever deletes themselves is nobody any more.
            user_id=None if user_id == admin.user_id else admin.user_id,
            target=("user", user_id),
            details={name: value for name, value in known.items() if value is not None},
        )
    return sessions


def _add(connection: Connection[Any], body: UserIn, password_hash: str) -> User:
    while True:
        user = repository.add_local_user(
            connection,
            email=body.email,
            username=body.username,
            password_hash=password_hash,
            role=body.role,
        )
        if user is not None:
            return user
        # None, when the account that had it was deleted between the two statements.
        taken = repository.taken_by_local_users(
            connection, email=body.email, username=body.username
        )
        _refuse([(f"body.{field}", "Another local account has it") for field in taken])


def _refuse(problems: list[tuple[str, str]]) -> None:
    """Raise the VALIDATION_ERROR of problems, if there are any."""
    if problems:
        raise AppError(
            ErrorCode.VALIDATION_ERROR,
            details=[{"field": field, "message": message} for field, message in problems],
        )


def _lock_admins(connection: Connection[Any], admin: Principal) -> list[UUID]:
    """Return the active admins, who stay so; raises FORBIDDEN for one who has just ceased to be."""
    admins = repository.lock_admins(connection)
    if admin.user_id not in admins:
        raise AppError(ErrorCode.FORBIDDEN)
    return admins


def _kept(quotas: SomeQuotasIn | None) -> dict[str, Any] | None:
    """Return what is kept of quotas: those that are given, or nothing."""
    if quotas is None:
        return None
    given = quotas.model_dump(by_alias=True).items()
    return {name: quota for name, quota in given if quota is not None} or None
