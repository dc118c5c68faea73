"""The requests of all users, as admins list and count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of_rows
from medianest.requests.admin_schemas import AdminRequestOut, RequestCountsOut
from medianest.requests.lists import repository as lists_repository

if TYPE_CHECKING:
    from medianest.requests.admin_schemas import AdminRequestQuery, RequestCountsQuery


def list_all(query: AdminRequestQuery) -> PageResponse[AdminRequestOut]:
    """Return a page of all requests, each with its requester."""
    requests, total = database().read(
        lambda connection: lists_repository.page(
            connection, query, user_id=query.user_id, search=query.search, is_for_admins=True
        )
    )
    return page_of_rows(
        PageResponse[AdminRequestOut], requests, page=query.page, limit=query.limit, total=total
    )


def count_all(query: RequestCountsQuery) -> RequestCountsOut:
    """Return the numbers of all requests that match, by status."""
    numbers = database().read(lambda connection: lists_repository.count(connection, query))
    return RequestCountsOut(
        all=sum(numbers.values()),
        pending=numbers.get("pending", 0),
        approved=numbers.get("approved", 0),
        declined=numbers.get("declined", 0),
    )
