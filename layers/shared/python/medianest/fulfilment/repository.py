"""The SQL of fulfilment: states of items, and the server of each title."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_one, fetch_value
from medianest.fulfilment.models import Handover, TitleKey, WantedItem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType
    from medianest.fulfilment.models import Found, ItemState

# Columns of a query of media_requests r; see `view.fulfilment`.
ITEMS: LiteralString = (
    "CASE WHEN r.status = 'approved' THEN (SELECT jsonb_agg(jsonb_build_object("
    "'season', i.season, 'state', i.fulfilment, 'since', coalesce(i.fulfilment_at, r.processed_at),"
    " 'failure', i.failure) ORDER BY i.season)"
    " FROM request_items i WHERE i.request_id = r.id) END AS items"
)
FOR_ADMINS: LiteralString = (
    "CASE WHEN r.status = 'approved' THEN jsonb_build_object("
    "'server', (SELECT jsonb_build_object('id', s.id, 'name', s.name, 'enabled', s.enabled,"
    " 'error', CASE WHEN s.state <> 'ok' THEN s.last_error END) FROM handovers h"
    " JOIN download_servers s ON s.id = h.server_id"
    " WHERE h.media_type = r.media_type AND h.tmdb_id = r.tmdb_id),"
    " 'job', (SELECT jsonb_build_object('id', j.id, 'error', j.error, 'run_at', j.run_at)"
    " FROM jobs j WHERE j.dedup = 'handover:' || r.media_type || ':' || r.tmdb_id"
    " AND j.state IN ('queued', 'leased'))) END AS for_admins"
)
_OF_TITLE: LiteralString = "i.media_type = %(media_type)s AND i.tmdb_id = %(tmdb_id)s"
# A column of a title whose server may change: a new server knows nothing of the title.
_KEPT: LiteralString = "{0} = CASE WHEN h.server_id = excluded.server_id THEN h.{0} END"
# A film has no season, and NULL equals nothing: -1 stands for it.
_SEASON: LiteralString = "coalesce(i.season, -1)"


def _items(condition: LiteralString) -> LiteralString:
    """Return the condition of an UPDATE that locks items in the order of their ids.

    Every change of several items takes this order, so none deadlocks with another. A decline
    (`requests.repository.release`) changes items that no job does.
    """
    return (
        f" WHERE id = ANY (ARRAY(SELECT i.id FROM request_items i WHERE {condition}"
        " ORDER BY i.id FOR NO KEY UPDATE))"
    )


def queue(
    connection: Connection[Any], request_ids: Sequence[UUID], media_types: Sequence[MediaType]
) -> list[TitleKey]:
    """Queue the items of approved requests that have no state; return their titles."""
    rows = connection.execute(
        "WITH queued AS (UPDATE request_items SET fulfilment = 'queued', fulfilment_at = now()"
        + _items(
            "i.request_id = ANY(%s) AND i.media_type = ANY(%s) AND i.active"
            " AND i.fulfilment = 'none'"
        )
        + " RETURNING media_type, tmdb_id)"
        " SELECT DISTINCT media_type, tmdb_id FROM queued ORDER BY 1, 2",
        (list(request_ids), list(media_types)),
    )
    return [TitleKey(*row) for row in rows]


def requeue(
    connection: Connection[Any], request_id: UUID, states: Sequence[ItemState] = ("failed",)
) -> bool:
    """Queue the items of a request in some states; return whether any of its items is queued."""
    return (
        connection.execute(
            "UPDATE request_items SET failure = NULL, fulfilment = 'queued', fulfilment_at ="
            " CASE WHEN fulfilment = 'queued' THEN fulfilment_at ELSE now() END"
            + _items("i.request_id = %s AND i.active AND i.fulfilment = ANY(%s)"),
            (request_id, ["queued", *states]),
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
        " failure = NULL" + _items("i.request_id = %s"),
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
        "SELECT h.server_id, s.enabled AS is_enabled, h.options, h.tvdb_id, h.submitted_at,"
        " h.checked_at FROM handovers h JOIN download_servers s ON s.id = h.server_id"
        " WHERE h.media_type = %(media_type)s AND h.tmdb_id = %(tmdb_id)s",
        title._asdict(),
    )


def assign(
    connection: Connection[Any],
    title: TitleKey,
    server_id: UUID,
    options: dict[str, Any],
    *,
    by_admin: bool,
) -> bool:
    """Assign a title to a server; return False when another server keeps it.

    A disabled server keeps no title. An enabled one keeps it from the rules, and from an admin's
    choice if it has received the title. A new server has received nothing yet. `options` are those
    that replace the server's own.
    """
    return (
        connection.execute(
            "INSERT INTO handovers AS h (media_type, tmdb_id, server_id, options)"
            " VALUES (%(media_type)s, %(tmdb_id)s, %(server_id)s, %(options)s)"
            " ON CONFLICT (media_type, tmdb_id) DO UPDATE SET server_id = excluded.server_id,"
            " options = excluded.options,"
            f" {_KEPT.format('external_id')}, {_KEPT.format('title_slug')},"
            f" {_KEPT.format('submitted_at')}, {_KEPT.format('requeued_at')},"
            f" {_KEPT.format('checked_at')}"
            " WHERE %(by_admin)s AND (h.submitted_at IS NULL OR h.server_id = excluded.server_id)"
            " OR NOT (SELECT s.enabled FROM download_servers s WHERE s.id = h.server_id)",
            {
                **title._asdict(),
                "server_id": server_id,
                "options": json.dumps(options),
                "by_admin": by_admin,
            },
        ).rowcount
        == 1
    )


def unassign(connection: Connection[Any], title: TitleKey) -> bool:
    """Forget the server of a title, so that the rules decide again; return whether it is disabled.

    A disabled server is asked for nothing more.
    """
    found = connection.execute(
        "DELETE FROM handovers h USING download_servers s WHERE s.id = h.server_id"
        " AND h.media_type = %(media_type)s AND h.tmdb_id = %(tmdb_id)s RETURNING s.enabled",
        title._asdict(),
    ).fetchone()
    return found == (False,)


def record(connection: Connection[Any], title: TitleKey, server_id: UUID, found: Found) -> bool:
    """Record what the server has of a title, and the new states of its items.

    Return False, and change nothing, when the title has another server by now.
    """
    is_recorded = (
        connection.execute(
            "UPDATE handovers SET external_id = %(external_id)s,"
            " tvdb_id = coalesce(%(tvdb_id)s, tvdb_id), title_slug = %(title_slug)s,"
            " submitted_at = coalesce(submitted_at, now()), checked_at = now()"
            " WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s"
            " AND server_id = %(server_id)s",
            {
                **title._asdict(),
                "server_id": server_id,
                "external_id": found.external_id,
                "tvdb_id": found.tvdb_id,
                "title_slug": found.title_slug,
            },
        ).rowcount
        == 1
    )
    if is_recorded and (found.submitted or found.downloaded):
        connection.execute(
            "UPDATE request_items i SET fulfilment_at = now(), failure = NULL, fulfilment = CASE"
            f" WHEN {_SEASON} = ANY(%(downloaded)s) THEN 'downloaded' ELSE 'submitted' END"
            + _items(
                f"i.active AND {_OF_TITLE} AND (i.fulfilment = 'queued'"
                f" AND {_SEASON} = ANY(%(submitted)s) OR i.fulfilment IN ('queued', 'submitted')"
                f" AND {_SEASON} = ANY(%(downloaded)s))"
            ),
            {
                **title._asdict(),
                "submitted": _numbers(found.submitted),
                "downloaded": _numbers(found.downloaded),
            },
        )
    return is_recorded


def _numbers(seasons: Collection[int | None]) -> list[int]:
    return [-1 if season is None else season for season in seasons]


def by_hand(connection: Connection[Any], title: TitleKey) -> None:
    """Release the items of a title to be fetched by hand: no server has or takes them."""
    connection.execute(
        "UPDATE request_items SET fulfilment = 'none', fulfilment_at = NULL"
        + _items(f"i.active AND {_OF_TITLE} AND i.fulfilment IN ('queued', 'submitted')"),
        title._asdict(),
    )


def queue_failed(connection: Connection[Any], title: TitleKey) -> None:
    """Queue the failed items of a title again."""
    connection.execute(
        "UPDATE request_items SET fulfilment = 'queued', fulfilment_at = now(), failure = NULL"
        + _items(f"i.active AND {_OF_TITLE} AND i.fulfilment = 'failed'"),
        title._asdict(),
    )


def fail(connection: Connection[Any], title: TitleKey, failure: dict[str, str]) -> None:
    """Set the queued items of a title to failed."""
    connection.execute(
        "UPDATE request_items SET fulfilment = 'failed', fulfilment_at = now(),"
        " failure = %(failure)s" + _items(f"i.active AND {_OF_TITLE} AND i.fulfilment = 'queued'"),
        {**title._asdict(), "failure": json.dumps(failure)},
    )


def has_queued(connection: Connection[Any], title: TitleKey) -> bool:
    """Return whether items of a title wait for a server."""
    found: bool = fetch_value(
        connection,
        "SELECT EXISTS (SELECT FROM request_items i"
        f" WHERE i.active AND {_OF_TITLE} AND i.fulfilment = 'queued')",
        title._asdict(),
    )
    return found


def note_check(connection: Connection[Any], title: TitleKey, handover: Handover) -> bool:
    """Note that a server was asked for a title; return False when a hand-over was quicker.

    The server answered before that hand-over, and so without the items submitted by it.
    """
    return (
        connection.execute(
            "UPDATE handovers SET checked_at = now() WHERE media_type = %(media_type)s"
            " AND tmdb_id = %(tmdb_id)s AND server_id = %(server_id)s"
            " AND checked_at IS NOT DISTINCT FROM %(checked_at)s",
            {
                **title._asdict(),
                "server_id": handover.server_id,
                "checked_at": handover.checked_at,
            },
        ).rowcount
        == 1
    )


def lose(
    connection: Connection[Any],
    title: TitleKey,
    seasons: Collection[int | None],
    failure: dict[str, str],
) -> bool:
    """Queue the submitted items that the server no longer fetches, or else set them to failed.

    Return whether they are queued: once a day for a title, for an item of the last day.
    """
    params = {**title._asdict(), "seasons": _numbers(seasons), "failure": json.dumps(failure)}
    lost: LiteralString = (
        f"i.active AND {_OF_TITLE} AND i.fulfilment = 'submitted' AND {_SEASON} = ANY(%(seasons)s)"
    )
    is_allowed = connection.execute(
        "UPDATE handovers SET requeued_at = now()"
        " WHERE media_type = %(media_type)s AND tmdb_id = %(tmdb_id)s"
        " AND coalesce(requeued_at <= now() - interval '1 day', true)"
        f" AND EXISTS (SELECT FROM request_items i WHERE {lost}"
        "  AND i.fulfilment_at > now() - interval '1 day')",
        params,
    ).rowcount
    change: LiteralString = (
        "fulfilment = 'queued'" if is_allowed else "fulfilment = 'failed', failure = %(failure)s"
    )
    changed = connection.execute(
        f"UPDATE request_items SET {change}, fulfilment_at = now()" + _items(lost), params
    ).rowcount
    return bool(is_allowed and changed)


def unchecked(connection: Connection[Any], server_id: UUID, limit: int) -> list[TitleKey]:
    """Return submitted titles of a server, the least recently checked first."""
    rows = connection.execute(
        "SELECT h.media_type, h.tmdb_id FROM handovers h WHERE h.server_id = %s"
        " AND h.submitted_at IS NOT NULL AND EXISTS ("
        " SELECT FROM request_items i WHERE i.active AND i.fulfilment = 'submitted'"
        " AND i.media_type = h.media_type AND i.tmdb_id = h.tmdb_id)"
        " ORDER BY h.checked_at NULLS FIRST LIMIT %s",
        (server_id, limit),
    )
    return [TitleKey(*row) for row in rows]
