"""The SQL of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_one, fetch_row, fetch_value
from medianest.core.text import fold
from medianest.fulfilment.models import TitleKey
from medianest.fulfilment.repository import ITEMS
from medianest.requests.models import (
    Counted,
    Decision,
    LockedRequest,
    MediaRequest,
    RequestStatus,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType, TitleDetails
    from medianest.requests.models import UnreadTitle

COLUMNS = (
    "r.id, r.user_id, r.media_type, r.tmdb_id, r.title, r.status, r.comment, r.reason,"
    " r.requested_at, r.processed_at, r.processed_by, r.poster_path, r.year,"
    " (SELECT array_agg(i.season ORDER BY i.season) FROM request_items i"
    f"  WHERE i.request_id = r.id AND i.season IS NOT NULL) AS seasons, {ITEMS}"
)
# The name of the admin who decided a request.
DECIDED_BY = "(SELECT username FROM users WHERE users.id = r.processed_by) AS processed_by_name"
# A film is one item, and so is a season. The items of a declined request are not active.
_COUNTED = (
    " FROM media_requests r JOIN request_items i ON i.request_id = r.id"
    " WHERE r.user_id = %(user_id)s AND r.media_type = %(media_type)s"
    " AND r.id IS DISTINCT FROM %(except_id)s::uuid"
    # In hours, because a calendar day of the database's time zone may have 23 or 25.
    " AND r.requested_at > now() - make_interval(hours => 24 * %(days)s) AND i.active"
)


def add(
    connection: Connection[Any],
    user_id: UUID,
    title: TitleDetails,
    comment: str | None,
    *,
    approved: bool,
) -> UUID:
    """Add a request without items: pending, or approved automatically."""
    request_id: UUID = fetch_value(
        connection,
        "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, comment, status,"
        " processed_at, poster_path, year, started_seasons, title_key, title_read_at)"
        " VALUES (%(user_id)s, %(media_type)s, %(tmdb_id)s, %(title)s, %(comment)s,"
        " CASE WHEN %(approved)s THEN 'approved' ELSE 'pending' END,"
        " CASE WHEN %(approved)s THEN now() END,"
        " %(poster_path)s, %(year)s, %(started_seasons)s::integer[], %(title_key)s, now())"
        " RETURNING id",
        {
            "user_id": user_id,
            "media_type": title.media_type,
            "tmdb_id": title.tmdb_id,
            "title": title.title,
            "comment": comment,
            "approved": approved,
            "poster_path": title.poster_path,
            "year": title.year,
            "started_seasons": title.started_seasons,
            "title_key": fold(title.title),
        },
    )
    return request_id


def reserve_movie(connection: Connection[Any], request_id: UUID, tmdb_id: int) -> bool:
    """Reserve a film for a request; return False when another active request has reserved it.

    The unique index decides: a concurrent insert waits until the first transaction ends.
    """
    inserted = connection.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id) VALUES (%s, 'movie', %s)"
        " ON CONFLICT DO NOTHING",
        (request_id, tmdb_id),
    )
    return inserted.rowcount == 1


def reserve_seasons(
    connection: Connection[Any], request_id: UUID, tmdb_id: int, seasons: Sequence[int]
) -> list[int]:
    """Reserve the seasons that no other active request has reserved, and return them.

    The ascending order prevents deadlocks between concurrent requests.
    """
    rows = connection.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id, season)"
        " SELECT %s, 'tv', %s, season FROM unnest(%s::integer[]) AS season ORDER BY season"
        " ON CONFLICT DO NOTHING RETURNING season",
        (request_id, tmdb_id, sorted(seasons)),
    )
    return sorted(row[0] for row in rows)


def active_request_of(
    connection: Connection[Any],
    user_id: UUID,
    media_type: MediaType,
    tmdb_id: int,
    seasons: Sequence[int],
) -> UUID | None:
    """Return the id of a user's newest active request for a film or for any of the seasons."""
    request_id: UUID | None = fetch_value(
        connection,
        "SELECT r.id FROM media_requests r JOIN request_items i ON i.request_id = r.id"
        " WHERE r.user_id = %s AND i.active AND i.media_type = %s AND i.tmdb_id = %s"
        " AND (i.season IS NULL OR i.season = ANY(%s)) ORDER BY r.requested_at DESC LIMIT 1",
        (user_id, media_type, tmdb_id, list(seasons)),
    )
    return request_id


def quota_used(connection: Connection[Any], counted: Counted) -> int:
    """Return the number of a user's active items of a media type in the window."""
    used: int = fetch_value(connection, "SELECT count(*)" + _COUNTED, counted._asdict())
    return used


def quota_resets_at(connection: Connection[Any], counted: Counted, items: int) -> datetime | None:
    """Return the time at which `items` of the items that `quota_used` counts have expired.

    It is None when fewer count, because one was cancelled or expired in the meantime.
    """
    resets_at: datetime | None = fetch_value(
        connection,
        "SELECT r.requested_at + make_interval(hours => 24 * %(days)s)"
        + _COUNTED
        + " ORDER BY r.requested_at LIMIT 1 OFFSET %(items)s - 1",
        counted._asdict() | {"items": items},
    )
    return resets_at


def get(connection: Connection[Any], request_id: UUID) -> MediaRequest:
    """Return a request that this transaction has written."""
    return fetch_row(
        connection,
        MediaRequest,
        f"SELECT {COLUMNS} FROM media_requests r WHERE r.id = %s",
        (request_id,),
    )


def get_for(connection: Connection[Any], request_id: UUID, viewer_id: UUID) -> MediaRequest | None:
    """Return a request if the viewer is its owner, or currently an admin."""
    return fetch_one(
        connection,
        MediaRequest,
        f"SELECT {COLUMNS} FROM media_requests r WHERE r.id = %(id)s"
        " AND (r.user_id = %(viewer)s OR EXISTS (SELECT FROM users u"
        "  WHERE u.id = %(viewer)s AND u.role = 'admin' AND u.status = 'active'))",
        {"id": request_id, "viewer": viewer_id},
    )


def lock(connection: Connection[Any], request_ids: Sequence[UUID]) -> dict[UUID, LockedRequest]:
    """Lock requests until the transaction ends, and return title and decision of each.

    The order by id prevents deadlocks between calls that lock many.
    """
    rows = connection.execute(
        f"SELECT r.id, r.media_type, r.tmdb_id, r.status, r.processed_at, {DECIDED_BY}"
        " FROM media_requests r WHERE r.id = ANY(%s) ORDER BY r.id FOR UPDATE OF r",
        (list(request_ids),),
    )
    return {row[0]: LockedRequest(TitleKey(row[1], row[2]), *row[3:]) for row in rows}


def decide(
    connection: Connection[Any],
    request_ids: Sequence[UUID],
    decision: Decision,
    *,
    admin_id: UUID,
    reason: str | None,
) -> None:
    """Decide requests; the caller has locked them and checked that they are pending."""
    connection.execute(
        "UPDATE media_requests SET status = %s, reason = %s, processed_by = %s,"
        " processed_at = now() WHERE id = ANY(%s)",
        (decision, reason, admin_id, list(request_ids)),
    )


def release(connection: Connection[Any], request_ids: Sequence[UUID]) -> None:
    """Release the items of requests, so that other requests can reserve them."""
    connection.execute(
        "UPDATE request_items SET active = false WHERE request_id = ANY(%s)",
        (list(request_ids),),
    )


def delete_pending(
    connection: Connection[Any], request_id: UUID, *, owner_id: UUID | None
) -> MediaRequest | None:
    """Delete a pending request, of the given owner if any; return the deleted row, or None.

    One of several concurrent deletions and decisions succeeds. The others wait for its row lock,
    then the request is deleted or decided.
    """
    return fetch_one(
        connection,
        MediaRequest,
        "DELETE FROM media_requests r WHERE r.id = %(id)s AND r.status = 'pending'"
        " AND (%(owner)s::uuid IS NULL OR r.user_id = %(owner)s)"
        f" RETURNING {COLUMNS}",
        {"id": request_id, "owner": owner_id},
    )


def status_of(
    connection: Connection[Any], request_id: UUID, *, owner_id: UUID | None
) -> RequestStatus | None:
    """Return the status of a request, of the given owner if any, or None when there is none."""
    status: RequestStatus | None = fetch_value(
        connection,
        "SELECT status FROM media_requests r WHERE r.id = %(id)s"
        " AND (%(owner)s::uuid IS NULL OR r.user_id = %(owner)s)",
        {"id": request_id, "owner": owner_id},
    )
    return status


def detach_admin(connection: Connection[Any], user_id: UUID, limit: int) -> int:
    """Remove the reference to an admin from up to `limit` requests; return the number changed."""
    return connection.execute(
        "UPDATE media_requests SET processed_by = NULL WHERE id = ANY (ARRAY(SELECT id FROM"
        " media_requests WHERE processed_by = %s ORDER BY id LIMIT %s FOR UPDATE))",
        (user_id, limit),
    ).rowcount


def delete_of_user(connection: Connection[Any], user_id: UUID, limit: int) -> int:
    """Delete up to `limit` requests of a user; return the number."""
    rows = connection.execute(
        "SELECT id FROM media_requests WHERE user_id = %s ORDER BY id LIMIT %s FOR UPDATE",
        (user_id, limit),
    )
    ids = [row[0] for row in rows]
    # The items, which go with their requests, are locked in the order of `fulfilment.repository`.
    connection.execute(
        "SELECT FROM request_items WHERE request_id = ANY(%s) ORDER BY id FOR UPDATE", (ids,)
    )
    return connection.execute("DELETE FROM media_requests WHERE id = ANY(%s)", (ids,)).rowcount


def fill_titles(
    connection: Connection[Any], titles: Sequence[tuple[UnreadTitle, TitleDetails | None]]
) -> int:
    """Store what TMDB has of the titles of requests, also that it has none; return the number.

    It skips locked rows, and rows that another run has filled.
    """
    values = [
        {
            "id": str(request.id),
            "poster_path": None if title is None else title.poster_path,
            "year": None if title is None else title.year,
            "started_seasons": None if title is None else title.started_seasons,
            "title_key": fold(request.title),
        }
        for request, title in titles
    ]
    return connection.execute(
        "UPDATE media_requests AS r SET poster_path = t.poster_path, year = t.year,"
        " started_seasons = t.started_seasons, title_key = t.title_key, title_read_at = now()"
        " FROM jsonb_to_recordset(%(values)s::jsonb) AS t (id uuid, poster_path text,"
        "  year integer, started_seasons integer[], title_key text)"
        " WHERE r.id = t.id AND r.id = ANY (ARRAY(SELECT id FROM media_requests"
        "  WHERE id = ANY(%(ids)s) AND title_read_at IS NULL ORDER BY id"
        "  FOR NO KEY UPDATE SKIP LOCKED))",
        {"values": json.dumps(values), "ids": [request.id for request, _ in titles]},
    ).rowcount
