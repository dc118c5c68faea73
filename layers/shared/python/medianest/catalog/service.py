"""Search, lists and details of titles."""

from collections.abc import Callable
from functools import cache

from medianest.catalog.interleave import interleave
from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    MEDIA_TYPES,
    CachedValue,
    CatalogList,
    MediaType,
    RoutingFacts,
    SearchPage,
    SearchType,
    Title,
    TitleDetails,
)
from medianest.catalog.search_text import parse
from medianest.catalog.tmdb import TmdbClient, has_list
from medianest.core.cache import shared_cache
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid


@cache
def tmdb() -> TmdbClient:
    """Return this environment's TMDB client."""
    return TmdbClient(environment(), shared_cache())


def search(text: str, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
    """Search films and shows by title, or by an id in the text; a page past the last is empty."""
    wanted = parse(text)
    if wanted.tmdb_id is not None:
        return _only_page(_of_id(wanted.tmdb_id, search_type), page)
    if wanted.imdb_id is not None:
        found = tmdb().find_imdb(wanted.imdb_id)
        titles = [each for each in found.value.titles if search_type in ("all", each.media_type)]
        return _only_page(CachedValue(titles, found.stale_seconds), page)
    budget = tmdb().budget()

    def read(kind: SearchType, number: int) -> CachedValue[SearchPage]:
        return tmdb().search(wanted.words, kind, number, year=wanted.year, budget=budget)

    # TMDB's search of all types knows no year.
    if wanted.year is not None and search_type == "all":
        return interleave(read, page)
    return _bounded(lambda number: read(search_type, number), page)


def discover(name: CatalogList, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
    """Return a page of a list of TMDB; a page past the last is empty."""
    budget = tmdb().budget()

    def read(kind: SearchType, number: int) -> CachedValue[SearchPage]:
        return tmdb().list_titles(name, kind, number, budget=budget)

    if not has_list(name, search_type):
        return interleave(read, page)
    return _bounded(lambda number: read(search_type, number), page)


def details(media_type: MediaType, tmdb_id: int) -> CachedValue[TitleDetails]:
    """Return a title in full; raises NOT_FOUND when TMDB has none."""
    result = tmdb().details(media_type, tmdb_id, suffices=lambda title: title is not None)
    if result.value is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return CachedValue(result.value, result.stale_seconds)


def find(media_type: MediaType, tmdb_id: int) -> TitleDetails | None:
    """Return a title in full, None when TMDB has none."""
    return tmdb().details(media_type, tmdb_id).value


def routing_facts(media_type: MediaType, tmdb_id: int) -> RoutingFacts | None:
    """Return what the hand-over of a title needs, None when TMDB has no such title.

    Raises AppError CATALOG_UNAVAILABLE while TMDB is down and nothing is cached.
    """
    return tmdb().routing_facts(media_type, tmdb_id).value


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


def _of_id(tmdb_id: int, search_type: SearchType) -> CachedValue[list[Title]]:
    """Return the film and the show with an id: they have separate ids, so there can be both."""
    budget = tmdb().budget()
    found = [
        tmdb().details(kind, tmdb_id, suffices=lambda title: title is not None, budget=budget)
        for kind in MEDIA_TYPES
        if search_type in ("all", kind)
    ]
    ages = [each.stale_seconds for each in found if each.stale_seconds is not None]
    titles: list[Title] = [each.value for each in found if each.value is not None]
    return CachedValue(titles, max(ages, default=None))


def _only_page(found: CachedValue[list[Title]], page: int) -> CachedValue[SearchPage]:
    titles = found.value if page == 1 else []
    return CachedValue(SearchPage(titles, page, len(found.value)), found.stale_seconds)


def _bounded(read: Callable[[int], CachedValue[SearchPage]], page: int) -> CachedValue[SearchPage]:
    """Read a page, or the first one for the total when TMDB does not serve pages this late."""
    if page <= MAX_SEARCH_PAGE:
        return read(page)
    first = read(1)
    return CachedValue(SearchPage([], page, first.value.total), first.stale_seconds)
