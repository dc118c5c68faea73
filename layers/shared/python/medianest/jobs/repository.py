"""The SQL of jobs beside the protocol: lists, admins' changes, what is due, old rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple
from uuid import UUID

from medianest.core.db import fetch_one, fetch_row, fetch_value
from medianest.core.paging import Listing, fetch_page
from medianest.jobs import backoff
from medianest.jobs.models import JobRow
from medianest.jobs.protocol import RUNNABLE

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg import Connection

    from medianest.jobs.models import Kind, State
    from medianest.jobs.schemas import JobQuery

_TITLE: LiteralString = (
    "SELECT r.title FROM request_items i JOIN media_requests r ON r.id = i.request_id"
    " WHERE i.active AND i.tmdb_id = (j.payload->>'tmdbId')::integer"
)
_COLUMNS: LiteralString = (
    "j.id, j.kind, j.server_id, j.payload, j.state, j.again, j.attempts, j.run_at, j.deadline_at,"
    " j.lease_until, j.error, j.created_at, j.finished_at,"
    # One statement for each type, because each has an index of its own.
    " CASE j.payload->>'mediaType'"
    f" WHEN 'movie' THEN ({_TITLE} AND i.media_type = 'movie' LIMIT 1)"
    f" WHEN 'tv' THEN ({_TITLE} AND i.media_type = 'tv' LIMIT 1) END AS title"
)
_FILTERS: dict[str, LiteralString] = {
    "state": "j.state = %(state)s",
    "kind": "j.kind = %(kind)s",
    "server_id": "j.server_id = %(server_id)s",
}
# An arbitrary key: the advisory lock that puts changes of servers, and of what names one, in order.
_SERVERS_LOCK = 7_140_028_001
# Dead jobs are there to be retried, so they stay longer.
_RETENTION_DAYS: dict[State, int] = {"done": 30, "cancelled": 30, "dead": 90}


class Backlog(NamedTuple):
    """The backlog of jobs, and the longest absence of a server; 0 if there is none."""

    oldest_due_seconds: float
    dead: int
    unreachable_seconds: float


def get(connection: Connection[Any], job_id: UUID) -> JobRow | None:
    """Return a job."""
    return fetch_one(
        connection, JobRow, f"SELECT {_COLUMNS} FROM jobs j WHERE j.id = %s", (job_id,)
    )


def lock(connection: Connection[Any], job_id: UUID) -> JobRow | None:
    """Lock a job until the transaction ends, and return it."""
    return fetch_one(
        connection, JobRow, f"SELECT {_COLUMNS} FROM jobs j WHERE j.id = %s FOR UPDATE", (job_id,)
    )


def lock_of_server(
    connection: Connection[Any], server_id: UUID, *, kind: Kind | None = None
) -> None:
    """Lock the live jobs of a server, all or those of one kind, until the transaction ends.

    The lock of a job precedes that of its server (`protocol`), so call it before a change of the
    server that changes these jobs as well. No run holds the others.
    """
    connection.execute(
        "SELECT FROM jobs WHERE server_id = %(server)s AND state IN ('queued', 'leased')"
        ' AND kind = coalesce(%(kind)s, kind) ORDER BY dedup COLLATE "C" FOR UPDATE',
        {"server": server_id, "kind": kind},
    )


def lock_server_changes(connection: Connection[Any]) -> None:
    """Block admins' changes to servers and rules, and new jobs of servers, until the end.

    Without it, a server could be deleted, or one of its jobs revived, between a look and the change
    that depends on it.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SERVERS_LOCK,))


def unbind(connection: Connection[Any], server_id: UUID) -> None:
    """Take the server from the locked live hand-overs of a server that is deleted or disabled.

    Their titles get another one, if there is one; a job that runs runs again.
    """
    connection.execute(
        "UPDATE jobs SET server_id = NULL, run_at = now(), again = again OR state = 'leased',"
        " deadline_at = greatest(deadline_at, now() + %s)"
        " WHERE server_id = %s AND kind = 'handover' AND state IN ('queued', 'leased')",
        (backoff.PLANS["handover"].deadline, server_id),
    )


def page(connection: Connection[Any], query: JobQuery) -> tuple[list[JobRow], int]:
    """Return a page of jobs, the newest first, and the total number of matches."""
    filters = {"state": query.state, "kind": query.kind, "server_id": query.server_id}
    params = {name: value for name, value in filters.items() if value is not None}
    listing = Listing(
        key="j.id",
        source="jobs j",
        conditions=[_FILTERS[name] for name in params],
        order="j.created_at DESC, j.id",
        reverse="j.created_at, j.id DESC",
        columns=_COLUMNS,
        rows="page JOIN jobs j USING (id)",
    )
    return fetch_page(connection, JobRow, query, listing, params)


def dead_ids(
    connection: Connection[Any], *, kind: Kind | None, server_id: UUID | None, limit: int
) -> list[UUID]:
    """Return the ids of dead jobs, those that died first first."""
    filters = {"kind": kind, "server_id": server_id}
    params = {name: value for name, value in filters.items() if value is not None}
    conditions: LiteralString = "".join(f" AND {_FILTERS[name]}" for name in params)
    rows = connection.execute(
        f"SELECT j.id FROM jobs j WHERE j.state = 'dead'{conditions}"
        " ORDER BY j.finished_at, j.id LIMIT %(limit)s",
        {**params, "limit": limit},
    )
    return [row[0] for row in rows]


def revive(connection: Connection[Any], job: JobRow) -> bool:
    """Queue a locked job that is dead or cancelled; return False if a live one has its place.

    The title of a hand-over may have another server by now.
    """
    from psycopg.errors import UniqueViolation

    try:
        with connection.transaction():
            connection.execute(
                "UPDATE jobs SET state = 'queued', again = false, attempts = 0, run_at = now(),"
                " server_id = CASE WHEN kind = 'handover' THEN NULL ELSE server_id END,"
                " deadline_at = now() + %s, finished_at = NULL WHERE id = %s",
                (backoff.PLANS[job.kind].deadline, job.id),
            )
    except UniqueViolation:
        return False
    return True


def claim_bell(connection: Connection[Any], seconds: float, *, slack: float) -> bool:
    """Note the next delayed bell; return False if an earlier one, or `slack` later, is noted."""
    row = connection.execute(
        "INSERT INTO next_bell (rings_at) VALUES (now() + make_interval(secs => %(seconds)s))"
        " ON CONFLICT (is_only) DO UPDATE SET rings_at = excluded.rings_at"
        " WHERE next_bell.rings_at <= now()"
        "  OR excluded.rings_at < next_bell.rings_at - make_interval(secs => %(slack)s)"
        " RETURNING true",
        {"seconds": seconds, "slack": slack},
    ).fetchone()
    return row is not None


def release_bell(connection: Connection[Any]) -> None:
    """Forget the next bell, which the queue did not take."""
    connection.execute("DELETE FROM next_bell")


def cancel(connection: Connection[Any], job_id: UUID) -> None:
    """Cancel a locked job that is not leased."""
    connection.execute(
        "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = %s", (job_id,)
    )


def dedup(connection: Connection[Any], job_id: UUID) -> str:
    """Return the key of a job."""
    key: str = fetch_value(connection, "SELECT dedup FROM jobs WHERE id = %s", (job_id,))
    return key


def make_due(connection: Connection[Any], server_id: UUID, *, renews: bool = False) -> int:
    """Make the waiting jobs of a server due; return their number.

    A job that a lease or an approval has locked is skipped: to wait for it could deadlock. With
    `renews`, the deadline of hand-overs begins again: it may have passed while they were parked.
    """
    return connection.execute(
        "UPDATE jobs SET run_at = least(run_at, now()), deadline_at = CASE"
        " WHEN %(renews)s AND kind = 'handover' THEN greatest(deadline_at, now() + %(deadline)s)"
        " ELSE deadline_at END WHERE id = ANY (ARRAY(SELECT id FROM jobs"
        " WHERE server_id = %(server)s AND state = 'queued' AND (run_at > now() OR %(renews)s)"
        " FOR UPDATE SKIP LOCKED))",
        {
            "server": server_id,
            "renews": renews,
            "deadline": backoff.PLANS["handover"].deadline,
        },
    ).rowcount


def seconds_until_due(connection: Connection[Any], kinds: Collection[Kind]) -> float | None:
    """Return the seconds until a job can be leased, not positive if one can be; None if none."""
    seconds: float | None = fetch_value(
        connection,
        "SELECT extract(epoch FROM min(greatest(j.run_at, s.open_until)) - now())::float8"
        f" FROM jobs j LEFT JOIN download_servers s ON s.id = j.server_id WHERE {RUNNABLE}",
        {"kinds": list(kinds)},
    )
    return seconds


def servers_with_submitted_titles(connection: Connection[Any]) -> list[UUID]:
    """Return the servers that have been given titles and have no file of them yet."""
    rows = connection.execute(
        "SELECT s.id FROM download_servers s WHERE s.enabled AND s.state <> 'misconfigured'"
        " AND EXISTS (SELECT FROM handovers h JOIN request_items i USING (media_type, tmdb_id)"
        "  WHERE h.server_id = s.id AND h.submitted_at IS NOT NULL AND i.active"
        "  AND i.fulfilment = 'submitted') ORDER BY s.id"
    )
    return [row[0] for row in rows]


def servers_to_read(connection: Connection[Any]) -> list[UUID]:
    """Return the enabled servers, whose profiles, folders and tags are read again."""
    rows = connection.execute("SELECT id FROM download_servers WHERE enabled ORDER BY id")
    return [row[0] for row in rows]


def backlog(connection: Connection[Any], kinds: Collection[Kind]) -> Backlog:
    """Return what waits, what was given up in the last hour, how long a server has been away.

    Older dead jobs are known: they must not hide the next one from the alarm.
    """
    return fetch_row(
        connection,
        Backlog,
        "SELECT coalesce((SELECT extract(epoch FROM now() - min(greatest(j.run_at, s.open_until)))"
        f"  FROM jobs j LEFT JOIN download_servers s ON s.id = j.server_id WHERE {RUNNABLE}"
        "  AND j.run_at <= now()), 0)::float8 AS oldest_due_seconds,"
        " (SELECT count(*) FROM jobs WHERE state = 'dead'"
        "  AND finished_at > now() - interval '1 hour') AS dead,"
        " coalesce((SELECT extract(epoch FROM now() - min(state_at)) FROM download_servers"
        "  WHERE enabled AND state IN ('unreachable', 'misconfigured')), 0)::float8"
        " AS unreachable_seconds",
        {"kinds": list(kinds)},
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete up to `limit` jobs past their retention; return the number."""
    deleted = 0
    for state, days in _RETENTION_DAYS.items():
        deleted += connection.execute(
            "DELETE FROM jobs WHERE id = ANY (ARRAY(SELECT id FROM jobs"
            " WHERE state = %s AND finished_at < now() - %s * interval '1 day'"
            " ORDER BY finished_at LIMIT %s FOR UPDATE SKIP LOCKED))",
            (state, days, limit - deleted),
        ).rowcount
    return deleted
