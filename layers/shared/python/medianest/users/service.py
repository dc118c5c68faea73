"""Rules of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core import passwords
from medianest.core.db import database
from medianest.core.errors import AppError, ErrorCode, invalid, invalid_fields
from medianest.core.tokens import invalid_token
from medianest.users import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller, Principal
    from medianest.users.models import Actor, User
    from medianest.users.schemas import UserChangeIn, UserIn, UserQuery

    # Takes sessions of a user that have ended (`sessions.service.invalidate`).
    type Invalidate = Callable[[UUID, Sequence[UUID]], None]


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
    account has; otherwise as `lock_admin` does.
    """
    weak = passwords.weaknesses(body.password, username=body.username, email=body.email)
    if weak:
        raise invalid("body.password", *weak)
    # Before the transaction: it takes its time.
    password_hash = passwords.hash_password(body.password)
    with database().transaction() as connection:
        lock_admin(connection, admin)
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
    user_id: UUID, body: UserChangeIn, admin: Principal, caller: Caller, invalidate: Invalidate
) -> User:
    """Change a user's role, status or quota, and return the user.

    Another role or status ends the user's sessions for good; `invalidate` gets them after the
    commit. Raises NOT_FOUND or LAST_ADMIN, or as `lock_admins` does.
    """
    ended: list[UUID] = []
    with database().transaction() as connection:
        admins = lock_admins(connection, admin)
        user = repository.lock(connection, user_id)
        if user is None:
            raise AppError(ErrorCode.NOT_FOUND)
        wanted = _wanted(user, body)
        if admins == [user_id] and (wanted["role"], wanted["status"]) != ("admin", "active"):
            raise AppError(ErrorCode.LAST_ADMIN)
        changed = _change(connection, user, wanted, admin, caller)
        if (changed.role, changed.status) != (user.role, user.status):
            _, ended = repository.revoke_sessions(connection, user_id)
    invalidate(user_id, ended)
    return changed


def delete(user_id: UUID, admin: Principal, caller: Caller, invalidate: Invalidate) -> None:
    """Delete a user with sessions and requests; `invalidate` gets the sessions after the commit.

    The audit log keeps what the user did, and who it was. Where too much refers to a user for one
    transaction, the user is suspended with the first of several; should they be interrupted, the
    next call goes on. Raises as `change` does.
    """
    is_gone = has_begun = False
    while not is_gone:
        is_gone, sessions = _delete_some(user_id, admin, caller, has_begun=has_begun)
        invalidate(user_id, sessions)
        has_begun = True


def lock_active_user(connection: Connection[Any], principal: Principal) -> Actor:
    """Return what the acting user's row says, and keep it so until the transaction ends.

    First of all locks: their order is written in `requests.service`. Raises JWT_INVALID when the
    user is deleted or suspended, or the session revoked, since the call was authenticated.
    """
    actor = repository.lock_active(connection, principal.user_id, principal.session_id)
    if actor is None:
        raise invalid_token()
    return actor


def lock_admin(connection: Connection[Any], admin: Principal) -> None:
    """Do the same for an admin; raises FORBIDDEN, too, for one who has just ceased to be."""
    if lock_active_user(connection, admin).role != "admin":
        raise AppError(ErrorCode.FORBIDDEN)


def lock_admins(connection: Connection[Any], admin: Principal) -> list[UUID]:
    """Return the active admins, and keep them so: for an admin who then locks another user.

    Raises FORBIDDEN for one who is no active admin any more, and JWT_INVALID for one whose session
    was revoked since the call was authenticated.
    """
    admins = repository.lock_admins(connection)
    if admin.user_id not in admins:
        raise AppError(ErrorCode.FORBIDDEN)
    if not repository.lock_session(connection, admin.user_id, admin.session_id):
        raise invalid_token()
    return admins


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
        if taken:
            raise invalid_fields((f"body.{name}", "Another local account has it") for name in taken)


def _wanted(user: User, body: UserChangeIn) -> dict[str, Any]:
    """Return what an admin may change of a user as it will be."""
    wanted: dict[str, Any] = {"role": user.role, "status": user.status, "quota": user.quota}
    wanted |= body.model_dump(by_alias=True, exclude_unset=True)
    if body.quota is not None:
        merged = (user.quota or {}) | wanted["quota"]
        wanted["quota"] = {kind: own for kind, own in merged.items() if own is not None} or None
    return wanted


def _delete_some(
    user_id: UUID, admin: Principal, caller: Caller, *, has_begun: bool
) -> tuple[bool, list[UUID]]:
    """Delete a user, or part of what refers to one, who is then suspended.

    Returns whether the user is gone, and the sessions that have ended.
    """
    with database().transaction() as connection:
        admins = repository.lock_admins(connection)
        # Who deletes themselves is suspended by the first of several steps.
        if not (has_begun and admin.user_id == user_id):
            if admin.user_id not in admins:
                raise AppError(ErrorCode.FORBIDDEN)
            if not has_begun and not repository.lock_session(
                connection, admin.user_id, admin.session_id
            ):
                raise invalid_token()
        if admins == [user_id]:
            raise AppError(ErrorCode.LAST_ADMIN)
        user = repository.lock(connection, user_id)
        if user is None:
            raise AppError(ErrorCode.NOT_FOUND)
        sessions = repository.delete_sessions(connection, user_id)
        is_gone = repository.delete_some(connection, user_id)
        if is_gone:
            known = {"username": user.username, "role": user.role}
            if user.plex_id is not None:
                known["plexId"] = str(user.plex_id)
            audit.record(
                connection,
                Action.USER_DELETED,
                caller,
                # Whoever deletes themselves is nobody any more.
                user_id=None if user_id == admin.user_id else admin.user_id,
                target=("user", user_id),
                details=known,
            )
        else:
            suspended = {"role": user.role, "status": "suspended", "quota": user.quota}
            _change(connection, user, suspended, admin, caller)
    return is_gone, sessions


def _change(
    connection: Connection[Any],
    user: User,
    wanted: dict[str, Any],
    admin: Principal,
    caller: Caller,
) -> User:
    """Change what differs of a user who is locked; where nothing does, nothing is written."""
    changes = {
        name: {"from": getattr(user, name), "to": value}
        for name, value in wanted.items()
        if value != getattr(user, name)
    }
    if not changes:
        return user
    changed = repository.change(connection, user.id, **wanted)
    audit.record(
        connection,
        Action.USER_CHANGED,
        caller,
        user_id=admin.user_id,
        target=("user", user.id),
        details=changes,
    )
    return changed
