"""The SQL of the audit log; a row is written in the transaction of the change that it records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.audit.models import Action, AuditRow
from medianest.core.caller import Caller
from medianest.core.db import fetch_all, on_violation, total_of
from medianest.core.errors import invalid_token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from psycopg import Connection

    from medianest.audit.schemas import AuditQuery

# Violated when the user is deleted after the authentication of the call, unless the transaction has
# locked the user's row.
_USER_FKEY = "audit_logs_user_id_fkey"


def record(
    connection: Connection[Any],
    action: Action,
    caller: Caller,
    *,
    user_id: UUID | None,
    target: tuple[str, object] | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one row; `target` is the type and id of the affected object."""
    target_type, target_id = target or (None, None)
    record_each(
        connection,
        action,
        caller,
        user_id=user_id,
        target_type=target_type,
        target_ids=[target_id],
        details=details,
    )


def record_repeated(
    connection: Connection[Any],
    action: Action,
    caller: Caller,
    *,
    user_id: UUID,
) -> None:
    """Record a repeatable action of a user: one row per hour, with `count` and `lastAt`.

    Otherwise any signed-in user could fill the table. Two concurrent calls can add two rows, unless
    the caller holds the lock on the user's row.
    """
    counted = connection.execute(
        "UPDATE audit_logs SET details = details || jsonb_build_object("
        "  'count', coalesce((details->>'count')::int, 1) + 1,"
        "  'lastAt', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))"
        " WHERE id = (SELECT id FROM audit_logs WHERE user_id = %s AND action = %s"
        "  AND created_at > now() - interval '1 hour' ORDER BY created_at DESC LIMIT 1)",
        (user_id, action),
    )
    if counted.rowcount == 0:
        record(connection, action, caller, user_id=user_id, details={"count": 1})


def record_each(
    connection: Connection[Any],
    action: Action,
    caller: Caller,
    *,
    user_id: UUID | None,
    target_type: str | None,
    target_ids: Sequence[object],
    details: dict[str, Any] | None = None,
) -> None:
    """Add a row for each target, in one statement; raises JWT_INVALID for a deleted user."""
    with on_violation(_USER_FKEY, invalid_token):
        connection.execute(
            "INSERT INTO audit_logs"
            " (user_id, action, target_type, target_id, details, request_id, ip, user_agent)"
            " SELECT %s, %s, %s, target_id, %s, %s, %s, %s FROM unnest(%s::text[]) AS target_id",
            (
                user_id,
                action,
                target_type,
                json.dumps(details or {}),
                caller.request_id,
                caller.ip,
                caller.user_agent,
                [None if target_id is None else str(target_id) for target_id in target_ids],
            ),
        )


def page(connection: Connection[Any], query: AuditQuery) -> tuple[list[AuditRow], int]:
    """Return one page of rows, the newest first, and the total number of matching rows.

    The WHERE clause has only the filters that are set, so that an index can serve it.
    """
    filters: dict[LiteralString, object] = {
        "user_id = %(user_id)s": query.user_id,
        "action = %(action)s": query.action,
        "created_at >= %(since)s": query.since,
        "created_at < %(until)s": query.until,
    }
    conditions = [condition for condition, value in filters.items() if value is not None]
    matching = " FROM audit_logs" + (" WHERE " + " AND ".join(conditions) if conditions else "")
    params = query.model_dump() | {"offset": query.offset}
    rows = fetch_all(
        connection,
        AuditRow,
        "SELECT id, user_id, action, target_type, target_id, details, request_id,"
        " host(ip) AS ip, user_agent, created_at"
        + matching
        + " ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s",
        params,
    )
    return rows, total_of(connection, query, rows, matching, params)


def delete_expired(connection: Connection[Any], retention: timedelta, limit: int) -> int:
    """Delete up to `limit` rows past their retention; return the number."""
    return connection.execute(
        "DELETE FROM audit_logs WHERE id = ANY (ARRAY(SELECT id FROM audit_logs"
        " WHERE created_at < now() - %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (retention, limit),
    ).rowcount


def detach_user(connection: Connection[Any], user_id: UUID, limit: int) -> int:
    """Remove the reference to a user from up to `limit` rows; return the number.

    Rows that a cleanup has locked are skipped. The foreign key clears them with the user.
    """
    return connection.execute(
        "UPDATE audit_logs SET user_id = NULL WHERE id = ANY (ARRAY(SELECT id FROM audit_logs"
        " WHERE user_id = %s LIMIT %s FOR UPDATE SKIP LOCKED))",
        (user_id, limit),
    ).rowcount
