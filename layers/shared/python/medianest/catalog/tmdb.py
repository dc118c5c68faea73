"""A client of the TMDB API (v3): search and details, with a cache.

The cache stores parsed responses. While TMDB is down, they are served stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    CachedValue,
    MediaType,
    SearchPage,
    SearchType,
    TitleDetails,
)
from medianest.catalog.tmdb_wire import ENGLISH, Missing, details_of, page_of
from medianest.core import http, secrets
from medianest.core.bounded_cache import BoundedCache
from medianest.core.cache import Cache
from medianest.core.clock import now
from medianest.core.error_codes import ErrorCode
from medianest.core.observability import count, logger
from medianest.core.single_flight import FetchFailedError, single_flight
from medianest.core.text import clean, fold
from medianest.core.upstream import Upstream, unavailable
from medianest.core.variables import Environment
from medianest.core.wire import Reader, cause_of

# The cache time of a "not found". It is short, because TMDB adds titles every minute.
MISSING_CACHE_SECONDS = 60
# A cached title that would cause a refusal is fetched again if it is at least this old, and at most
# once in this time.
RECHECK_SECONDS = 30
# A search of all types reads at most this many pages while they have people only.
MAX_PAGES_READ = 3
# Added to the timeout of a call: the time for reading the API key and for writing the cache.
_LOCK_MARGIN_SECONDS = 1.0
# Between the three parts of a JWT.
_JWT_DOTS = 2


class CacheEntry[T](BaseModel):
    """A cached response: the time of the fetch (Unix seconds), and the seconds that it is fresh."""

    at: Annotated[int, Field(ge=0)]
    fresh_seconds: int
    value: T

    @classmethod
    def fetched_now(cls, value: T, fresh_seconds: int) -> Self:
        """Return an entry with the current time."""
        return cls(at=int(now().timestamp()), fresh_seconds=fresh_seconds, value=value)

    def max_age(self, stale_seconds: int) -> int:
        """Return the seconds for which it may be served; a "not found" is never served stale."""
        return self.fresh_seconds + (0 if self.value is None else stale_seconds)

    @property
    def age(self) -> int:
        """Return the seconds since the fetch."""
        return max(int(now().timestamp()) - self.at, 0)

    @property
    def is_fresh(self) -> bool:
        """Return whether the age is below `fresh_seconds`."""
        return self.age < self.fresh_seconds


_CachedPage = CacheEntry[SearchPage]
_CachedDetails = CacheEntry[TitleDetails | None]


class TmdbClient:
    """A TMDB client with a cache.

    While TMDB is down, methods return stale entries. Without a stale entry they raise AppError
    CATALOG_UNAVAILABLE.
    """

    def __init__(self, environment: Environment, cache: Cache) -> None:
        self._environment = environment
        self._cache = cache
        self._responses = BoundedCache(cache, "tmdb", environment.tmdb_cache_mb * 1_000_000)
        self._tmdb = Upstream(environment.tmdb_api_url, cache)

    def search(self, text: str, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
        """Return a page of films and shows; people among TMDB's results are left out.

        A search of all types skips pages that have only people, up to MAX_PAGES_READ; `page` of the
        result is then the page that has titles. `total` is TMDB's total, which counts people too,
        with two exceptions: it is exact when all results fit on one page, and when no titles follow
        it is the number of results on the previous pages.
        """
        kind: MediaType | None = None if search_type == "all" else search_type
        path = f"/search/{kind or 'multi'}"
        # Query and cache key are the folded text, so the result does not depend on the spelling.
        folded = fold(clean(text))
        if not folded:
            return CachedValue(SearchPage([], page, 0))
        query = {
            "query": folded,
            "include_adult": "false",
            "language": self._environment.tmdb_language,
        }

        def fetch() -> _CachedPage:
            result = self._search_pages(path, query, kind, page)
            return _CachedPage.fetched_now(result, self._environment.tmdb_search_cache_seconds)

        cached = self._read(_key(path, query | {"page": str(page)}), _CachedPage, fetch)
        return _to_cached_value(cached)

    def details(
        self,
        media_type: MediaType,
        tmdb_id: int,
        *,
        suffices: Callable[[TitleDetails | None], bool] = lambda _: True,
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

        def fetch() -> _CachedDetails:
            status, body = self._request(path, query)
            if status == HTTPStatus.NOT_FOUND:
                Missing.model_validate(body)
                return _CachedDetails.fetched_now(None, MISSING_CACHE_SECONDS)
            if status != HTTPStatus.OK:
                raise http.UpstreamError(f"{path} returned {status}")
            reader = self._reader(path)
            title = details_of(reader, media_type, tmdb_id, body, language)
            if not title.title:
                raise http.UpstreamError(f"{path} has no title")
            return _CachedDetails.fetched_now(title, self._environment.tmdb_details_cache_seconds)

        return _to_cached_value(self._read(_key(path, query), _CachedDetails, fetch, suffices))

    def _search_pages(
        self, path: str, query: dict[str, str], kind: MediaType | None, page: int
    ) -> SearchPage:
        """Read pages until one has titles, no page is left, or MAX_PAGES_READ is reached."""
        budget = http.Budget(self._environment.upstream_timeout_seconds)
        total = 0
        for number in range(page, min(page + MAX_PAGES_READ, MAX_SEARCH_PAGE + 1)):
            status, body = self._request(path, query | {"page": str(number)}, budget)
            if status != HTTPStatus.OK:
                raise http.UpstreamError(f"{path} returned {status}")
            result = page_of(self._reader(path), body, kind, number)
            total = result.total
            if kind is not None:
                return result
            if result.titles:
                fits = number == 1 and total <= SEARCH_PAGE_SIZE
                return SearchPage(result.titles, number, len(result.titles) if fits else total)
            if total <= number * SEARCH_PAGE_SIZE:
                break
        return SearchPage([], page, min(total, (page - 1) * SEARCH_PAGE_SIZE))

    def _read[T](
        self,
        key: str,
        entry_type: type[CacheEntry[T]],
        fetch: Callable[[], CacheEntry[T]],
        suffices: Callable[[T], bool] = lambda _: True,
    ) -> CacheEntry[T]:
        """Return the cached entry while it is fresh; otherwise one environment fetches a new one.

        Concurrent callers with a stale entry that suffices return it and do not wait. A stale entry
        is also returned when the fetch fails.
        """
        cached = self._cached_entry(key, entry_type)
        must_recheck = cached is not None and not suffices(cached.value)
        recheck_key = f"recheck:{key}"

        def is_usable(entry: CacheEntry[T]) -> bool:
            return entry.is_fresh and not (must_recheck and entry.age >= RECHECK_SECONDS)

        def read_cache() -> CacheEntry[T] | None:
            entry = self._cached_entry(key, entry_type)
            return entry if entry is not None and is_usable(entry) else None

        def fetch_and_store() -> CacheEntry[T]:
            if must_recheck:
                if self._cache.get(recheck_key) is not None:
                    raise FetchFailedError
                self._cache.set(recheck_key, "1", seconds=RECHECK_SECONDS)
            return self._store(key, fetch())

        if cached is not None and is_usable(cached):
            return cached
        if cached is not None and must_recheck and self._cache.get(recheck_key) is not None:
            return cached
        try:
            return single_flight(
                self._cache,
                key,
                seconds=self._environment.upstream_timeout_seconds + _LOCK_MARGIN_SECONDS,
                read_cache=read_cache,
                fetch=fetch_and_store,
                stale=None if must_recheck else cached,
            )
        except (http.UpstreamError, ValidationError, FetchFailedError) as error:
            _log_failure(error, None if cached is None else cached.age)
            if cached is None:
                raise unavailable(ErrorCode.CATALOG_UNAVAILABLE, error) from error
            return cached

    def _store[T](self, key: str, entry: CacheEntry[T]) -> CacheEntry[T]:
        seconds = entry.max_age(self._environment.tmdb_stale_seconds)
        self._responses.set(key, entry.model_dump_json(), seconds=seconds)
        return entry

    def _cached_entry[T](self, key: str, entry_type: type[CacheEntry[T]]) -> CacheEntry[T] | None:
        text = self._responses.get(key)
        if text is not None:
            # An entry of another release may have another schema: treat it as a cache miss.
            with suppress(ValueError):
                cached = entry_type.model_validate_json(text)
                if cached.age < cached.max_age(self._environment.tmdb_stale_seconds):
                    return cached
        return None

    def _reader(self, path: str) -> Reader:
        return Reader(self._tmdb.host, path, ("id", "season_number"))

    def _request(
        self, path: str, query: dict[str, str], budget: http.Budget | None = None
    ) -> tuple[int, Any]:
        """Return status and body of one call; raises UpstreamError."""
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._environment.tmdb_api_key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == _JWT_DOTS:
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return self._tmdb.request("GET", path, headers=headers, query=query, budget=budget)


def _key(path: str, query: dict[str, str]) -> str:
    return f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"


def _to_cached_value[T](cached: CacheEntry[T]) -> CachedValue[T]:
    return CachedValue(cached.value, None if cached.is_fresh else cached.age)


def _log_failure(error: Exception, stale_seconds: int | None) -> None:
    count("CatalogUnavailable" if stale_seconds is None else "CatalogStale")
    # The message of an UpstreamError contains no secret; that of pydantic contains input values.
    cause = cause_of(error) if isinstance(error, ValidationError) else str(error)
    logger.warning("tmdb_failed", extra={"cause": cause, "stale_seconds": stale_seconds})
