"""The SQL of the statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_all
from medianest.stats.schemas import RequesterStats, RequestStats, UserStats

if TYPE_CHECKING:
    from psycopg import Connection

MAX_TOP = 5


def users(connection: Connection[Any]) -> UserStats:
    """Count the users."""
    (counted,) = fetch_all(
        connection,
        UserStats,
        "SELECT count(*) AS total,"
        " count(*) FILTER (WHERE status = 'active') AS active,"
        " count(*) FILTER (WHERE status = 'suspended') AS suspended,"
        " count(*) FILTER (WHERE role = 'admin') AS admins"
        " FROM users",
    )
    return counted


def requests(connection: Connection[Any]) -> RequestStats:
    """Count the requests."""
    (counted,) = fetch_all(
        connection,
        RequestStats,
        "SELECT count(*) AS total,"
        " count(*) FILTER (WHERE status = 'pending') AS pending,"
        " count(*) FILTER (WHERE status = 'approved') AS approved,"
        " count(*) FILTER (WHERE status = 'declined') AS declined,"
        " count(*) FILTER (WHERE media_type = 'movie') AS movies,"
        " count(*) FILTER (WHERE media_type = 'tv') AS shows,"
        " count(*) FILTER (WHERE requested_at > now() - interval '7 days') AS last_7_days,"
        " count(*) FILTER (WHERE requested_at > now() - interval '30 days') AS last_30_days,"
        " min(requested_at) FILTER (WHERE status = 'pending') AS oldest_pending_at"
        " FROM media_requests",
    )
    return counted


def top_requesters(connection: Connection[Any]) -> list[RequesterStats]:
    """Return the users with the most requests in the last 30 days."""
    return fetch_all(
        connection,
        RequesterStats,
        "SELECT r.user_id, u.username, count(*) AS requests"
        " FROM media_requests r JOIN users u ON u.id = r.user_id"
        " WHERE r.requested_at > now() - interval '30 days'"
        " GROUP BY r.user_id, u.username ORDER BY requests DESC, u.username, r.user_id LIMIT %s",
        (MAX_TOP,),
    )
