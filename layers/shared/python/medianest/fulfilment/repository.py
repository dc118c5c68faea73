"""The SQL of fulfilment: states of items, and the server of each title."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_one
from medianest.fulfilment.models import Handover, TitleKey, WantedItem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType
    from medianest.fulfilment.models import Found

# Columns of a query of media_requests r; see `view.fulfilment`.
ITEMS: LiteralString = (
    "CASE WHEN r.status = 'approved' THEN (SELECT jsonb_agg(jsonb_build_object("
    "'season', i.season, 'state', i.fulfilment, 'since', coalesce(i.fulfilment_at, r.processed_at),"
    " 'failure', i.failure) ORDER BY i.season)"
    " FROM request_items i WHERE i.request_id = r.id) END AS items"
)
FOR_ADMINS: LiteralString = (
    "CASE WHEN r.status = 'approved' THEN jsonb_build_object("
    "'server', (SELECT jsonb_build_object('id', s.id, 'name', s.name) FROM handovers h"
    " JOIN download_servers s ON s.id = h.server_id"
    " WHERE h.media_type = r.media_type AND h.tmdb_id = r.tmdb_id),"
    " 'job', (SELECT jsonb_build_object('id', j.id, 'error', j.error, 'run_at', j.run_at)"
    " FROM jobs j WHERE j.dedup = 'handover:' || r.media_type || ':' || r.tmdb_id"
    " AND j.state IN ('queued', 'leased'))) END AS for_admins"
)
_OF_TITLE: LiteralString = "i.media_type = %(media_type)s AND i.tmdb_id = %(tmdb_id)s"


def queue(
    connection: Connection[Any], request_ids: Sequence[UUID], media_types: Sequence[MediaType]
) -> list[TitleKey]:
    """Queue the items of approved requests that have no state; return their titles."""
    rows = connection.execute(
        "WITH queued AS (UPDATE request_items SET fulfilment = 'queued', fulfilment_at = now()"
        "  WHERE request_id = ANY(%s) AND media_type = ANY(%s) AND active AND fulfilment = 'none'"
        "  RETURNING media_type, tmdb_id)"
        " SELECT DISTINCT media_type, tmdb_id FROM queued ORDER BY 1, 2",
        (list(request_ids), list(media_types)),
    )
    return [TitleKey(*row) for row in rows]


def requeue(connection: Connection[Any], request_id: UUID) -> bool:
    """Queue the failed items of a request; return whether any of its items is queued now."""
    return (
        connection.execute(
            "UPDATE request_items SET failure = NULL, fulfilment = 'queued', fulfilment_at ="
            " CASE WHEN fulfilment = 'failed' THEN now() ELSE fulfilment_at END"
            " WHERE request_id = %s AND active AND fulfilment IN ('queued', 'failed')",
            (request_id,),
        ).rowcount
        > 0
    )


def queue_by_hand(
    connection: Connection[Any], media_types: Sequence[MediaType], limit: int
) -> list[TitleKey]:
    """Queue the items that are fetched by hand, of up to `limit` titles; return the titles.

    It skips locked items: their transaction decides about them.
    """
    rows = connection.execute(
        "WITH chosen AS (SELECT i.id FROM request_items i JOIN media_requests r"
        "  ON r.id = i.request_id WHERE i.active AND i.fulfilment = 'none'"
        "  AND r.status = 'approved' AND i.media_type = ANY(%s)"
        "  LIMIT %s FOR UPDATE OF i SKIP LOCKED),"
        " queued AS (UPDATE request_items i SET fulfilment = 'queued', fulfilment_at = now()"
        "  FROM chosen WHERE i.id = chosen.id RETURNING i.media_type, i.tmdb_id)"
        " SELECT DISTINCT media_type, tmdb_id FROM queued ORDER BY 1, 2",
        (list(media_types), limit),
    )
    return [TitleKey(*row) for row in rows]


def titles_by_hand(connection: Connection[Any]) -> int:
    """Return the number of titles that are fetched by hand."""
    [[number]] = connection.execute(
        "SELECT count(DISTINCT (i.media_type, i.tmdb_id)) FROM request_items i"
        " JOIN media_requests r ON r.id = i.request_id"
        " WHERE i.active AND i.fulfilment = 'none' AND r.status = 'approved'"
    )
    return int(number)


def release(connection: Connection[Any], request_id: UUID) -> None:
    """Release the items of a request that an admin withdraws."""
    connection.execute(
        "UPDATE request_items SET active = false, fulfilment = 'none', fulfilment_at = NULL,"
        " failure = NULL WHERE request_id = %s",
        (request_id,),
    )


def wanted(connection: Connection[Any], title: TitleKey) -> list[WantedItem]:
    """Return the items of a title that a server is to have, ordered by season."""
    return fetch_all(
        connection,
        WantedItem,
        "SELECT i.id, i.season, i.fulfilment AS state, u.id AS user_id, u.username"
        " FROM request_items i JOIN media_requests r ON r.id = i.request_id"
        " JOIN users u ON u.id = r.user_id"
        f" WHERE i.active AND {_OF_TITLE} AND i.fulfilment <> 'none' ORDER BY i.season",
        title._asdict(),
    )


def handover(connection: Connection[Any], title: TitleKey) -> Handover | None:
    """Return the server of a title, None until it has one."""
    return fetch_one(
        connection,
        Handover,
        "SELECT server_id, options, external_id, tvdb_id, title_slug, submitted_at, requeued_at"
        " FROM handovers WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s",
        title._asdict(),
    )


def assign(
    connection: Connection[Any], title: TitleKey, server_id: UUID, options: dict[str, Any]
) -> bool:
    """Assign a title to a server; return False when another server has received it.

    An assignment that nothing was submitted by is replaced.
    """
    return (
        connection.execute(
            "INSERT INTO handovers AS h (media_type, tmdb_id, server_id, options)"
            " VALUES (%(media_type)s, %(tmdb_id)s, %(server_id)s, %(options)s)"
            " ON CONFLICT (media_type, tmdb_id) DO UPDATE SET server_id = excluded.server_id,"
            " options = excluded.options"
            " WHERE h.submitted_at IS NULL OR h.server_id = excluded.server_id",
            {**title._asdict(), "server_id": server_id, "options": json.dumps(options)},
        ).rowcount
        == 1
    )


def unassign(connection: Connection[Any], title: TitleKey) -> None:
    """Forget the server of a title, so that the rules decide again."""
    connection.execute(
        "DELETE FROM handovers WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s",
        title._asdict(),
    )


def record(connection: Connection[Any], title: TitleKey, found: Found) -> None:
    """Record what the server has of a title, and the new states of its items."""
    connection.execute(
        "UPDATE handovers SET external_id = %(external_id)s,"
        " tvdb_id = coalesce(%(tvdb_id)s, tvdb_id), title_slug = %(title_slug)s,"
        " submitted_at = coalesce(submitted_at, now()), checked_at = now()"
        " WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s",
        {
            **title._asdict(),
            "external_id": found.external_id,
            "tvdb_id": found.tvdb_id,
            "title_slug": found.title_slug,
        },
    )
    _advance(connection, title, "submitted", ["queued"], found.submitted)
    _advance(connection, title, "downloaded", ["queued", "submitted"], found.downloaded)


def _advance(
    connection: Connection[Any],
    title: TitleKey,
    state: LiteralString,
    before: list[str],
    seasons: Sequence[int | None],
) -> None:
    """Set the state of items that are in one of the states `before`; others stay as they are."""
    # A film has no season, and NULL equals nothing: -1 stands for it.
    numbers = [-1 if season is None else season for season in seasons]
    if numbers:
        connection.execute(
            "UPDATE request_items i SET fulfilment = %(state)s, fulfilment_at = now(),"
            f" failure = NULL WHERE i.active AND {_OF_TITLE}"
            " AND i.fulfilment = ANY(%(before)s) AND coalesce(i.season, -1) = ANY(%(numbers)s)",
            {**title._asdict(), "state": state, "before": before, "numbers": numbers},
        )


def by_hand(connection: Connection[Any], title: TitleKey) -> None:
    """Take the queued items of a title from the queue: no server takes them."""
    connection.execute(
        "UPDATE request_items i SET fulfilment = 'none', fulfilment_at = NULL"
        f" WHERE i.active AND {_OF_TITLE} AND i.fulfilment = 'queued'",
        title._asdict(),
    )


def queue_failed(connection: Connection[Any], title: TitleKey) -> None:
    """Queue the failed items of a title again."""
    connection.execute(
        "UPDATE request_items i SET fulfilment = 'queued', fulfilment_at = now(), failure = NULL"
        f" WHERE i.active AND {_OF_TITLE} AND i.fulfilment = 'failed'",
        title._asdict(),
    )


def fail(
    connection: Connection[Any],
    title: TitleKey,
    before: Sequence[str],
    failure: dict[str, str],
) -> None:
    """Set the items of a title that are in one of the states `before` to failed."""
    connection.execute(
        "UPDATE request_items i SET fulfilment = 'failed', fulfilment_at = now(),"
        f" failure = %(failure)s WHERE i.active AND {_OF_TITLE}"
        " AND i.fulfilment = ANY(%(before)s)",
        {**title._asdict(), "failure": json.dumps(failure), "before": list(before)},
    )


def requeue_removed(connection: Connection[Any], title: TitleKey) -> bool:
    """Queue the submitted items of a title that its server lost, once, within a day of submission.

    Return False when it may not be queued again.
    """
    allowed = connection.execute(
        "UPDATE handovers SET requeued_at = now(), checked_at = now()"
        " WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s AND requeued_at IS NULL"
        " AND submitted_at > now() - interval '1 day'",
        title._asdict(),
    ).rowcount
    if allowed:
        connection.execute(
            "UPDATE request_items i SET fulfilment = 'queued', fulfilment_at = now()"
            f" WHERE i.active AND {_OF_TITLE} AND i.fulfilment = 'submitted'",
            title._asdict(),
        )
    return bool(allowed)


def unchecked(connection: Connection[Any], server_id: UUID, limit: int) -> list[TitleKey]:
    """Return submitted titles of a server, the least recently checked first."""
    rows = connection.execute(
        "SELECT h.media_type, h.tmdb_id FROM handovers h WHERE h.server_id = %s AND EXISTS ("
        " SELECT FROM request_items i WHERE i.active AND i.fulfilment = 'submitted'"
        " AND i.media_type = h.media_type AND i.tmdb_id = h.tmdb_id)"
        " ORDER BY h.checked_at NULLS FIRST LIMIT %s",
        (server_id, limit),
    )
    return [TitleKey(*row) for row in rows]
