"""Rules of the catalogue."""

from functools import cache

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    MediaType,
    SearchPage,
    SearchType,
    TitleDetails,
)
from medianest.catalog.tmdb import TmdbClient
from medianest.core.cache import shared_cache
from medianest.core.config import settings
from medianest.core.errors import invalid


@cache
def tmdb() -> TmdbClient:
    """Return this environment's client of TMDB."""
    return TmdbClient(settings(), shared_cache())


def search(text: str, search_type: SearchType, page: int) -> SearchPage:
    """Search films and shows; a page past TMDB's last is empty."""
    if page > MAX_SEARCH_PAGE:
        return SearchPage([], page, tmdb().search(text, search_type, 1).total)
    return tmdb().search(text, search_type, page)


def title_for_request(media_type: MediaType, tmdb_id: int) -> TitleDetails:
    """Return the title somebody asks for; raises VALIDATION_ERROR when TMDB has none."""
    details = tmdb().details(media_type, tmdb_id)
    if details is None:
        raise invalid("body.tmdbId", f"TMDB has no {media_type} of this number")
    return details
