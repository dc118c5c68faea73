"""Rules of users."""

from uuid import UUID

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core.caller import Caller, Principal
from medianest.core.db import database
from medianest.core.errors import AppError, ErrorCode
from medianest.core.tokens import invalid_token
from medianest.users import repository
from medianest.users.models import User
from medianest.users.schemas import UserChangeIn, UserQuery


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


def change(user_id: UUID, body: UserChangeIn, admin: Principal, caller: Caller) -> User:
    """Change a user's role or status; raises NOT_FOUND or LAST_ADMIN.

    The caller then has the sessions of the user forgotten (`sessions.service.forget`).
    """
    with database().transaction() as connection:
        admins = repository.lock_admins(connection)
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
            details=body.model_dump(exclude_none=True),
        )
    return user
