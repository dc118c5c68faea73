"""Rules of accounts; `requests.service` describes the lock order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid, invalid_fields, invalid_token
from medianest.requests import repository as requests_repository
from medianest.sessions import repository as sessions_repository
from medianest.sessions import service as sessions_service
from medianest.signin import passwords
from medianest.users import repository as users_repository
from medianest.users.models import Quota, UserQuotas
from medianest.users.service import lock_admin, lock_admins

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.accounts.schemas import UserChangeIn, UserIn
    from medianest.core.caller import Caller
    from medianest.users.models import Principal, User

# Rows that one transaction of a deletion changes in each table: a fraction of a second.
DELETE_BATCH = 5000


def create(body: UserIn, admin: Principal, caller: Caller) -> User:
    """Create a local account.

    Raises VALIDATION_ERROR for a weak password, and for an address or name that another local
    account has; otherwise as `lock_admin` does.
    """
    password_problems = passwords.weaknesses(
        body.password, username=body.username, email=body.email
    )
    if password_problems:
        raise invalid("body.password", *password_problems)
    # Outside the transaction: hashing takes longer than any statement.
    password_hash = passwords.hash_password(body.password)
    with database().transaction() as connection:
        lock_admin(connection, admin)
        user = _add(connection, body, password_hash)
        audit_repository.record(
            connection,
            Action.USER_CREATED,
            caller,
            user_id=admin.user_id,
            target=("user", user.id),
            details={"username": user.username, "role": user.role},
        )
    return user


def change(user_id: UUID, body: UserChangeIn, admin: Principal, caller: Caller) -> User:
    """Change a user's role, status or quota, and return the user.

    Another role or status revokes all sessions of the user. Raises NOT_FOUND or LAST_ADMIN, or as
    `lock_admins` does.
    """
    revoked: list[UUID] = []
    with database().transaction() as connection:
        admins = lock_admins(connection, admin)
        user = users_repository.lock(connection, user_id)
        if user is None:
            raise AppError(ErrorCode.NOT_FOUND)
        desired = _merged(user, body)
        if admins == [user_id] and (desired.role, desired.status) != ("admin", "active"):
            raise AppError(ErrorCode.LAST_ADMIN)
        changed = _change(connection, user, desired, admin, caller)
        if (changed.role, changed.status) != (user.role, user.status):
            _, revoked = sessions_repository.revoke_all(connection, user_id)
    sessions_service.invalidate(user_id, revoked)
    return changed


def delete(user_id: UUID, admin: Principal, caller: Caller) -> None:
    """Delete a user with sessions and requests; the audit log keeps the rows of their actions.

    A user with DELETE_BATCH or more requests or audit rows takes several transactions. The first
    one suspends the user. After an interruption, another call continues. Raises as `change` does.
    """
    is_deleted = is_continued = False
    while not is_deleted:
        with database().transaction() as connection:
            _lock_for_deletion(connection, user_id, admin, is_continued=is_continued)
            user = users_repository.lock(connection, user_id)
            if user is None:
                raise AppError(ErrorCode.NOT_FOUND)
            revoked = sessions_repository.delete_all(connection, user_id)
            is_deleted = _delete_batch(connection, user_id)
            if is_deleted:
                _record_deletion(connection, user, admin, caller)
            else:
                _change(connection, user, replace(user, status="suspended"), admin, caller)
        sessions_service.invalidate(user_id, revoked)
        is_continued = True


def _add(connection: Connection[object], body: UserIn, password_hash: str) -> User:
    while True:
        user = users_repository.add_local_user(
            connection,
            email=body.email,
            username=body.username,
            password_hash=password_hash,
            role=body.role,
        )
        if user is not None:
            return user
        taken_names = users_repository.taken_by_local_users(
            connection, email=body.email, username=body.username
        )
        # Neither is taken if the other account was deleted between the two statements: retry.
        if taken_names:
            raise invalid_fields(
                (f"body.{name}", "Another local account has it") for name in taken_names
            )


def _merged(user: User, body: UserChangeIn) -> User:
    """Return the user after a change."""
    return replace(
        user,
        role=body.role or user.role,
        status=body.status or user.status,
        quota=_merged_quotas(user.quota, body),
    )


def _merged_quotas(current: UserQuotas | None, body: UserChangeIn) -> UserQuotas | None:
    """Return the quotas after a change: null removes a quota, so that the role's applies."""
    if "quota" not in body.model_fields_set:
        return current
    if body.quota is None:
        return None
    changes: dict[str, Quota | None] = {}
    for kind in body.quota.model_fields_set:
        value = body.quota.movies if kind == "movies" else body.quota.seasons
        changes[kind] = None if value is None else Quota(value.limit, value.days)
    merged = replace(current or UserQuotas(), **changes)
    return None if merged == UserQuotas() else merged


def _lock_for_deletion(
    connection: Connection[object], user_id: UUID, admin: Principal, *, is_continued: bool
) -> None:
    """Lock the admins; raises as `lock_admins` does, and LAST_ADMIN.

    The first transaction of a deletion deletes the sessions and suspends the user. An admin who
    deletes their own account would fail these checks in the second one, so it skips them.
    """
    admins = users_repository.lock_admins(connection)
    if not (is_continued and admin.user_id == user_id):
        if admin.user_id not in admins:
            raise AppError(ErrorCode.FORBIDDEN)
        if not is_continued and not users_repository.lock_session(
            connection, admin.user_id, admin.session_id
        ):
            raise invalid_token()
    if admins == [user_id]:
        raise AppError(ErrorCode.LAST_ADMIN)


def _delete_batch(connection: Connection[object], user_id: UUID) -> bool:
    """Delete a locked user and their requests; return False while rows refer to the user.

    A plain DELETE would change all of these rows in one statement, through the foreign keys.
    """
    for delete_some in (
        audit_repository.detach_user,
        requests_repository.detach_admin,
        requests_repository.delete_of_user,
    ):
        if delete_some(connection, user_id, DELETE_BATCH) == DELETE_BATCH:
            return False
    users_repository.delete(connection, user_id)
    return True


def _record_deletion(
    connection: Connection[object], user: User, admin: Principal, caller: Caller
) -> None:
    details = {"username": user.username, "role": user.role}
    if user.plex_id is not None:
        details["plexId"] = str(user.plex_id)
    audit_repository.record(
        connection,
        Action.USER_DELETED,
        caller,
        # A user who deleted their own account has no row to refer to.
        user_id=None if user.id == admin.user_id else admin.user_id,
        target=("user", user.id),
        details=details,
    )


def _change(
    connection: Connection[object], user: User, desired: User, admin: Principal, caller: Caller
) -> User:
    """Change a locked user and audit the change; write nothing if no column differs."""
    old, new = _changeable(user), _changeable(desired)
    changes = {name: {"from": old[name], "to": new[name]} for name in old if old[name] != new[name]}
    if not changes:
        return user
    changed = users_repository.change(
        connection, user.id, role=desired.role, status=desired.status, quota=desired.quota
    )
    audit_repository.record(
        connection,
        Action.USER_CHANGED,
        caller,
        user_id=admin.user_id,
        target=("user", user.id),
        details=changes,
    )
    return changed


def _changeable(user: User) -> dict[str, object]:
    """Return the columns that an admin may change, in the format of the audit log."""
    quota = None if user.quota is None else user.quota.to_json()
    return {"role": user.role, "status": user.status, "quota": quota}
