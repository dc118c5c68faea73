"""The SQL of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.core.db import fetch_all, fetch_one, fetch_value
from medianest.users.models import User
from medianest.users.schemas import UserQuery, UserSort

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = "id, plex_id, email, username, role, status, created_at, updated_at"
_ORDERS: dict[UserSort, LiteralString] = {
    "createdAt": "created_at, id",
    "-createdAt": "created_at DESC, id",
    "username": "lower(username), id",
    "-username": "lower(username) DESC, id",
    "email": "lower(email), id",
    "-email": "lower(email) DESC, id",
}
_FILTER = (
    " WHERE (%(search)s::text IS NULL OR username ILIKE %(search)s OR email ILIKE %(search)s)"
    " AND (%(role)s::text IS NULL OR role = %(role)s)"
    " AND (%(status)s::text IS NULL OR status = %(status)s)"
)
# Any fixed number: it names the lock under which the first user is told from the second.
_FIRST_USER_LOCK = 6_204_112_027


def get(connection: Connection[Any], user_id: UUID) -> User | None:
    """Return a user."""
    return fetch_one(connection, User, f"SELECT {_COLUMNS} FROM users WHERE id = %s", (user_id,))


def update_plex_user(
    connection: Connection[Any], *, plex_id: int, email: str, username: str, admin: bool
) -> User | None:
    """Bring a known Plex user up to date with plex.tv; `admin` promotes, and nothing demotes."""
    return fetch_one(
        connection,
        User,
        "UPDATE users SET email = %(email)s, username = %(username)s,"
        " role = CASE WHEN %(admin)s THEN 'admin' ELSE role END, updated_at = now()"
        f" WHERE plex_id = %(plex_id)s RETURNING {_COLUMNS}",
        {"plex_id": plex_id, "email": email, "username": username, "admin": admin},
    )


def add_plex_user(
    connection: Connection[Any],
    *,
    plex_id: int,
    email: str,
    username: str,
    admin: bool,
    first_is_admin: bool,
) -> User | None:
    """Add a Plex user, or return None when a concurrent sign-in has just added the same one.

    With `first_is_admin` the first user of an empty table becomes admin. The lock makes
    concurrent first sign-ins take turns: the second one's statement sees the first one's row.
    """
    if first_is_admin:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_FIRST_USER_LOCK,))
    return fetch_one(
        connection,
        User,
        "INSERT INTO users (plex_id, email, username, role)"
        " SELECT %(plex_id)s, %(email)s, %(username)s, CASE WHEN %(admin)s OR"
        " (%(first)s AND NOT EXISTS (SELECT 1 FROM users)) THEN 'admin' ELSE 'user' END"
        f" ON CONFLICT (plex_id) DO NOTHING RETURNING {_COLUMNS}",
        {
            "plex_id": plex_id,
            "email": email,
            "username": username,
            "admin": admin,
            "first": first_is_admin,
        },
    )


def page(connection: Connection[Any], query: UserQuery) -> tuple[list[User], int]:
    """Return one page of users and how many match in all."""
    params = {
        "search": None if query.search is None else f"%{_literal(query.search)}%",
        "role": query.role,
        "status": query.status,
        "limit": query.limit,
        "offset": query.offset,
    }
    total = fetch_value(connection, "SELECT count(*) FROM users" + _FILTER, params)
    users = fetch_all(
        connection,
        User,
        f"SELECT {_COLUMNS} FROM users"
        + _FILTER
        + f" ORDER BY {_ORDERS[query.sort]} LIMIT %(limit)s OFFSET %(offset)s",
        params,
    )
    return users, total


def _literal(text: str) -> str:
    r"""Escape what LIKE would read as a pattern: \ % _."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
