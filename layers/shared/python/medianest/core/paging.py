"""Pages of lists: exact totals that do not count the list, and late pages from the nearer end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from medianest.core.envelope import PageQuery

# With fewer rows before or after a page than this, skipping them is quick.
_NEAR = 1000


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a list, such as days, with the number of matching rows in each.

    `numbers` is a SELECT of `part` and `n`. `since` is the condition of the rows in the part
    `%(part)s` and those that are greater.
    """

    numbers: LiteralString
    since: LiteralString
    descending: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The SQL of a list.

    `key` is the column `id` of `source`, which the filters `conditions` restrict. `order` and
    `reverse` are an order and its exact reverse. `rows` is the FROM that joins `page`, the ids of a
    page, with all that `columns` need. `total` is a SELECT of the number of matching rows; without
    it they are counted one by one.
    """

    key: LiteralString
    source: LiteralString
    conditions: Sequence[LiteralString]
    order: LiteralString
    reverse: LiteralString
    columns: LiteralString
    rows: LiteralString
    total: LiteralString | None = None
    parts: Parts | None = None


def fetch_page[T](
    connection: Connection[Any],
    row_type: type[T],
    query: PageQuery,
    listing: Listing,
    params: Mapping[str, Any],
) -> tuple[list[T], int]:
    """Return a page of a list, and the number of rows on all its pages.

    The first page is one statement. A later one takes another before it for the total, and a third
    if it is far from both ends: that finds the part in which it begins.
    """
    window = {**params, "limit": query.limit, "offset": query.offset}
    if query.page == 1:
        return _first_page(connection, row_type, listing, window)
    total: int = fetch_value(connection, _total(listing), params)
    length = min(query.limit, total - query.offset)
    if length <= 0:
        return [], total
    after = total - query.offset - length
    parts, part = listing.parts, None
    if parts is not None and min(query.offset, after) > _NEAR:
        skipped = after if parts.descending else query.offset
        part = _part_at(connection, parts, {**window, "offset": skipped})
    if parts is not None and part is not None:
        order = listing.reverse if parts.descending else listing.order
        statement = _select(listing, order, [*listing.conditions, parts.since])
        window |= {"limit": length, "part": part[0], "offset": part[1]}
    elif after < query.offset:
        statement = _select(listing, listing.reverse, listing.conditions)
        window |= {"limit": length, "offset": after}
    else:
        statement = _select(listing, listing.order, listing.conditions)
    return fetch_all(connection, row_type, statement, window), total


def _first_page[T](
    connection: Connection[Any], row_type: type[T], listing: Listing, window: Mapping[str, Any]
) -> tuple[list[T], int]:
    from psycopg.rows import dict_row

    # A page that is not full has all rows; PostgreSQL evaluates the total only when it is needed.
    total: LiteralString = (
        ", CASE WHEN (SELECT count(*) FROM page) < %(limit)s THEN (SELECT count(*) FROM page)"
        f" ELSE ({_total(listing)}) END AS total"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        statement = _select(listing, listing.order, listing.conditions, total)
        rows = cursor.execute(statement, window).fetchall()
    totals = [row.pop("total") for row in rows]
    return [row_type(**row) for row in rows], totals[0] if totals else 0


def _part_at(
    connection: Connection[Any], parts: Parts, window: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    """Return the part with the row at an offset in ascending order, and the offset within it."""
    return connection.execute(
        "SELECT part, (%(offset)s - last + n)::bigint FROM (SELECT part, n,"
        f" sum(n) OVER (ORDER BY part) AS last FROM ({parts.numbers}) AS parts WHERE n > 0) AS ends"
        " WHERE last > %(offset)s ORDER BY last LIMIT 1",
        window,
    ).fetchone()


def _select(
    listing: Listing,
    order: LiteralString,
    conditions: Sequence[LiteralString],
    total: LiteralString = "",
) -> LiteralString:
    # Ids first: an index-only scan skips the rows before a late page without reading them.
    return (
        f"WITH page AS (SELECT {listing.key} FROM {listing.source}{_where(conditions)}"
        f" ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s)"
        f" SELECT {listing.columns}{total} FROM {listing.rows} ORDER BY {listing.order}"
    )


def _total(listing: Listing) -> LiteralString:
    if listing.total is not None:
        return listing.total
    return f"SELECT count(*) FROM {listing.source}{_where(listing.conditions)}"


def _where(conditions: Sequence[LiteralString]) -> LiteralString:
    return " WHERE " + " AND ".join(conditions) if conditions else ""
