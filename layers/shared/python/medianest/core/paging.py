"""Pages of lists: exact totals that do not count the list, and late pages from the nearer end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import fetch_all, fetch_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from medianest.core.envelope import PageQuery

# Midnight of a day and of the next one, in UTC as in `row_counts`.
_DAY: LiteralString = "%(day)s::date::timestamp AT TIME ZONE 'UTC'"
_NEXT_DAY: LiteralString = "(%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'"


@dataclass(frozen=True, slots=True)
class Days:
    """Numbers of matching rows by day, for a list in the order of a time.

    `numbers` is a SELECT of `day` and `n`, and `time` the column of the order.
    """

    numbers: LiteralString
    time: LiteralString
    descending: bool

    @property
    def total(self) -> LiteralString:
        """Return a SELECT of the number of all matching rows."""
        return f"SELECT coalesce(sum(n), 0)::bigint FROM ({self.numbers}) AS days"


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
    days: Days | None = None


def fetch_page[T](
    connection: Connection[Any],
    row_type: type[T],
    query: PageQuery,
    listing: Listing,
    params: Mapping[str, Any],
) -> tuple[list[T], int]:
    """Return a page of a list, and the number of rows on all its pages.

    The first page is one statement. A later one takes another statement before it, for the total
    and for the nearest place where to begin.
    """
    window = {**params, "limit": query.limit, "offset": query.offset}
    if query.page == 1:
        return _first_page(connection, row_type, listing, window)
    if listing.days is not None:
        return _page_by_day(connection, row_type, listing, listing.days, window)
    total: int = fetch_value(connection, _total(listing), params)
    length = min(query.limit, total - query.offset)
    if length <= 0:
        return [], total
    order = listing.order
    after = total - query.offset - length
    if after < query.offset:
        order, window = listing.reverse, {**window, "offset": after, "limit": length}
    return fetch_all(connection, row_type, _select(listing, order), window), total


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
        rows = cursor.execute(_select(listing, listing.order, total), window).fetchall()
    totals = [row.pop("total") for row in rows]
    return [row_type(**row) for row in rows], totals[0] if totals else 0


def _page_by_day[T](
    connection: Connection[Any],
    row_type: type[T],
    listing: Listing,
    days: Days,
    window: Mapping[str, Any],
) -> tuple[list[T], int]:
    """Begin with the day on which the page begins: the rows of the days before are not read."""
    direction: LiteralString = "DESC" if days.descending else "ASC"
    found = connection.execute(
        f"WITH days AS ({days.numbers}), through AS (SELECT day, n,"
        f" sum(n) OVER (ORDER BY day {direction}) AS last FROM days WHERE n > 0)"
        " SELECT (SELECT coalesce(sum(n), 0)::bigint FROM days), first.day, first.skipped"
        " FROM (SELECT) AS always LEFT JOIN (SELECT day, (last - n)::bigint AS skipped FROM through"
        " WHERE last > %(offset)s ORDER BY last LIMIT 1) AS first ON true",
        window,
    ).fetchone()
    total, day, skipped = found or (0, None, 0)
    if day is None:
        return [], total
    begins: LiteralString = (
        f"{days.time} < {_NEXT_DAY}" if days.descending else f"{days.time} >= {_DAY}"
    )
    params = {**window, "day": day, "offset": window["offset"] - skipped}
    statement = _select(listing, listing.order, "", [*listing.conditions, begins])
    return fetch_all(connection, row_type, statement, params), total


def _select(
    listing: Listing,
    order: LiteralString,
    total: LiteralString = "",
    conditions: Sequence[LiteralString] | None = None,
) -> LiteralString:
    # Ids first: an index-only scan skips the rows before a late page without reading them.
    where = _where(listing.conditions if conditions is None else conditions)
    return (
        f"WITH page AS (SELECT {listing.key} FROM {listing.source}{where}"
        f" ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s)"
        f" SELECT {listing.columns}{total} FROM {listing.rows} ORDER BY {listing.order}"
    )


def _total(listing: Listing) -> LiteralString:
    if listing.total is not None:
        return listing.total
    return f"SELECT count(*) FROM {listing.source}{_where(listing.conditions)}"


def _where(conditions: Sequence[LiteralString]) -> LiteralString:
    return " WHERE " + " AND ".join(conditions) if conditions else ""
