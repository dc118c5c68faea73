"""Rules of users."""

from uuid import UUID

from medianest.core.db import database
from medianest.core.tokens import invalid_token
from medianest.users import repository
from medianest.users.models import User
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
