"""The SQL of the titles of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.catalog.models import Title
from medianest.core.db import fetch_all
from medianest.requests.models import ItemRequest, TitleRequest, UnreadTitle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType

# The newest active requests whose titles `newest` lists: more than anybody pages through.
NEWEST_REQUESTS = 200


def of_titles(
    connection: Connection[Any], user_id: UUID, titles: Sequence[Title]
) -> list[TitleRequest]:
    """Return the active request for each title, with its id if it is a request of the user.

    A show can have several active requests. The user's comes before those of others, and approved
    before pending.
    """
    return fetch_all(
        connection,
        TitleRequest,
        "SELECT DISTINCT ON (i.media_type, i.tmdb_id) i.media_type, i.tmdb_id,"
        " CASE WHEN r.user_id = %(user)s THEN r.id END AS id, r.status,"
        " array_agg(i.season) OVER title AS seasons,"
        " first_value(r.started_seasons) OVER (title"
        "  ORDER BY r.started_seasons IS NULL, r.requested_at DESC, r.id) AS started_seasons"
        " FROM request_items i JOIN media_requests r ON r.id = i.request_id"
        " WHERE i.active AND (i.media_type = 'movie' AND i.tmdb_id = ANY(%(movies)s)"
        "  OR i.media_type = 'tv' AND i.tmdb_id = ANY(%(shows)s))"
        " WINDOW title AS (PARTITION BY i.media_type, i.tmdb_id)"
        " ORDER BY i.media_type, i.tmdb_id, r.user_id = %(user)s DESC, r.status,"
        " r.requested_at DESC, r.id",
        {
            "user": user_id,
            "movies": [title.tmdb_id for title in titles if title.media_type == "movie"],
            "shows": [title.tmdb_id for title in titles if title.media_type == "tv"],
        },
    )


def of_title(connection: Connection[Any], user_id: UUID, title: Title) -> list[ItemRequest]:
    """Return the active request for each item of a title; the first is that of `of_titles`."""
    return fetch_all(
        connection,
        ItemRequest,
        "SELECT i.season, CASE WHEN r.user_id = %(user)s THEN r.id END AS id, r.status"
        " FROM request_items i JOIN media_requests r ON r.id = i.request_id"
        " WHERE i.active AND i.media_type = %(media_type)s AND i.tmdb_id = %(tmdb_id)s"
        " ORDER BY r.user_id = %(user)s DESC, r.status, r.requested_at DESC, r.id",
        {"user": user_id, "media_type": title.media_type, "tmdb_id": title.tmdb_id},
    )


def newest(connection: Connection[Any], media_types: Sequence[MediaType]) -> list[Title]:
    """Return the titles of the NEWEST_REQUESTS newest active requests, each title once.

    The number of rows read does not depend on that of the table: an index has the newest requests
    of each type and status.
    """
    return fetch_all(
        connection,
        Title,
        "WITH newest AS (SELECT r.* FROM unnest(%(media_types)s::text[]) AS kind (media_type)"
        " CROSS JOIN (VALUES ('pending'), ('approved')) AS active (status)"
        " CROSS JOIN LATERAL (SELECT id, media_type, tmdb_id, title, year, poster_path,"
        "  requested_at FROM media_requests WHERE media_type = kind.media_type"
        "  AND status = active.status ORDER BY requested_at DESC, id LIMIT %(newest)s) AS r"
        " ORDER BY requested_at DESC, id LIMIT %(newest)s)"
        " SELECT media_type, tmdb_id, title, year, NULL AS overview, poster_path"
        " FROM (SELECT DISTINCT ON (media_type, tmdb_id) * FROM newest"
        "  ORDER BY media_type, tmdb_id, requested_at DESC, id) AS titles"
        " ORDER BY requested_at DESC, id",
        {"media_types": list(media_types), "newest": NEWEST_REQUESTS},
    )


def unread(
    connection: Connection[Any], *, after: UUID, until: UUID, limit: int
) -> list[UnreadTitle]:
    """Return requests whose title has not been read from TMDB, by id."""
    return fetch_all(
        connection,
        UnreadTitle,
        "SELECT id, media_type, tmdb_id, title FROM media_requests WHERE title_read_at IS NULL"
        " AND id > %s AND id <= %s ORDER BY id LIMIT %s",
        (after, until, limit),
    )
