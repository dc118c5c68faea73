"""The SQL of users."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.core.caller import Role
from medianest.core.db import fetch_all, fetch_one, fetch_value
from medianest.users.models import Actor, LocalAccount, Status, User
from medianest.users.schemas import UserQuery, UserSort

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = "id, plex_id, email, username, role, status, quota, created_at, updated_at"
# Each pair is one order and its exact reverse, so that one index serves both.
_ORDERS: dict[UserSort, LiteralString] = {
    "createdAt": "created_at, id",
    "-createdAt": "created_at DESC, id DESC",
    "username": "lower(username), id",
    "-username": "lower(username) DESC, id DESC",
    "email": "lower(email), id",
    "-email": "lower(email) DESC, id DESC",
}
_FILTERS: dict[str, LiteralString] = {
    "search": "(username ILIKE %(search)s"
    " OR email ILIKE %(search)s AND email NOT LIKE '%%@plex.invalid')",
    "role": "role = %(role)s",
    "status": "status = %(status)s",
}
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


def add_local_user(
    connection: Connection[Any], *, email: str, username: str, password_hash: str, role: Role
) -> User | None:
    """Add a user with a password, or return None when a local account has the address or name.

    The unique indexes decide: of all who add the same one at once, one gets it. The address must
    have an @ and the name none.
    """
    return fetch_one(
        connection,
        User,
        "INSERT INTO users (email, username, password_hash, role) VALUES (%s, %s, %s, %s)"
        f" ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        (email, username, password_hash, role),
    )


def taken_by_local_users(connection: Connection[Any], *, email: str, username: str) -> list[str]:
    """Return which of the two, `email` and `username`, local accounts have, in any case."""
    rows = connection.execute(
        "SELECT 'email' FROM users WHERE password_hash IS NOT NULL AND lower(email) = lower(%s)"
        " UNION ALL SELECT 'username' FROM users"
        " WHERE password_hash IS NOT NULL AND lower(username) = lower(%s)",
        (email, username),
    )
    return [row[0] for row in rows]


def find_local_account(connection: Connection[Any], identifier: str) -> LocalAccount | None:
    """Return the local account with an e-mail address or user name, in any case."""
    return fetch_one(
        connection,
        LocalAccount,
        "SELECT id AS user_id, email, username, password_hash FROM users"
        " WHERE password_hash IS NOT NULL"
        " AND (lower(email) = lower(%(identifier)s) OR lower(username) = lower(%(identifier)s))",
        {"identifier": identifier},
    )


def get_local_account(connection: Connection[Any], user_id: UUID) -> LocalAccount | None:
    """Return how a user signs in, None when it is not with a password."""
    return fetch_one(
        connection,
        LocalAccount,
        "SELECT id AS user_id, email, username, password_hash FROM users"
        " WHERE password_hash IS NOT NULL AND id = %s",
        (user_id,),
    )


def lock_local_user(connection: Connection[Any], account: LocalAccount) -> User | None:
    """Return a local account's user if its password is still the same, and keep it so.

    Until the transaction ends, nobody can change the password or suspend the user.
    """
    return fetch_one(
        connection,
        User,
        f"SELECT {_COLUMNS} FROM users WHERE id = %s AND password_hash = %s FOR UPDATE",
        (account.user_id, account.password_hash),
    )


def replace_password(connection: Connection[Any], account: LocalAccount, new_hash: str) -> bool:
    """Replace the password of a local account; of several who do so at once, one gets True."""
    updated = connection.execute(
        "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
        (new_hash, account.user_id, account.password_hash),
    )
    return updated.rowcount == 1


def lock_active(connection: Connection[Any], user_id: UUID) -> Actor | None:
    """Return what an active user may do, and keep it so until the transaction ends.

    What one user does in such transactions happens one after the other.
    """
    return fetch_one(
        connection,
        Actor,
        "SELECT role, quota FROM users WHERE id = %s AND status = 'active' FOR NO KEY UPDATE",
        (user_id,),
    )


def lock_admins(connection: Connection[Any]) -> list[UUID]:
    """Return the active admins, whom nobody else changes until the transaction ends.

    Locked in one order, so that admins who demote each other wait and do not block each other.
    What else admins do goes on meanwhile: rows that refer to them can still be added.
    """
    rows = connection.execute(
        "SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id"
        " FOR NO KEY UPDATE"
    )
    return [row[0] for row in rows]


def lock_sessions(connection: Connection[Any], user_id: UUID) -> list[UUID]:
    """Return the sessions of a user that are not revoked, and let none be added meanwhile.

    A sign-in or refresh that is under way finishes first: its new session refers to the user.
    """
    connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,))
    rows = connection.execute(
        "SELECT id FROM sessions WHERE user_id = %s AND revoked_at IS NULL", (user_id,)
    )
    return [row[0] for row in rows]


def change(
    connection: Connection[Any], user_id: UUID, *, role: Role | None, status: Status | None
) -> User | None:
    """Set what is not None; return the user, or None when there is none."""
    return fetch_one(
        connection,
        User,
        "UPDATE users SET role = coalesce(%s, role), status = coalesce(%s, status),"
        f" updated_at = now() WHERE id = %s RETURNING {_COLUMNS}",
        (role, status, user_id),
    )


def set_quota(connection: Connection[Any], user_id: UUID, quota: dict[str, Any] | None) -> None:
    """Set what a user has in place of the quotas of the role, None for nothing."""
    connection.execute(
        "UPDATE users SET quota = %s WHERE id = %s",
        (None if quota is None else json.dumps(quota), user_id),
    )


def delete(connection: Connection[Any], user_id: UUID) -> User | None:
    """Delete a user with sessions and requests, and return who it was; None when there is none."""
    return fetch_one(
        connection, User, f"DELETE FROM users WHERE id = %s RETURNING {_COLUMNS}", (user_id,)
    )


def page(connection: Connection[Any], query: UserQuery) -> tuple[list[User], int]:
    """Return one page of users and how many match in all."""
    params: dict[str, Any] = {
        name: value for name in _FILTERS if (value := getattr(query, name)) is not None
    }
    # Only the filters that are given, so that an index can serve them.
    given = " AND ".join(_FILTERS[name] for name in params)
    where = f" WHERE {given}" if given else ""
    if query.search is not None:
        params["search"] = f"%{_literal(query.search)}%"
    users = fetch_all(
        connection,
        User,
        f"SELECT {_COLUMNS} FROM users{where} ORDER BY {_ORDERS[query.sort]}"
        " LIMIT %(limit)s OFFSET %(offset)s",
        params | {"limit": query.limit, "offset": query.offset},
    )
    if len(users) < query.limit and (users or query.page == 1):
        return users, query.offset + len(users)
    total: int = fetch_value(connection, f"SELECT count(*) FROM users{where}", params)
    return users, total


def _literal(text: str) -> str:
    r"""Escape what LIKE would read as a pattern: \ % _."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
