"""A client of the TMDB API (v3): search, lists and details, with a cache.

The cache stores parsed responses. While TMDB is down, they are served stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    CachedValue,
    CatalogList,
    MediaType,
    RoutingFacts,
    SearchPage,
    SearchType,
    TitleDetails,
)
from medianest.catalog.response_cache import CacheEntry, ResponseCache
from medianest.catalog.search_text import words_of
from medianest.catalog.tmdb_wire import ENGLISH, Missing, details_of, facts_of, found_of, page_of
from medianest.core import http, secrets
from medianest.core.cache import Cache
from medianest.core.clock import now
from medianest.core.upstream import Upstream
from medianest.core.variables import Environment
from medianest.core.wire import Reader

# The cache time of a "not found". It is short, because TMDB adds titles every minute.
MISSING_CACHE_SECONDS = 60
# A search of all types reads at most this many pages while they have people only.
MAX_PAGES_READ = 3
# Between the three parts of a JWT.
_JWT_DOTS = 2
# TMDB has no list of upcoming shows: these are the shows whose first episode is still to come.
_NEW_SHOWS = "/discover/tv"
_LISTS: Mapping[tuple[CatalogList, SearchType], str] = {
    ("trending", "all"): "/trending/all/week",
    ("trending", "movie"): "/trending/movie/week",
    ("trending", "tv"): "/trending/tv/week",
    ("popular", "movie"): "/movie/popular",
    ("popular", "tv"): "/tv/popular",
    ("upcoming", "movie"): "/movie/upcoming",
    ("upcoming", "tv"): _NEW_SHOWS,
}
# The year of the first release, which is also the year of a title in the results.
_YEAR_FILTERS: Mapping[MediaType, str] = {
    "movie": "primary_release_year",
    "tv": "first_air_date_year",
}

_CachedPage = CacheEntry[SearchPage]
_CachedDetails = CacheEntry[TitleDetails | None]
_CachedFacts = CacheEntry[RoutingFacts | None]


def has_list(name: CatalogList, search_type: SearchType) -> bool:
    """Return whether TMDB has a list of this type."""
    return (name, search_type) in _LISTS


class TmdbClient:
    """A TMDB client with a cache.

    While TMDB is down, methods return stale entries. Without a stale entry they raise AppError
    CATALOG_UNAVAILABLE. Calls with one budget share its time.
    """

    def __init__(self, environment: Environment, cache: Cache) -> None:
        self._environment = environment
        self._responses = ResponseCache(environment, cache)
        self._tmdb = Upstream(environment.tmdb_api_url, cache)

    def budget(self) -> http.Budget:
        """Return the time for one response."""
        return http.Budget(self._environment.upstream_timeout_seconds)

    def search(
        self,
        text: str,
        search_type: SearchType,
        page: int,
        *,
        year: int | None = None,
        budget: http.Budget | None = None,
    ) -> CachedValue[SearchPage]:
        """Return a page of films and shows; people among TMDB's results are left out.

        A search of all types skips pages that have only people, up to MAX_PAGES_READ; `page` of the
        result is then the page that has titles, or the last one that was read. `total` is TMDB's
        total, which counts people too, with two exceptions: it is exact when all results fit on one
        page, and when no titles follow it is the number of results on the previous pages. Only
        films or shows have a `year`.
        """
        kind = _kind_of(search_type)
        path = f"/search/{kind or 'multi'}"
        words = words_of(text)
        if not words:
            return CachedValue(SearchPage([], page, 0))
        query = {
            "query": words,
            "include_adult": "false",
            "language": self._environment.tmdb_language,
        }
        if kind is not None and year is not None:
            query[_YEAR_FILTERS[kind]] = str(year)
        return self._page(
            path,
            query,
            kind,
            page,
            fresh_seconds=self._environment.tmdb_search_cache_seconds,
            budget=budget,
        )

    def list_titles(
        self,
        name: CatalogList,
        search_type: SearchType,
        page: int,
        *,
        budget: http.Budget | None = None,
    ) -> CachedValue[SearchPage]:
        """Return a page of one of TMDB's lists (`has_list`); pages and `total` are as in `search`.

        Upcoming shows are those with a first broadcast from today on, the most popular first.
        """
        path = _LISTS[name, search_type]
        query = {"language": self._environment.tmdb_language}
        dates: Callable[[], dict[str, str]] = dict
        if path == _NEW_SHOWS:
            query |= {
                "sort_by": "popularity.desc",
                "include_adult": "false",
                "include_null_first_air_dates": "false",
            }
            dates = _from_today
        return self._page(
            path,
            query,
            _kind_of(search_type),
            page,
            fresh_seconds=self._environment.tmdb_list_cache_seconds,
            budget=budget,
            uncached_query=dates,
        )

    def find_imdb(self, imdb_id: str) -> CachedValue[SearchPage]:
        """Return the film and the show with this IMDb id; TMDB knows at most one title by it."""
        path = f"/find/{imdb_id}"
        query = {"external_source": "imdb_id", "language": self._environment.tmdb_language}
        budget = self.budget()

        def fetch() -> _CachedPage:
            status, body = self._request(path, query, budget)
            if status == HTTPStatus.NOT_FOUND:
                Missing.model_validate(body)
                return _CachedPage.fetched_now(SearchPage([], 1, 0), MISSING_CACHE_SECONDS)
            _require_ok(path, status)
            titles = found_of(self._reader(path), body)
            page = SearchPage(titles, 1, len(titles))
            seconds = self._environment.tmdb_search_cache_seconds
            return _CachedPage.fetched_now(page, seconds if titles else MISSING_CACHE_SECONDS)

        return self._responses.read(_key(path, query), _CachedPage, fetch, budget)

    def details(
        self,
        media_type: MediaType,
        tmdb_id: int,
        *,
        suffices: Callable[[TitleDetails | None], bool] = lambda _: True,
        budget: http.Budget | None = None,
    ) -> CachedValue[TitleDetails | None]:
        """Return a title, or None when TMDB has none with this id.

        `suffices` returns False for a value because of which the caller would be refused. Such a
        cached value is fetched again: once for all concurrent callers, and at most every
        RECHECK_SECONDS. While TMDB is down, it is returned.
        """
        path = f"/{media_type}/{tmdb_id}"
        language = self._environment.tmdb_language
        query = {"language": language}
        if language not in {ENGLISH, "en-US"}:
            query |= {
                "append_to_response": "translations,images",
                "include_image_language": f"{ENGLISH},null",
            }
        budget = budget or self.budget()

        def fetch() -> _CachedDetails:
            status, body = self._request(path, query, budget)
            if status == HTTPStatus.NOT_FOUND:
                Missing.model_validate(body)
                return _CachedDetails.fetched_now(None, MISSING_CACHE_SECONDS)
            _require_ok(path, status)
            title = details_of(self._reader(path), media_type, body, language)
            _require_title(path, tmdb_id, title)
            return _CachedDetails.fetched_now(title, self._environment.tmdb_details_cache_seconds)

        return self._responses.read(_key(path, query), _CachedDetails, fetch, budget, suffices)

    def routing_facts(
        self, media_type: MediaType, tmdb_id: int
    ) -> CachedValue[RoutingFacts | None]:
        """Return the facts of a title, or None when TMDB has none with this id."""
        path = f"/{media_type}/{tmdb_id}"
        query = {
            "language": self._environment.tmdb_language,
            "append_to_response": "external_ids,keywords",
        }
        budget = self.budget()

        def fetch() -> _CachedFacts:
            status, body = self._request(path, query, budget)
            if status == HTTPStatus.NOT_FOUND:
                Missing.model_validate(body)
                return _CachedFacts.fetched_now(None, MISSING_CACHE_SECONDS)
            _require_ok(path, status)
            facts = facts_of(self._reader(path), media_type, body)
            _require_title(path, tmdb_id, facts)
            return _CachedFacts.fetched_now(facts, self._environment.tmdb_details_cache_seconds)

        return self._responses.read(_key(path, query), _CachedFacts, fetch, budget)

    def _page(
        self,
        path: str,
        query: dict[str, str],
        kind: MediaType | None,
        page: int,
        *,
        fresh_seconds: int,
        budget: http.Budget | None,
        uncached_query: Callable[[], dict[str, str]] = dict,
    ) -> CachedValue[SearchPage]:
        """Return a page; `uncached_query` is sent to TMDB, but is not part of the cache key."""
        shared = budget or self.budget()

        def fetch() -> _CachedPage:
            result = self._fetch_pages(path, query | uncached_query(), kind, page, shared)
            return _CachedPage.fetched_now(result, fresh_seconds)

        return self._responses.read(
            _key(path, query | {"page": str(page)}), _CachedPage, fetch, shared
        )

    def _fetch_pages(
        self,
        path: str,
        query: dict[str, str],
        kind: MediaType | None,
        page: int,
        budget: http.Budget,
    ) -> SearchPage:
        """Read pages until one has titles, no page is left, or MAX_PAGES_READ is reached."""
        total = 0
        for number in range(page, min(page + MAX_PAGES_READ, MAX_SEARCH_PAGE + 1)):
            status, body = self._request(path, query | {"page": str(number)}, budget)
            _require_ok(path, status)
            result = page_of(self._reader(path), body, kind, number)
            total = result.total
            if kind is not None:
                return result
            if result.titles:
                fits = number == 1 and total <= SEARCH_PAGE_SIZE
                return SearchPage(result.titles, number, len(result.titles) if fits else total)
            if total <= number * SEARCH_PAGE_SIZE or number == MAX_SEARCH_PAGE:
                return SearchPage([], page, min(total, (page - 1) * SEARCH_PAGE_SIZE))
        return SearchPage([], number, total)

    def _reader(self, path: str) -> Reader:
        return Reader(self._tmdb.host, path, ("id", "season_number"))

    def _request(self, path: str, query: dict[str, str], budget: http.Budget) -> tuple[int, Any]:
        """Return status and body of one call; raises UpstreamError."""
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._environment.tmdb_api_key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == _JWT_DOTS:
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return self._tmdb.request("GET", path, headers=headers, query=query, budget=budget)


def _kind_of(search_type: SearchType) -> MediaType | None:
    return None if search_type == "all" else search_type


def _from_today() -> dict[str, str]:
    return {"first_air_date.gte": now().date().isoformat()}


def _require_ok(path: str, status: int) -> None:
    if status != HTTPStatus.OK:
        raise http.UpstreamError(f"{path} returned {status}")


def _require_title(path: str, tmdb_id: int, title: TitleDetails | RoutingFacts) -> None:
    """Raise UpstreamError for another title, as of a cache in between, and for one without name."""
    if title.tmdb_id != tmdb_id:
        raise http.UpstreamError(f"{path} returned another title")
    if not title.title:
        raise http.UpstreamError(f"{path} has no title")


def _key(path: str, query: dict[str, str]) -> str:
    return f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"
