"""The SQL of servers and routing rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_one, fetch_row, fetch_value
from medianest.servers.models import Kind, Rule, Sealed, Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.servers.schemas import ServerIn

_COLUMNS: LiteralString = (
    "id, kind, name, base_url, secret_hint, is_default, enabled, options, inventory, inventory_at,"
    " state, state_at, failures, open_until, last_error, created_at, updated_at"
)
_RULE: LiteralString = "id, media_type, conditions, server_id, options"


def every(connection: Connection[Any]) -> list[Server]:
    """Return every server, sorted by name."""
    return fetch_all(
        connection, Server, f"SELECT {_COLUMNS} FROM download_servers ORDER BY lower(name), id"
    )


def get(connection: Connection[Any], server_id: UUID) -> Server | None:
    """Return a server."""
    return fetch_one(
        connection, Server, f"SELECT {_COLUMNS} FROM download_servers WHERE id = %s", (server_id,)
    )


def enabled(connection: Connection[Any], kind: Kind) -> list[Server]:
    """Return the enabled servers of a kind, the default one first."""
    return fetch_all(
        connection,
        Server,
        f"SELECT {_COLUMNS} FROM download_servers WHERE enabled AND kind = %s"
        " ORDER BY is_default DESC, created_at, id",
        (kind,),
    )


def enabled_kinds(connection: Connection[Any]) -> set[Kind]:
    """Return the kinds that have an enabled server."""
    rows = connection.execute("SELECT DISTINCT kind FROM download_servers WHERE enabled")
    return {row[0] for row in rows}


def lock(connection: Connection[Any], server_id: UUID) -> Server | None:
    """Lock a server until the transaction ends, and return it."""
    return fetch_one(
        connection,
        Server,
        f"SELECT {_COLUMNS} FROM download_servers WHERE id = %s FOR NO KEY UPDATE",
        (server_id,),
    )


def lock_every(connection: Connection[Any]) -> None:
    """Lock every server, in the order of their ids, until the transaction ends."""
    connection.execute("SELECT FROM download_servers ORDER BY id FOR NO KEY UPDATE")


def count(connection: Connection[Any]) -> int:
    """Return the number of servers."""
    number: int = fetch_value(connection, "SELECT count(*) FROM download_servers")
    return number


def add(
    connection: Connection[Any],
    server_id: UUID,
    body: ServerIn,
    *,
    base_url: str,
    secret: tuple[str, dict[str, Any]],
) -> Server:
    """Add a server with a checked address; `secret` is the token, and the hint to it."""
    return fetch_row(
        connection,
        Server,
        "INSERT INTO download_servers (id, kind, name, base_url, secret_enc, secret_hint,"
        " is_default, enabled, options) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        f" RETURNING {_COLUMNS}",
        (
            *(server_id, body.kind, body.name, base_url, secret[0], json.dumps(secret[1])),
            *(body.is_default, body.enabled, json.dumps(body.options.stored())),
        ),
    )


def change(
    connection: Connection[Any],
    server_id: UUID,
    *,
    name: str,
    base_url: str,
    is_default: bool,
    enabled: bool,
    options: dict[str, Any],
) -> None:
    """Change what an admin may change of a locked server, except for the secret."""
    connection.execute(
        "UPDATE download_servers SET name = %s, base_url = %s, is_default = %s, enabled = %s,"
        " options = %s, updated_at = clock_timestamp() WHERE id = %s",
        (name, base_url, is_default, enabled, json.dumps(options), server_id),
    )


def set_secret(
    connection: Connection[Any], server_id: UUID, secret: tuple[str, dict[str, Any]] | None
) -> None:
    """Replace or remove the secret of a locked server."""
    token, hint = secret or (None, None)
    connection.execute(
        "UPDATE download_servers SET secret_enc = %s, secret_hint = %s,"
        " updated_at = clock_timestamp() WHERE id = %s",
        (token, None if hint is None else json.dumps(hint), server_id),
    )


def reset(
    connection: Connection[Any], server_id: UUID, error: dict[str, str] | None, *, moved: bool
) -> None:
    """Forget the state of a changed server, or set it to misconfigured with an error.

    A server that `moved` to another address has another inventory.
    """
    connection.execute(
        "UPDATE download_servers SET state = %s, state_at = now(), failures = 0,"
        " open_until = NULL, last_error = %s,"
        " inventory = CASE WHEN %s THEN NULL ELSE inventory END,"
        " inventory_at = CASE WHEN %s THEN NULL ELSE inventory_at END WHERE id = %s",
        (
            "misconfigured" if error else "unknown",
            None if error is None else json.dumps(error),
            *(moved, moved, server_id),
        ),
    )


def clear_default(connection: Connection[Any], kind: Kind, but: UUID) -> None:
    """Leave at most one default of a kind."""
    connection.execute(
        "UPDATE download_servers SET is_default = false, updated_at = clock_timestamp()"
        " WHERE kind = %s AND is_default AND id <> %s",
        (kind, but),
    )


def forget_handovers(connection: Connection[Any], server_id: UUID) -> None:
    """Forget the server of the titles that it has not received, or has nothing more to do of."""
    connection.execute(
        "DELETE FROM handovers h WHERE server_id = %s AND (h.submitted_at IS NULL"
        " OR NOT EXISTS (SELECT FROM request_items i WHERE i.media_type = h.media_type"
        "  AND i.tmdb_id = h.tmdb_id AND i.active AND i.fulfilment IN ('queued', 'submitted')))",
        (server_id,),
    )


def delete(connection: Connection[Any], server_id: UUID) -> None:
    """Delete a server with its rules and its jobs."""
    connection.execute("DELETE FROM download_servers WHERE id = %s", (server_id,))


def sealed(connection: Connection[Any], server_id: UUID) -> str | None:
    """Return the encrypted credentials of a server, None without any."""
    token: str | None = fetch_value(
        connection, "SELECT secret_enc FROM download_servers WHERE id = %s", (server_id,)
    )
    return token


def every_sealed(connection: Connection[Any]) -> list[Sealed]:
    """Return the encrypted credentials of every server."""
    return fetch_all(
        connection,
        Sealed,
        "SELECT id, name, secret_enc FROM download_servers WHERE secret_enc IS NOT NULL"
        " ORDER BY id",
    )


def reseal(connection: Connection[Any], server_id: UUID, old: str, new: str) -> None:
    """Replace a token by one of the current key, unless an admin has replaced it meanwhile."""
    connection.execute(
        "UPDATE download_servers SET secret_enc = %s WHERE id = %s AND secret_enc = %s",
        (new, server_id, old),
    )


def freed(connection: Connection[Any], server_id: UUID) -> None:
    """Set a server to `ok`, from any state; calls that began before may fail without effect."""
    connection.execute(
        "UPDATE download_servers SET failures = 0, open_until = NULL, last_error = NULL,"
        " updated_at = clock_timestamp(),"
        " state_at = CASE WHEN state = 'ok' THEN state_at ELSE now() END, state = 'ok'"
        " WHERE id = %s",
        (server_id,),
    )


def succeeded(connection: Connection[Any], server_id: UUID) -> bool:
    """Close the circuit; return whether it was not closed. A misconfigured server stays so."""
    changed = connection.execute(
        "UPDATE download_servers SET failures = 0, open_until = NULL, last_error = NULL,"
        " state_at = CASE WHEN state = 'ok' THEN state_at ELSE now() END, state = 'ok'"
        " WHERE id = %s AND state <> 'misconfigured'"
        " AND (state <> 'ok' OR failures > 0 OR open_until IS NOT NULL)",
        (server_id,),
    )
    return changed.rowcount == 1


def unreachable(
    connection: Connection[Any],
    server_id: UUID,
    error: dict[str, str],
    opens_at: int,
    configured_at: datetime | None = None,
) -> None:
    """Count a failure; the one with the number `opens_at`, and each later one, opens the circuit.

    For its first ten minutes the server is probed about once a minute, so that all jobs are done
    within a minute of its return; after that the pause doubles, up to half an hour. A call that
    began before the circuit opened, or before a change after `configured_at`, counts nothing.
    """
    connection.execute(
        "UPDATE download_servers SET failures = failures + 1, last_error = %(error)s,"
        " open_until = CASE WHEN failures + 1 < %(opens)s THEN NULL"
        "  WHEN failures + 1 - %(opens)s < 12 THEN now() + interval '55 seconds'"
        "  ELSE now() + least(interval '30 minutes',"
        "   interval '1 minute' * 2 ^ least(failures - 10 - %(opens)s, 10)) END,"
        " state_at = CASE WHEN failures + 1 >= %(opens)s AND state <> 'unreachable' THEN now()"
        "  ELSE state_at END,"
        " state = CASE WHEN failures + 1 >= %(opens)s THEN 'unreachable' ELSE state END"
        " WHERE id = %(id)s AND state <> 'misconfigured'"
        " AND (open_until IS NULL OR open_until <= now())"
        " AND updated_at = coalesce(%(configured_at)s, updated_at)",
        {
            "id": server_id,
            "error": json.dumps(error),
            "opens": opens_at,
            "configured_at": configured_at,
        },
    )


def misconfigured(
    connection: Connection[Any],
    server_id: UUID,
    error: dict[str, str],
    configured_at: datetime | None = None,
) -> None:
    """Park a server until an admin changes or tests it; one changed after `configured_at` is not.

    The failed call used the configuration of that time.
    """
    connection.execute(
        "UPDATE download_servers SET state = 'misconfigured', state_at = now(), last_error = %s"
        " WHERE id = %s AND state <> 'misconfigured' AND updated_at = coalesce(%s, updated_at)",
        (json.dumps(error), server_id, configured_at),
    )


def move_local(connection: Connection[Any], name: str, base_url: str) -> None:
    """Set the address of a server on this machine, whose port may differ from run to run."""
    connection.execute(
        "UPDATE download_servers SET base_url = %s WHERE name = %s"
        " AND base_url LIKE 'http://127.0.0.1:%%'",
        (base_url, name),
    )


def set_inventory(
    connection: Connection[Any], server_id: UUID, base_url: str, inventory: dict[str, Any]
) -> None:
    """Store an inventory, unless the server has moved since it was read."""
    connection.execute(
        "UPDATE download_servers SET inventory = %s, inventory_at = now()"
        " WHERE id = %s AND base_url = %s",
        (json.dumps(inventory), server_id, base_url),
    )


def rules(connection: Connection[Any]) -> list[Rule]:
    """Return every rule in its order."""
    return fetch_all(connection, Rule, f"SELECT {_RULE} FROM routing_rules ORDER BY position")


def replace_rules(
    connection: Connection[Any], new: Sequence[tuple[str, dict[str, Any], UUID, dict[str, Any]]]
) -> None:
    """Replace all rules; each is media type, conditions, server and options, in their order."""
    connection.execute("DELETE FROM routing_rules")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO routing_rules (position, media_type, conditions, server_id, options)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (position, media_type, json.dumps(conditions), server, json.dumps(options))
                for position, (media_type, conditions, server, options) in enumerate(new, 1)
            ],
        )
