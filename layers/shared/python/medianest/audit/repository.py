"""The SQL of the audit log; a row is written in the transaction of the change that it records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from medianest.audit.models import Action, AuditRow
from medianest.core.caller import Caller
from medianest.core.db import on_violation
from medianest.core.errors import invalid_token
from medianest.core.paging import Listing, Parts, fetch_page

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from psycopg import Connection

    from medianest.audit.schemas import AuditQuery

# Violated when the user is deleted after the authentication of the call, unless the transaction has
# locked the user's row.
_USER_FKEY = "audit_logs_user_id_fkey"
_COLUMNS = (
    "a.id, a.user_id, a.action, a.target_type, a.target_id, a.details, a.request_id,"
    " host(a.ip) AS ip, a.user_agent, a.created_at,"
    " (SELECT username FROM users WHERE users.id = a.user_id) AS user_name,"
    # Only the id of such a target is a UUID.
    " CASE a.target_type"
    " WHEN 'user' THEN (SELECT username FROM users WHERE users.id = a.target_id::uuid)"
    " WHEN 'request' THEN (SELECT title FROM media_requests r WHERE r.id = a.target_id::uuid)"
    " WHEN 'server' THEN (SELECT name FROM download_servers s WHERE s.id = a.target_id::uuid)"
    " END AS target_name"
)
_FILTERS: dict[str, LiteralString] = {
    "user_id": "a.user_id = %(user_id)s",
    "action": "a.action = %(action)s",
    "since": "a.created_at >= %(since)s",
    "until": "a.created_at < %(until)s",
}
# The first day that begins in the period, and the day on which the period ends.
_FIRST: LiteralString = (
    "((%(since)s::timestamptz AT TIME ZONE 'UTC') + interval '1 day - 1 microsecond')::date"
)
_LAST: LiteralString = "(%(until)s::timestamptz AT TIME ZONE 'UTC')::date"


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
            " (user_id, action, target_type, target_id, details, request_id, ip, user_agent,"
            " created_at)"
            # Not now(), which all rows of a transaction share: the list is sorted by time.
            " SELECT %s, %s, %s, target_id, %s, %s, %s, %s, clock_timestamp()"
            " FROM unnest(%s::text[]) AS target_id",
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
    filters = {
        "user_id": query.user_id,
        "action": query.action,
        "since": query.since,
        "until": query.until,
    }
    params = {name: value for name, value in filters.items() if value is not None}
    listing = Listing(
        key="a.id",
        source="audit_logs a",
        conditions=[_FILTERS[name] for name in params],
        order="a.created_at DESC, a.id",
        reverse="a.created_at, a.id DESC",
        columns=_COLUMNS,
        rows="page JOIN audit_logs a USING (id)",
    )
    if query.user_id is None:
        numbers = _numbers_by_day(params)
        listing = replace(
            listing,
            total=f"SELECT coalesce(sum(n), 0)::bigint FROM ({numbers}) AS days",
            parts=Parts(numbers, f"a.created_at >= {_midnight('%(part)s::date')}", descending=True),
        )
    return fetch_page(connection, AuditRow, query, listing, params)


def _numbers_by_day(params: Collection[str]) -> LiteralString:
    """Return the SELECT of the numbers of matching rows by day; `params` are the filters set.

    The days at the ends of a period are counted, because only a part of them matches.
    """
    of_action: LiteralString = " AND facet = %(action)s" if "action" in params else ""
    whole: LiteralString = (
        "SELECT day AS part, sum(n) AS n FROM row_counts WHERE source = 'audit_logs'"
    )
    whole += of_action
    counted: LiteralString = (
        " UNION ALL SELECT (a.created_at AT TIME ZONE 'UTC')::date, count(*) FROM audit_logs a"
        " WHERE " + " AND ".join(_FILTERS[name] for name in params)
    )
    if "since" in params:
        whole += f" AND day >= {_FIRST}"
    if "until" in params:
        whole += f" AND day < {_LAST}"
    numbers = whole + " GROUP BY day"
    if "since" in params:
        numbers += f"{counted} AND a.created_at < {_midnight(_FIRST)} GROUP BY 1"
    if "until" in params:
        # The end's day may be that of the start, which is counted above.
        start = f"greatest({_LAST}, {_FIRST})" if "since" in params else _LAST
        numbers += f"{counted} AND a.created_at >= {_midnight(start)} GROUP BY 1"
    return numbers


def _midnight(day: LiteralString) -> LiteralString:
    return f"({day})::timestamp AT TIME ZONE 'UTC'"


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
