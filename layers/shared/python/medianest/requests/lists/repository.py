"""The SQL of the lists of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.paging import Listing, Parts, fetch_page
from medianest.requests.models import RequestWithRequester
from medianest.requests.repository import COLUMNS

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.requests.schemas import RequestQuery, RequestSort

type _Order = tuple[LiteralString, LiteralString]
# An order and its exact reverse, so that one index serves both.
_TIME: _Order = ("r.requested_at, r.id DESC", "r.requested_at DESC, r.id")
_TITLE: _Order = ("lower(r.title), r.id", "lower(r.title) DESC, r.id DESC")
_ORDERS: dict[RequestSort, _Order] = {
    "requestedAt": _TIME,
    "-requestedAt": _TIME[::-1],
    "title": _TITLE,
    "-title": _TITLE[::-1],
}
_FILTERS: dict[str, LiteralString] = {
    "user_id": "r.user_id = %(user_id)s",
    "status": "r.status = %(status)s",
    "media_type": "r.media_type = %(media_type)s",
}
# The numbers by part, and the condition of the rows since the start of one.
_PARTS: dict[str, tuple[LiteralString, LiteralString]] = {
    "requestedAt": (
        "SELECT day AS part, sum(n) AS n FROM row_counts WHERE source = 'media_requests'",
        "r.requested_at >= %(part)s::date::timestamp AT TIME ZONE 'UTC'",
    ),
    "title": (
        "SELECT mark AS part, sum(n) AS n FROM row_counts WHERE source = 'titles'",
        "lower(r.title) >= %(part)s",
    ),
}
_COUNT_FILTERS: dict[str, LiteralString] = {
    "status": " AND facet = %(status)s",
    "media_type": " AND subfacet = %(media_type)s",
}


def page(
    connection: Connection[Any], query: RequestQuery, user_id: UUID | None
) -> tuple[list[RequestWithRequester], int]:
    """Return a page of requests, of one user if given, and the total number of matches."""
    # The statement has only the filters that are set, so that an index can serve it.
    filters = {"user_id": user_id, "status": query.status, "media_type": query.media_type}
    params = {name: value for name, value in filters.items() if value is not None}
    order, reverse = _ORDERS[query.sort]
    listing = Listing(
        key="r.id",
        source="media_requests r",
        conditions=[_FILTERS[name] for name in params],
        order=order,
        reverse=reverse,
        columns=f"{COLUMNS}, u.username, u.email",
        rows="page JOIN media_requests r USING (id) JOIN users u ON u.id = r.user_id",
    )
    if user_id is None:
        by_count = "".join(_COUNT_FILTERS[name] for name in params)
        numbers, since = _PARTS[query.sort.removeprefix("-")]
        listing = replace(
            listing,
            total="SELECT coalesce(sum(n), 0)::bigint FROM row_counts"
            f" WHERE source = 'media_requests'{by_count}",
            parts=Parts(f"{numbers}{by_count} GROUP BY 1", since, query.sort.startswith("-")),
        )
    return fetch_page(connection, RequestWithRequester, query, listing, params)
