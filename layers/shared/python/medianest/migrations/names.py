"""Fill in the keys by which names are compared, which SQL cannot compute (migration 0009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.text import name_key

if TYPE_CHECKING:
    from psycopg import Connection

_BATCH = 5000


class SameNameError(Exception):
    """Two local accounts have names that count as one; the message names them."""


def fold_names(connection: Connection[Any]) -> None:
    """Fold the names of all users that have no keys; raises SameNameError for a conflict."""
    _refuse_twins(connection)
    # The trigger must not fill in what this is about to compute.
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


def _refuse_twins(connection: Connection[Any]) -> None:
    seen: dict[tuple[str, str], str] = {}
    accounts = connection.execute(
        "SELECT email, username FROM users WHERE password_hash IS NOT NULL ORDER BY created_at, id"
    )
    for email, username in accounts:
        for kind, name in (("e-mail address", email), ("user name", username)):
            twin = seen.setdefault((kind, name_key(name)), name)
            if twin != name:
                raise SameNameError(
                    f"the local accounts {twin!r} and {name!r} have the same {kind}, spelt in two"
                    " ways: delete one of them, then deploy again"
                )
