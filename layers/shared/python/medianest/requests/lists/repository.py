"""The SQL of the lists of requests."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.paging import Listing, Parts, fetch_page
from medianest.core.text import fold
from medianest.fulfilment.repository import FOR_ADMINS
from medianest.requests.models import RequestWithRequester
from medianest.requests.repository import COLUMNS, DECIDED_BY
from medianest.users import repository as users_repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from psycopg import Connection

    from medianest.requests.admin_schemas import RequestCountsQuery
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


# The form for searches. Rows of the previous release have no key until a task fills it in.
_TITLE_KEY: LiteralString = "coalesce(r.title_key, lower(normalize(r.title, NFKC)))"
_BY_INDEX: LiteralString = f"{_TITLE_KEY} LIKE %(title)s"
_ROW_BY_ROW: LiteralString = f"strpos({_TITLE_KEY}, %(title)s) > 0"
_OF_ADMINS: LiteralString = f"{DECIDED_BY}, {FOR_ADMINS}"
_NO_ADMINS: LiteralString = "NULL::text AS processed_by_name, NULL::jsonb AS for_admins"
# A trigram index needs three such characters in every locale. With fewer, LIKE would scan the whole
# index, which takes longer than reading the rows.
_TRIGRAM = re.compile(r"[0-9a-z]{3}")


def page(
    connection: Connection[Any],
    query: RequestQuery,
    *,
    user_id: UUID | None = None,
    search: str | None = None,
    is_for_admins: bool = False,
) -> tuple[list[RequestWithRequester], int]:
    """Return a page of requests, of one user if given, and the total number of matches.

    With `is_for_admins`, each has the deciding admin's name, and server and job of its title.
    """
    order, reverse = _ORDERS[query.sort]
    filters = {"user_id": user_id, "status": query.status, "media_type": query.media_type}
    conditions, params = _conditions(filters, search)
    listing = Listing(
        key="r.id",
        source="media_requests r",
        conditions=conditions,
        order=order,
        reverse=reverse,
        columns=f"{COLUMNS}, u.username, u.email, {_OF_ADMINS if is_for_admins else _NO_ADMINS}",
        rows="page JOIN media_requests r USING (id) JOIN users u ON u.id = r.user_id",
    )
    if user_id is None and search is None:
        by_count = "".join(_COUNT_FILTERS[name] for name in params)
        numbers, since = _PARTS[query.sort.removeprefix("-")]
        listing = replace(
            listing,
            total="SELECT coalesce(sum(n), 0)::bigint FROM row_counts"
            f" WHERE source = 'media_requests'{by_count}",
            parts=Parts(f"{numbers}{by_count} GROUP BY 1", since, query.sort.startswith("-")),
        )
    return fetch_page(connection, RequestWithRequester, query, listing, params)


def count(connection: Connection[Any], query: RequestCountsQuery) -> dict[str, int]:
    """Return the number of matching requests of each status that has any."""
    filters = {"user_id": query.user_id, "media_type": query.media_type}
    conditions, params = _conditions(filters, query.search)
    if query.user_id is None and query.search is None:
        by_count = "".join(_COUNT_FILTERS[name] for name in params)
        statement: LiteralString = (
            "SELECT facet, sum(n)::bigint FROM row_counts"
            f" WHERE source = 'media_requests'{by_count} GROUP BY facet"
        )
    else:
        statement = (
            "SELECT r.status, count(*) FROM media_requests r"
            f" WHERE {' AND '.join(conditions)} GROUP BY r.status"
        )
    return dict(connection.execute(statement, params).fetchall())


def _conditions(
    filters: Mapping[str, Any], search: str | None
) -> tuple[list[LiteralString], dict[str, Any]]:
    """Return the conditions of the filters that are set, and their parameters.

    Only those, so that an index can serve the statement.
    """
    params = {name: value for name, value in filters.items() if value is not None}
    conditions = [_FILTERS[name] for name in params]
    if search is not None:
        condition, of_users = users_repository.matching(search)
        # The array of users, unlike a join, lets the indexes on title and on user be combined.
        users: LiteralString = f"ARRAY(SELECT id FROM users WHERE {condition})"
        text = fold(search)
        by_index = _TRIGRAM.search(text) is not None
        titled = _BY_INDEX if by_index else _ROW_BY_ROW
        conditions.append(f"({titled} OR r.user_id = ANY ({users}))")
        params |= of_users | {"title": f"%{_literal(text)}%" if by_index else text}
    return conditions, params


def _literal(text: str) -> str:
    r"""Escape the special characters of LIKE: \ % _."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
