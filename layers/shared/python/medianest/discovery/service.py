"""Search and details, each title with the state of its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.catalog import service as catalog_service
from medianest.catalog.models import SEARCH_PAGE_SIZE, CachedValue
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of
from medianest.discovery.schemas import SeasonOut, TitleDetailsOut, TitleOut, TitleRequestOut
from medianest.requests.titles import repository as titles_repository

if TYPE_CHECKING:
    from uuid import UUID

    from medianest.catalog.models import MediaType, Title
    from medianest.discovery.schemas import SearchQuery
    from medianest.requests.models import TitleRequest


def search(query: SearchQuery, user_id: UUID) -> CachedValue[PageResponse[TitleOut]]:
    """Return a page of titles, each with the state of its request.

    Raises AppError CATALOG_UNAVAILABLE.
    """
    result = catalog_service.search(query.q, query.type, query.page)
    page = result.value
    states = database().read(
        lambda connection: titles_repository.of_titles(connection, user_id, page.titles)
    )
    by_title = {(state.media_type, state.tmdb_id): state for state in states}
    items = [_title_out(title, by_title) for title in page.titles]
    return CachedValue(
        page_of(items, page=page.page, limit=SEARCH_PAGE_SIZE, total=page.total),
        result.stale_seconds,
    )


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
            "request": states[active_requests[0].season] if active_requests else None,
        }
    )
    return CachedValue(out, result.stale_seconds)


def _title_out(title: Title, states: dict[tuple[MediaType, int], TitleRequest]) -> TitleOut:
    state = states.get((title.media_type, title.tmdb_id))
    out = TitleOut.model_validate(title)
    if state is None:
        return out
    return out.model_copy(update={"request": TitleRequestOut.model_validate(state)})
