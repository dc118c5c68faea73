"""Search and details of titles."""

from collections.abc import Callable
from functools import cache

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    CachedValue,
    MediaType,
    SearchPage,
    SearchType,
    TitleDetails,
)
from medianest.catalog.tmdb import TmdbClient
from medianest.core.cache import shared_cache
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid


@cache
def tmdb() -> TmdbClient:
    """Return this environment's TMDB client."""
    return TmdbClient(environment(), shared_cache())


def search(text: str, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
    """Search films and shows; a page past TMDB's last is empty."""
    if page > MAX_SEARCH_PAGE:
        first = tmdb().search(text, search_type, 1)
        return CachedValue(SearchPage([], page, first.value.total), first.stale_seconds)
    return tmdb().search(text, search_type, page)


def details(media_type: MediaType, tmdb_id: int) -> CachedValue[TitleDetails]:
    """Return a title in full; raises NOT_FOUND when TMDB has none."""
    result = tmdb().details(media_type, tmdb_id, suffices=lambda title: title is not None)
    if result.value is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return CachedValue(result.value, result.stale_seconds)


def title_for_request(
    media_type: MediaType, tmdb_id: int, suffices: Callable[[TitleDetails], bool]
) -> TitleDetails:
    """Return the title for a new request; raises VALIDATION_ERROR when TMDB has none.

    A stale title is accepted, because titles and seasons rarely change. When `suffices` returns
    False, the title is fetched again, because TMDB may have newer data.
    """
    result = tmdb().details(
        media_type, tmdb_id, suffices=lambda title: title is not None and suffices(title)
    )
    if result.value is None:
        raise invalid("body.tmdbId", f"TMDB has no {media_type} with this id")
    return result.value
