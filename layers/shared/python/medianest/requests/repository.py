"""The SQL of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_one, fetch_value
from medianest.requests.models import (
    Decision,
    MediaRequest,
    Replay,
    RequestStatus,
    RequestWithRequester,
    TitleRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType, Title, TitleDetails
    from medianest.requests.schemas import AdminRequestQuery, RequestSort

_COLUMNS = (
    "r.id, r.user_id, r.media_type, r.tmdb_id, r.title, r.status, r.comment, r.reason,"
    " r.requested_at, r.processed_at, r.processed_by,"
    " (SELECT array_agg(i.season ORDER BY i.season) FROM request_items i"
    "  WHERE i.request_id = r.id AND i.season IS NOT NULL) AS seasons"
)
_ORDERS: dict[RequestSort, LiteralString] = {
    "requestedAt": "r.requested_at, r.id",
    "-requestedAt": "r.requested_at DESC, r.id",
    "title": "lower(r.title), r.id",
    "-title": "lower(r.title) DESC, r.id",
}
_FILTER = (
    " WHERE (%(user_id)s::uuid IS NULL OR r.user_id = %(user_id)s)"
    " AND (%(status)s::text IS NULL OR r.status = %(status)s)"
    " AND (%(media_type)s::text IS NULL OR r.media_type = %(media_type)s)"
)


def add(
    connection: Connection[Any], user_id: UUID, title: TitleDetails, comment: str | None
) -> UUID:
    """Add a pending request that holds nothing yet."""
    request_id: UUID = fetch_value(
        connection,
        "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, comment)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (user_id, title.media_type, title.tmdb_id, title.title, comment),
    )
    return request_id


def hold_movie(connection: Connection[Any], request_id: UUID, tmdb_id: int) -> bool:
    """Let a request hold a film; False when another active request does.

    The unique index decides: a concurrent insert waits here for the first one's commit.
    """
    inserted = connection.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id) VALUES (%s, 'movie', %s)"
        " ON CONFLICT DO NOTHING",
        (request_id, tmdb_id),
    )
    return inserted.rowcount == 1


def hold_seasons(
    connection: Connection[Any], request_id: UUID, tmdb_id: int, seasons: Sequence[int]
) -> list[int]:
    """Let a request hold the seasons that no other active request does; return those.

    In ascending order, so that concurrent requests wait for each other and never in a circle.
    """
    rows = connection.execute(
        "INSERT INTO request_items (request_id, media_type, tmdb_id, season)"
        " SELECT %s, 'tv', %s, season FROM unnest(%s::integer[]) AS season ORDER BY season"
        " ON CONFLICT DO NOTHING RETURNING season",
        (request_id, tmdb_id, sorted(seasons)),
    )
    return sorted(row[0] for row in rows)


def own_holder(
    connection: Connection[Any],
    user_id: UUID,
    media_type: MediaType,
    tmdb_id: int,
    seasons: Sequence[int],
) -> UUID | None:
    """Return a user's newest active request that holds a film, or any of a show's seasons."""
    holder: UUID | None = fetch_value(
        connection,
        "SELECT r.id FROM media_requests r JOIN request_items i ON i.request_id = r.id"
        " WHERE r.user_id = %s AND i.active AND i.media_type = %s AND i.tmdb_id = %s"
        " AND (i.season IS NULL OR i.season = ANY(%s)) ORDER BY r.requested_at DESC LIMIT 1",
        (user_id, media_type, tmdb_id, list(seasons)),
    )
    return holder


def get(connection: Connection[Any], request_id: UUID) -> MediaRequest | None:
    """Return a request."""
    return fetch_one(
        connection,
        MediaRequest,
        f"SELECT {_COLUMNS} FROM media_requests r WHERE r.id = %s",
        (request_id,),
    )


def decide(
    connection: Connection[Any],
    request_id: UUID,
    decision: Decision,
    *,
    admin_id: UUID,
    reason: str | None,
) -> bool:
    """Move a request out of pending; True for exactly one of all who try."""
    updated = connection.execute(
        "UPDATE media_requests SET status = %s, reason = %s, processed_by = %s,"
        " processed_at = now() WHERE id = %s AND status = 'pending'",
        (decision, reason, admin_id, request_id),
    )
    return updated.rowcount == 1


def release(connection: Connection[Any], request_id: UUID) -> None:
    """Free what a request holds, so that others may ask for it."""
    connection.execute(
        "UPDATE request_items SET active = false WHERE request_id = %s", (request_id,)
    )


def status_of(connection: Connection[Any], request_id: UUID) -> RequestStatus | None:
    """Return a request's status, or None when there is no such request."""
    status: RequestStatus | None = fetch_value(
        connection, "SELECT status FROM media_requests WHERE id = %s", (request_id,)
    )
    return status


def page(
    connection: Connection[Any], query: AdminRequestQuery
) -> tuple[list[RequestWithRequester], int]:
    """Return one page of requests and how many match in all."""
    params = {
        "user_id": query.user_id,
        "status": query.status,
        "media_type": query.media_type,
        "limit": query.limit,
        "offset": query.offset,
    }
    total = fetch_value(connection, "SELECT count(*) FROM media_requests r" + _FILTER, params)
    requests = fetch_all(
        connection,
        RequestWithRequester,
        f"SELECT {_COLUMNS}, u.username, u.email"
        " FROM media_requests r JOIN users u ON u.id = r.user_id"
        + _FILTER
        + f" ORDER BY {_ORDERS[query.sort]} LIMIT %(limit)s OFFSET %(offset)s",
        params,
    )
    return requests, total


def of_titles(
    connection: Connection[Any], user_id: UUID, titles: Sequence[Title]
) -> list[TitleRequest]:
    """Return which of the titles are actively requested, with the id where it is the user's own.

    A show may be held by several requests: the user's own comes before others', approved before
    pending.
    """
    return fetch_all(
        connection,
        TitleRequest,
        "SELECT DISTINCT ON (i.media_type, i.tmdb_id) i.media_type, i.tmdb_id,"
        " CASE WHEN r.user_id = %(user)s THEN r.id END AS id, r.status"
        " FROM request_items i JOIN media_requests r ON r.id = i.request_id"
        " WHERE i.active AND (i.media_type = 'movie' AND i.tmdb_id = ANY(%(movies)s)"
        "  OR i.media_type = 'tv' AND i.tmdb_id = ANY(%(shows)s))"
        " ORDER BY i.media_type, i.tmdb_id, r.user_id = %(user)s DESC, r.status",
        {
            "user": user_id,
            "movies": [title.tmdb_id for title in titles if title.media_type == "movie"],
            "shows": [title.tmdb_id for title in titles if title.media_type == "tv"],
        },
    )


def lock_key(connection: Connection[Any], user_id: UUID, key: str) -> bool:
    """Take an idempotency key until the transaction ends; False when another call has it."""
    return bool(
        fetch_value(
            connection,
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"{user_id}:{key}",),
        )
    )


def replay(connection: Connection[Any], user_id: UUID, key: str) -> Replay | None:
    """Return what a key was used for in the last 24 hours."""
    return fetch_one(
        connection,
        Replay,
        "SELECT fingerprint, response FROM idempotency_keys WHERE user_id = %s AND key = %s"
        " AND created_at > now() - interval '24 hours'",
        (user_id, key),
    )


def remember_key(
    connection: Connection[Any],
    user_id: UUID,
    key: str,
    *,
    fingerprint: bytes,
    response: dict[str, Any],
) -> None:
    """Keep the answer that a key got; one that has outlived its 24 hours is replaced."""
    connection.execute(
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, response)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, key) DO UPDATE"
        " SET fingerprint = excluded.fingerprint, response = excluded.response,"
        " created_at = now()",
        (user_id, key, fingerprint, json.dumps(response)),
    )
