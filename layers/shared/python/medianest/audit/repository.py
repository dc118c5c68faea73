"""The SQL of the audit log; a row is written in the transaction of the change it tells of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.audit.models import Action, AuditRow
from medianest.core.caller import Caller
from medianest.core.db import fetch_all, fetch_value

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.audit.schemas import AuditQuery


def record(
    connection: Connection[Any],
    action: Action,
    caller: Caller,
    *,
    user_id: UUID | None,
    target: tuple[str, object] | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one row; `target` is the kind and id of what was acted upon."""
    target_type, target_id = target or (None, None)
    connection.execute(
        "INSERT INTO audit_logs"
        " (user_id, action, target_type, target_id, details, request_id, ip, user_agent)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            user_id,
            action,
            target_type,
            None if target_id is None else str(target_id),
            json.dumps(details or {}),
            caller.request_id,
            caller.ip,
            caller.user_agent,
        ),
    )


def page(connection: Connection[Any], query: AuditQuery) -> tuple[list[AuditRow], int]:
    """Return one page of rows, the newest first, and how many match in all.

    The WHERE has the filters that are given and no others, so that an index can serve it.
    """
    filters = {
        "user_id = %(user_id)s": query.user_id,
        "action = %(action)s": query.action,
        "created_at >= %(since)s": query.since,
        "created_at < %(until)s": query.until,
    }
    given = [condition for condition, value in filters.items() if value is not None]
    matching = " FROM audit_logs" + (" WHERE " + " AND ".join(given) if given else "")
    params = query.model_dump() | {"offset": query.offset}
    total = fetch_value(connection, "SELECT count(*)" + matching, params)
    rows = fetch_all(
        connection,
        AuditRow,
        "SELECT id, user_id, action, target_type, target_id, details, request_id,"
        " host(ip) AS ip, user_agent, created_at"
        + matching
        + " ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s",
        params,
    )
    return rows, total
