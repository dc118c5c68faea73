"""The SQL of the statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_row
from medianest.stats.schemas import DayStats, RequesterStats, RequestStats, UserStats

if TYPE_CHECKING:
    from psycopg import Connection

MAX_TOP = 5


def users(connection: Connection[Any]) -> UserStats:
    """Return the numbers of users."""
    return fetch_row(
        connection,
        UserStats,
        f"SELECT {_sum()} AS total,"
        f" {_sum("subfacet = 'active'")} AS active,"
        f" {_sum("subfacet = 'suspended'")} AS suspended,"
        f" {_sum("facet = 'admin'")} AS admins"
        " FROM row_counts WHERE source = 'users'",
    )


def requests(connection: Connection[Any]) -> RequestStats:
    """Return the numbers of requests."""
    return fetch_row(
        connection,
        RequestStats,
        f"SELECT {_sum()} AS total,"
        f" {_sum("facet = 'pending'")} AS pending,"
        f" {_sum("facet = 'approved'")} AS approved,"
        f" {_sum("facet = 'declined'")} AS declined,"
        f" {_sum("subfacet = 'movie'")} AS movies,"
        f" {_sum("subfacet = 'tv'")} AS shows,"
        f" {_since("interval '7 days'")} AS last_7_days,"
        f" {_since("interval '30 days'")} AS last_30_days,"
        " (SELECT requested_at FROM media_requests WHERE status = 'pending'"
        "  ORDER BY requested_at, id DESC LIMIT 1) AS oldest_pending_at"
        " FROM row_counts WHERE source = 'media_requests'",
    )


def requests_by_day(connection: Connection[Any]) -> list[DayStats]:
    """Return the numbers of requests of each of the last 30 days, days without any included."""
    return fetch_all(
        connection,
        DayStats,
        "SELECT days.day::date AS day, coalesce(sum(c.n), 0)::bigint AS requests FROM"
        " (SELECT (now() AT TIME ZONE 'UTC')::date - ago AS day FROM generate_series(0, 29) AS ago)"
        " AS days LEFT JOIN row_counts c ON c.source = 'media_requests' AND c.day = days.day"
        " GROUP BY days.day ORDER BY days.day",
    )


def top_requesters(connection: Connection[Any]) -> list[RequesterStats]:
    """Return the users with the most requests in the last 30 days."""
    return fetch_all(
        connection,
        RequesterStats,
        # Only the names of those who may be among the first, in spite of equal numbers.
        "WITH counted AS MATERIALIZED (SELECT user_id, count(*) AS requests FROM media_requests"
        " WHERE requested_at > now() - interval '30 days' GROUP BY user_id)"
        " SELECT c.user_id, u.username, c.requests FROM counted c JOIN users u ON u.id = c.user_id"
        " WHERE c.requests >= coalesce((SELECT requests FROM counted"
        "  ORDER BY requests DESC LIMIT 1 OFFSET %(most)s - 1), 0)"
        " ORDER BY c.requests DESC, u.username, c.user_id LIMIT %(most)s",
        {"most": MAX_TOP},
    )


def _sum(condition: LiteralString = "true") -> LiteralString:
    return f"coalesce(sum(n) FILTER (WHERE {condition}), 0)::bigint"


def _since(age: LiteralString) -> LiteralString:
    """Return the number of requests younger than `age`: of whole days, and of the first one."""
    start: LiteralString = f"(now() - {age})"
    first_day: LiteralString = f"({start} AT TIME ZONE 'UTC')::date"
    return (
        _sum(f"day > {first_day}")
        + f" + (SELECT count(*) FROM media_requests WHERE requested_at > {start}"
        f" AND requested_at < ({first_day} + 1)::timestamp AT TIME ZONE 'UTC')"
    )
