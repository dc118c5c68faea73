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
    """Return the signed-in user; raises JWT_INVALID for one deleted after authentication."""
    user = database().read(lambda connection: repository.get(connection, user_id))
    if user is None:
        raise invalid_token()
    return user


def find_active(user_id: UUID) -> User | None:
    """Return a user, or None for one who was deleted or suspended after authentication."""
    user = database().read(lambda connection: repository.get(connection, user_id))
    return user if user is not None and user.status == "active" else None


def page(query: UserQuery) -> tuple[list[User], int]:
    """Return a page of users and the total number of matches."""
    return database().read(lambda connection: repository.page(connection, query))


def get(user_id: UUID) -> User:
    """Return a user; raises NOT_FOUND."""
    user = database().read(lambda connection: repository.get(connection, user_id))
    if user is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return user


def lock_active_user(connection: Connection[Any], principal: Principal) -> Actor:
    """Lock the acting user and the session of the call until the transaction ends.

    It is the first lock of the lock order, which `requests.service` describes. Raises JWT_INVALID
    when the user was deleted or suspended, or the session revoked, after the authentication.
    """
    actor = repository.lock_active(connection, principal.user_id, principal.session_id)
    if actor is None:
        raise invalid_token()
    return actor


def lock_admin(connection: Connection[Any], admin: Principal) -> None:
    """Lock the acting admin as `lock_active_user` does; raises FORBIDDEN for a demoted one too."""
    if lock_active_user(connection, admin).role != "admin":
        raise AppError(ErrorCode.FORBIDDEN)


def lock_admins(connection: Connection[Any], admin: Principal) -> list[UUID]:
    """Lock all active admins, before the acting one locks another user; return their ids.

    Raises FORBIDDEN when the acting user is no longer an active admin, and JWT_INVALID when the
    session was revoked after the authentication.
    """
    admins = repository.lock_admins(connection)
    if admin.user_id not in admins:
        raise AppError(ErrorCode.FORBIDDEN)
    if not repository.lock_session(connection, admin.user_id, admin.session_id):
        raise invalid_token()
    return admins
