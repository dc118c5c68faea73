"""The SQL of users."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.core.db import fetch_one, fetch_row, fetch_value
from medianest.core.paging import Listing, fetch_page
from medianest.core.text import fold, name_key
from medianest.users.models import Actor, LocalAccount, Role, Status, User, UserQuotas

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.users.schemas import UserQuery, UserSort

_COLUMNS = "id, plex_id, email, username, role, status, quota, created_at, updated_at"
# An order and its exact reverse, so that one index serves both.
type _Order = tuple[LiteralString, LiteralString]
_CREATED: _Order = ("created_at, id", "created_at DESC, id DESC")
_USERNAME: _Order = ("username_key, id", "username_key DESC, id DESC")
_EMAIL: _Order = ("email_key, id", "email_key DESC, id DESC")
_ORDERS: dict[UserSort, _Order] = {
    "createdAt": _CREATED,
    "-createdAt": _CREATED[::-1],
    "username": _USERNAME,
    "-username": _USERNAME[::-1],
    "email": _EMAIL,
    "-email": _EMAIL[::-1],
}
_FILTERS: dict[str, LiteralString] = {
    # The expression of the index `users_search`.
    "search": "user_search_text(username_key, email_key) LIKE %(search)s",
    "part": "(strpos(username_key, %(part)s) > 0"
    " OR strpos(email_key, %(part)s) > 0 AND email_key NOT LIKE '%%@plex.invalid')",
    "role": "role = %(role)s",
    "status": "status = %(status)s",
}
_COUNT_FILTERS: dict[str, LiteralString] = {
    "role": " AND facet = %(role)s",
    "status": " AND subfacet = %(status)s",
}
# A trigram index needs three such characters in every locale. With fewer, LIKE would scan the whole
# index, which takes longer than a scan of the names.
_TRIGRAM = re.compile(r"[0-9a-z]{3}")
_LIVE_SESSION: LiteralString = (
    "s.id = %(session)s AND s.revoked_at IS NULL"
    " AND s.expires_at > now() AND s.absolute_expires_at > now()"
)
# An arbitrary key: the advisory lock that serialises concurrent first sign-ins.
_FIRST_USER_LOCK = 6_204_112_027


def get(connection: Connection[Any], user_id: UUID) -> User | None:
    """Return a user."""
    return fetch_one(connection, User, f"SELECT {_COLUMNS} FROM users WHERE id = %s", (user_id,))


def lock_plex_role(connection: Connection[Any], plex_id: int) -> Role | None:
    """Lock a Plex user until the transaction ends; return the role, or None for an unknown user."""
    role: Role | None = fetch_value(
        connection, "SELECT role FROM users WHERE plex_id = %s FOR NO KEY UPDATE", (plex_id,)
    )
    return role


def update_plex_user(
    connection: Connection[Any], *, plex_id: int, email: str, username: str, admin: bool
) -> User | None:
    """Update a known Plex user from plex.tv; `admin` promotes, and False does not demote."""
    return fetch_one(
        connection,
        User,
        "UPDATE users SET email = %(email)s, username = %(username)s,"
        " email_key = %(email_key)s, username_key = %(username_key)s,"
        " role = CASE WHEN %(admin)s THEN 'admin' ELSE role END, updated_at = CASE"
        "  WHEN (email, username) IS DISTINCT FROM (%(email)s, %(username)s)"
        "   OR %(admin)s AND role <> 'admin' THEN now() ELSE updated_at END"
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
    """Add a Plex user; return None when a concurrent sign-in has just added the same one.

    With `first_is_admin` the first user of an empty table becomes admin. A lock serialises
    concurrent first sign-ins: the statement of the second sees the row of the first.
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
    """Add a local account; return None when another one has the address or the user name.

    The unique indexes decide between concurrent calls. An address must contain an @, and a user
    name must not, so that no user name equals an address.
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
    """Return which of `email` and `username` is taken by a local account, ignoring case."""
    rows = connection.execute(
        "SELECT 'email' FROM users WHERE password_hash IS NOT NULL AND email_key = %(email_key)s"
        " UNION ALL SELECT 'username' FROM users"
        " WHERE password_hash IS NOT NULL AND username_key = %(username_key)s",
        _names(email, username),
    )
    return [row[0] for row in rows]


def find_local_account(connection: Connection[Any], identifier: str) -> LocalAccount | None:
    """Return the local account with an e-mail address or user name, ignoring case."""
    return fetch_one(
        connection,
        LocalAccount,
        "SELECT id AS user_id, email, username, password_hash FROM users"
        " WHERE password_hash IS NOT NULL"
        " AND (email_key = %(key)s OR username_key = %(key)s)",
        {"key": name_key(identifier)},
    )


def get_local_account(connection: Connection[Any], user_id: UUID) -> LocalAccount | None:
    """Return the local account of a user, or None for a user without a password."""
    return fetch_one(
        connection,
        LocalAccount,
        "SELECT id AS user_id, email, username, password_hash FROM users"
        " WHERE password_hash IS NOT NULL AND id = %s",
        (user_id,),
    )


def lock_local_user(connection: Connection[Any], account: LocalAccount) -> User | None:
    """Lock the user of a local account until the transaction ends, if the password is unchanged.

    The lock mode prevents a change of the password or status, but other transactions can add rows
    that refer to the user. With a stronger mode, two sign-ins that each replace a session of the
    other user would deadlock.
    """
    return fetch_one(
        connection,
        User,
        f"SELECT {_COLUMNS} FROM users WHERE id = %s AND password_hash = %s FOR NO KEY UPDATE",
        (account.user_id, account.password_hash),
    )


def replace_password(connection: Connection[Any], account: LocalAccount, new_hash: str) -> bool:
    """Replace the password hash; return True for one of several concurrent calls."""
    updated = connection.execute(
        "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s",
        (new_hash, account.user_id, account.password_hash),
    )
    return updated.rowcount == 1


def lock_active(connection: Connection[Any], user_id: UUID, session_id: UUID) -> Actor | None:
    """Lock an active user and their live session until the transaction ends; None if there is none.

    The lock serialises the transactions of one user. After waiting for it, PostgreSQL evaluates the
    conditions again on the current rows.
    """
    return fetch_one(
        connection,
        Actor,
        "SELECT u.role, u.quota FROM users u JOIN sessions s ON s.user_id = u.id"
        f" WHERE u.id = %(user)s AND u.status = 'active' AND {_LIVE_SESSION}"
        " FOR NO KEY UPDATE OF u FOR KEY SHARE OF s",
        {"user": user_id, "session": session_id},
    )


def lock_session(connection: Connection[Any], user_id: UUID, session_id: UUID) -> bool:
    """Lock a live session until the transaction ends; return False if it is not live."""
    locked = connection.execute(
        f"SELECT FROM sessions s WHERE s.user_id = %(user)s AND {_LIVE_SESSION} FOR KEY SHARE",
        {"user": user_id, "session": session_id},
    )
    return locked.rowcount == 1


def lock_admins(connection: Connection[Any]) -> list[UUID]:
    """Lock all active admins until the transaction ends, and return their ids.

    The order by id prevents a deadlock between admins who demote each other. Other transactions can
    still add rows that refer to the admins.
    """
    rows = connection.execute(
        "SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id"
        " FOR NO KEY UPDATE"
    )
    return [row[0] for row in rows]


def lock(connection: Connection[Any], user_id: UUID) -> User | None:
    """Lock a user against new references until the transaction ends, and return the user.

    The lock waits for a sign-in or refresh in progress, whose new session refers to the user.
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
    quota: UserQuotas | None,
) -> User:
    """Set role, status and quota of a locked user, and return the user.

    A quota of None means that the quotas of the role apply.
    """
    return fetch_row(
        connection,
        User,
        "UPDATE users SET role = %s, status = %s, quota = %s, updated_at = now()"
        f" WHERE id = %s RETURNING {_COLUMNS}",
        (role, status, None if quota is None else json.dumps(quota.to_json()), user_id),
    )


def delete(connection: Connection[Any], user_id: UUID) -> None:
    """Delete a locked user."""
    connection.execute("DELETE FROM users WHERE id = %s", (user_id,))


def page(connection: Connection[Any], query: UserQuery) -> tuple[list[User], int]:
    """Return a page of users and the total number of matches."""
    filters: dict[str, str | None] = {"role": query.role, "status": query.status}
    if query.search is not None:
        filters |= matching(query.search)[1]
    # The statement has only the filters that are set, so that an index can serve it.
    params = {name: value for name, value in filters.items() if value is not None}
    order, reverse = _ORDERS[query.sort]
    listing = Listing(
        key="id",
        source="users",
        conditions=[_FILTERS[name] for name in params],
        order=order,
        reverse=reverse,
        columns=_COLUMNS,
        rows="page JOIN users USING (id)",
    )
    if query.search is None:
        listing = replace(
            listing,
            total="SELECT coalesce(sum(n), 0)::bigint FROM row_counts WHERE source = 'users'"
            + "".join(_COUNT_FILTERS[name] for name in params),
        )
    return fetch_page(connection, User, query, listing, params)


def matching(term: str) -> tuple[LiteralString, dict[str, str]]:
    """Return the condition that a user's name or address contains a text, and its parameters."""
    text = fold(term)
    if _TRIGRAM.search(text):
        return _FILTERS["search"], {"search": f"%{_literal(text)}%"}
    return _FILTERS["part"], {"part": text}


def _names(email: str, username: str) -> dict[str, str]:
    """Return the names of a user, and the folded keys that comparisons use."""
    return {
        "email": email,
        "username": username,
        "email_key": name_key(email),
        "username_key": name_key(username),
    }


def _literal(text: str) -> str:
    r"""Escape the special characters of LIKE: \ % _."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
