"""The Python step of migration 0009: the folded keys of names, which SQL cannot compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.text import name_key

if TYPE_CHECKING:
    from psycopg import Connection

_BATCH = 5000


class SameNameError(Exception):
    """Two local accounts have names with the same key; the message has both names."""


def fold_names(connection: Connection[Any]) -> None:
    """Set the keys of all users that have none; raises SameNameError for a conflict."""
    _reject_duplicates(connection)
    # The update below sets every key, so the trigger would only cost time.
    connection.execute("ALTER TABLE users DISABLE TRIGGER users_keys")
    while rows := connection.execute(
        "SELECT id, email, username FROM users WHERE email_key IS NULL LIMIT %s", (_BATCH,)
    ).fetchall():
        connection.execute(
            "UPDATE users SET email_key = folded.email, username_key = folded.username"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS folded (id, email, username)"
            " WHERE users.id = folded.id",
            (
                [row[0] for row in rows],
                [name_key(row[1]) for row in rows],
                [name_key(row[2]) for row in rows],
            ),
        )
    connection.execute("ALTER TABLE users ENABLE TRIGGER users_keys")


def _reject_duplicates(connection: Connection[Any]) -> None:
    first_names: dict[tuple[str, str], str] = {}
    accounts = connection.execute(
        "SELECT email, username FROM users WHERE password_hash IS NOT NULL ORDER BY created_at, id"
    )
    for email, username in accounts:
        for kind, name in (("e-mail address", email), ("user name", username)):
            first_name = first_names.setdefault((kind, name_key(name)), name)
            if first_name != name:
                raise SameNameError(
                    f"the local accounts {first_name!r} and {name!r} have the same {kind} when case"
                    " and Unicode form are ignored: delete one of them, then deploy again"
                )
