"""Search and details, each title with the state of its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.catalog import service as catalog_service
from medianest.catalog.models import (
    MEDIA_TYPES,
    SEARCH_PAGE_SIZE,
    CachedValue,
    SearchPage,
)
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of
from medianest.discovery.schemas import (
    RequestedSeasonsOut,
    SeasonOut,
    TitleDetailsOut,
    TitleOut,
    TitleRequestOut,
)
from medianest.requests.titles import repository as titles_repository
from medianest.requests.titles.service import RequestedSeasons, requested_seasons

if TYPE_CHECKING:
    from uuid import UUID

    from medianest.catalog.models import MediaType, Title, TitleDetails
    from medianest.discovery.schemas import DiscoverQuery, SearchQuery
    from medianest.requests.models import ItemRequest, TitleRequest


def search(query: SearchQuery, user_id: UUID) -> CachedValue[PageResponse[TitleOut]]:
    """Return a page of titles, each with the state of its request.

    Raises AppError CATALOG_UNAVAILABLE.
    """
    return _with_requests(catalog_service.search(query.q, query.type, query.page), user_id)


def discover(query: DiscoverQuery, user_id: UUID) -> CachedValue[PageResponse[TitleOut]]:
    """Return a page of a list of titles, each with the state of its request.

    Raises AppError CATALOG_UNAVAILABLE, but not for the list of requested titles, which does not
    need TMDB.
    """
    if query.list == "requested":
        return _with_requests(CachedValue(_requested(query)), user_id)
    found = catalog_service.discover(query.list, query.type, query.page)
    return _with_requests(found, user_id)


def details(media_type: MediaType, tmdb_id: int, user_id: UUID) -> CachedValue[TitleDetailsOut]:
    """Return a title and the seasons of a show, each with the state of its request.

    Raises AppError NOT_FOUND or CATALOG_UNAVAILABLE.
    """
    result = catalog_service.details(media_type, tmdb_id)
    title = result.value
    active_requests = database().read(
        lambda connection: titles_repository.of_title(connection, user_id, title)
    )
    states = {item.season: TitleRequestOut.model_validate(item) for item in active_requests}
    seasons = [
        SeasonOut.model_validate(season).model_copy(update={"request": states.get(season.number)})
        for season in title.seasons
    ]
    out = TitleDetailsOut.model_validate(title).model_copy(
        update={
            "genres": list(title.genres) or None,
            "seasons": seasons if media_type == "tv" else None,
            "request": _request_of(title, active_requests),
        }
    )
    return CachedValue(out, result.stale_seconds)


def _request_of(title: TitleDetails, active: list[ItemRequest]) -> TitleRequestOut | None:
    """Return the state of a title as a whole, by the seasons that TMDB has now."""
    if not active:
        return None
    request = TitleRequestOut.model_validate(active[0])
    if title.media_type == "movie":
        return request
    seasons = requested_seasons((item.season for item in active), title.started_seasons)
    return _with_seasons(request, seasons)


def _requested(query: DiscoverQuery) -> SearchPage:
    kinds = MEDIA_TYPES if query.type == "all" else (query.type,)
    titles = database().read(lambda connection: titles_repository.newest(connection, kinds))
    start = (query.page - 1) * SEARCH_PAGE_SIZE
    return SearchPage(titles[start : start + SEARCH_PAGE_SIZE], query.page, len(titles))


def _with_requests(
    found: CachedValue[SearchPage], user_id: UUID
) -> CachedValue[PageResponse[TitleOut]]:
    page = found.value
    states = database().read(
        lambda connection: titles_repository.of_titles(connection, user_id, page.titles)
    )
    by_title = {(state.media_type, state.tmdb_id): state for state in states}
    items = [_title_out(title, by_title) for title in page.titles]
    return CachedValue(
        page_of(items, page=page.page, limit=SEARCH_PAGE_SIZE, total=page.total),
        found.stale_seconds,
    )


def _title_out(title: Title, states: dict[tuple[MediaType, int], TitleRequest]) -> TitleOut:
    state = states.get((title.media_type, title.tmdb_id))
    out = TitleOut.model_validate(title)
    if state is None:
        return out
    request = TitleRequestOut(id=state.id, status=state.status)
    if state.media_type == "tv":
        request = _with_seasons(request, requested_seasons(state.seasons, state.started_seasons))
    return out.model_copy(update={"request": request})


def _with_seasons(request: TitleRequestOut, seasons: RequestedSeasons | None) -> TitleRequestOut:
    if seasons is None:
        return request
    out = RequestedSeasonsOut.model_validate(seasons)
    return request.model_copy(update={"seasons": out})
