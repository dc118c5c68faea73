"""The SQL of users."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.core.db import fetch_all, fetch_one, fetch_row, fetch_value, total_of
from medianest.core.text import fold, name_key
from medianest.users.models import Actor, LocalAccount, OwnQuotas, Role, Status, User
from medianest.users.schemas import UserQuery, UserSort

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = "id, plex_id, email, username, role, status, quota, created_at, updated_at"
# Each pair is one order and its exact reverse, so that one index serves both.
_ORDERS: dict[UserSort, LiteralString] = {
    "createdAt": "created_at, id",
    "-createdAt": "created_at DESC, id DESC",
    "username": "username_key, id",
    "-username": "username_key DESC, id DESC",
    "email": "email_key, id",
    "-email": "email_key DESC, id DESC",
}
_FILTERS: dict[str, LiteralString] = {
    "search": "(username_key LIKE %(search)s"
    " OR email_key LIKE %(search)s AND email_key NOT LIKE '%%@plex.invalid')",
    "part": "(strpos(username_key, %(part)s) > 0"
    " OR strpos(email_key, %(part)s) > 0 AND email_key NOT LIKE '%%@plex.invalid')",
    "role": "role = %(role)s",
    "status": "status = %(status)s",
}
# The characters that an index of trigrams needs in every locale. For fewer, LIKE would read that
# whole index, which takes longer than reading the names.
_TRIGRAM = re.compile(r"[0-9a-z]{3}")
_HOLDS: LiteralString = (
    "s.id = %(session)s AND s.revoked_at IS NULL"
    " AND s.expires_at > now() AND s.absolute_expires_at > now()"
)
# Any fixed number: it names the lock under which the first user is told from the second.
_FIRST_USER_LOCK = 6_204_112_027


def get(connection: Connection[Any], user_id: UUID) -> User | None:
    """Return a user."""
    return fetch_one(connection, User, f"SELECT {_COLUMNS} FROM users WHERE id = %s", (user_id,))


def lock_plex_role(connection: Connection[Any], plex_id: int) -> Role | None:
    """Return the role of a known Plex user, whom nobody else changes until the transaction ends."""
    role: Role | None = fetch_value(
        connection, "SELECT role FROM users WHERE plex_id = %s FOR NO KEY UPDATE", (plex_id,)
    )
    return role


def update_plex_user(
    connection: Connection[Any], *, plex_id: int, email: str, username: str, admin: bool
) -> User | None:
    """Bring a known Plex user up to date with plex.tv; `admin` promotes, and nothing demotes."""
    return fetch_one(
        connection,
        User,
        "UPDATE users SET email = %(email)s, username = %(username)s,"
        " email_key = %(email_key)s, username_key = %(username_key)s,"
        " role = CASE WHEN %(admin)s THEN 'admin' ELSE role END, updated_at = now()"
        f" WHERE plex_id = %(plex_id)s RETURNING {_COLUMNS}",
        {"plex_id": plex_id, "admin": admin, **_names(email, username)},
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
        "INSERT INTO users (plex_id, email, username, email_key, username_key, role)"
        " SELECT %(plex_id)s, %(email)s, %(username)s, %(email_key)s, %(username_key)s,"
        " CASE WHEN %(admin)s OR (%(first)s AND NOT EXISTS (SELECT 1 FROM users))"
        " THEN 'admin' ELSE 'user' END"
        f" ON CONFLICT (plex_id) DO NOTHING RETURNING {_COLUMNS}",
        {
            "plex_id": plex_id,
            "admin": admin,
            "first": first_is_admin,
            **_names(email, username),
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
        "INSERT INTO users (email, username, email_key, username_key, password_hash, role) VALUES"
        " (%(email)s, %(username)s, %(email_key)s, %(username_key)s, %(password_hash)s, %(role)s)"
        f" ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        {"password_hash": password_hash, "role": role, **_names(email, username)},
    )


def taken_by_local_users(connection: Connection[Any], *, email: str, username: str) -> list[str]:
    """Return which of the two, `email` and `username`, local accounts have, however spelt."""
    rows = connection.execute(
        "SELECT 'email' FROM users WHERE password_hash IS NOT NULL AND email_key = %(email_key)s"
        " UNION ALL SELECT 'username' FROM users"
        " WHERE password_hash IS NOT NULL AND username_key = %(username_key)s",
        _names(email, username),
    )
    return [row[0] for row in rows]


def find_local_account(connection: Connection[Any], identifier: str) -> LocalAccount | None:
    """Return the local account with an e-mail address or user name, however spelt."""
    return fetch_one(
        connection,
        LocalAccount,
        "SELECT id AS user_id, email, username, password_hash FROM users"
        " WHERE password_hash IS NOT NULL"
        " AND (email_key = %(key)s OR username_key = %(key)s)",
        {"key": name_key(identifier)},
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

    Until the transaction ends, nobody can change the password or suspend the user. Who refers to
    the user does not wait: two people who sign in, each in place of the other, would in a circle.
    """
    return fetch_one(
        connection,
        User,
        f"SELECT {_COLUMNS} FROM users WHERE id = %s AND password_hash = %s FOR NO KEY UPDATE",
        (account.user_id, account.password_hash),
    )


def replace_password(connection: Connection[Any], account: LocalAccount, new_hash: str) -> bool:
    """Replace the password of a local account; of several who do so at once, one gets True."""
    updated = connection.execute(
        "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
        (new_hash, account.user_id, account.password_hash),
    )
    return updated.rowcount == 1


def lock_active(connection: Connection[Any], user_id: UUID, session_id: UUID) -> Actor | None:
    """Return what an active user may do whose session holds; keep both until the transaction ends.

    Such transactions of one user run one after the other. PostgreSQL checks the
    conditions again on the rows as they are once it has the locks.
    """
    return fetch_one(
        connection,
        Actor,
        "SELECT u.role, u.quota FROM users u JOIN sessions s ON s.user_id = u.id"
        f" WHERE u.id = %(user)s AND u.status = 'active' AND {_HOLDS}"
        " FOR NO KEY UPDATE OF u FOR KEY SHARE OF s",
        {"user": user_id, "session": session_id},
    )


def lock_session(connection: Connection[Any], user_id: UUID, session_id: UUID) -> bool:
    """Tell whether a session holds, and keep it so until the transaction ends."""
    found = connection.execute(
        f"SELECT FROM sessions s WHERE s.user_id = %(user)s AND {_HOLDS} FOR KEY SHARE",
        {"user": user_id, "session": session_id},
    )
    return found.rowcount == 1


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


def lock(connection: Connection[Any], user_id: UUID) -> User | None:
    """Return a user, to whom nobody adds anything until the transaction ends.

    A sign-in or refresh that is under way finishes first: its new session refers to the user.
    """
    return fetch_one(
        connection, User, f"SELECT {_COLUMNS} FROM users WHERE id = %s FOR UPDATE", (user_id,)
    )


def change(
    connection: Connection[Any],
    user_id: UUID,
    *,
    role: Role,
    status: Status,
    quota: OwnQuotas | None,
) -> User:
    """Set what an admin may change of a user who is locked, and return the user.

    The quota holds in place of those of the role; None for nothing.
    """
    return fetch_row(
        connection,
        User,
        "UPDATE users SET role = %s, status = %s, quota = %s, updated_at = now()"
        f" WHERE id = %s RETURNING {_COLUMNS}",
        (role, status, None if quota is None else json.dumps(quota.to_json()), user_id),
    )


def delete(connection: Connection[Any], user_id: UUID) -> None:
    """Delete a user who is locked."""
    connection.execute("DELETE FROM users WHERE id = %s", (user_id,))


def page(connection: Connection[Any], query: UserQuery) -> tuple[list[User], int]:
    """Return one page of users and how many match in all."""
    wanted: dict[str, str | None] = {"role": query.role, "status": query.status}
    if query.search is not None:
        text = fold(query.search)
        if _TRIGRAM.search(text):
            wanted["search"] = f"%{_literal(text)}%"
        else:
            wanted["part"] = text
    # Only the filters that are given, so that an index can serve them.
    params = {name: value for name, value in wanted.items() if value is not None}
    given = " AND ".join(_FILTERS[name] for name in params)
    matching = " FROM users" + (f" WHERE {given}" if given else "")
    order = f" ORDER BY {_ORDERS[query.sort]}"
    users = fetch_all(
        connection,
        User,
        # Ids first: where an index has all that is asked for, what is before a late page costs
        # no look at its row.
        f"WITH page AS (SELECT id{matching}{order} LIMIT %(limit)s OFFSET %(offset)s)"
        f" SELECT {_COLUMNS} FROM page JOIN users USING (id){order}",
        params | {"limit": query.limit, "offset": query.offset},
    )
    return users, total_of(connection, query, users, matching, params)


def _names(email: str, username: str) -> dict[str, str]:
    """Return the names of a user, and the keys by which they are compared."""
    return {
        "email": email,
        "username": username,
        "email_key": name_key(email),
        "username_key": name_key(username),
    }


def _literal(text: str) -> str:
    r"""Escape what LIKE would read as a pattern: \ % _."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
