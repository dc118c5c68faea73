"""Rules of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_token
from medianest.users import repository

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.users.models import Actor, Principal, User
    from medianest.users.schemas import UserQuery


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
