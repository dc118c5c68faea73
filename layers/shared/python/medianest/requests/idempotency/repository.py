"""The SQL of idempotency keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_one, fetch_value
from medianest.requests.idempotency.models import Replay

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection


def lock(connection: Connection[Any], user_id: UUID, key: str) -> bool:
    """Lock a key until the transaction ends; return False when another call has locked it."""
    return bool(
        fetch_value(
            connection,
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"{user_id}:{key}",),
        )
    )


def replay(connection: Connection[Any], user_id: UUID, key: str) -> Replay | None:
    """Return the first use of a key, unless it is more than 24 hours old."""
    return fetch_one(
        connection,
        Replay,
        "SELECT fingerprint, response FROM idempotency_keys WHERE user_id = %s AND key = %s"
        " AND created_at > now() - interval '24 hours'",
        (user_id, key),
    )


def remember(
    connection: Connection[Any],
    user_id: UUID,
    key: str,
    *,
    fingerprint: bytes,
    response: dict[str, Any],
) -> None:
    """Store the response of a key; replaces one that is more than 24 hours old."""
    connection.execute(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, response)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, key) DO UPDATE"
        " SET fingerprint = excluded.fingerprint, response = excluded.response,"
        " created_at = now()",
        (user_id, key, fingerprint, json.dumps(response)),
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete up to `limit` keys that are more than 24 hours old; return the number."""
    return connection.execute(
        "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys"
        " WHERE created_at < now() - interval '24 hours'"
        " ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit,),
    ).rowcount
