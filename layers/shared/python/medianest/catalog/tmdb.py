"""The client of the TMDB API (v3): search and details, through the cache.

The cache has the parsed answers, which serve for days while TMDB is down.
"""

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
from medianest.core.environment import Environment
from medianest.core.errors import ErrorCode
from medianest.core.observability import count, logger
from medianest.core.single_flight import FlightFailedError, single_flight
from medianest.core.text import clean, fold
from medianest.core.upstream import Upstream, unavailable
from medianest.core.wire import Reader, cause_of

# That TMDB has no title of a number is kept only this long: titles are added every minute.
MISSING_CACHE_SECONDS = 60
# Before a refusal a title that is older than this is asked for anew, and no more often than that.
RECHECK_SECONDS = 30
# A search of all kinds goes through this many pages of people before it says that it found nothing.
MAX_PAGES_READ = 3
# Beyond a call's own time: to read the key and to keep the answer.
_FLIGHT_MARGIN_SECONDS = 1.0
# Between the three parts of a JWT.
_JWT_DOTS = 2


class CacheEntry[T](BaseModel):
    """An answer in the cache: when it was read (Unix seconds), and how long it is fresh."""

    at: Annotated[int, Field(ge=0)]
    fresh_seconds: int
    value: T

    @classmethod
    def just_read(cls, value: T, fresh_seconds: int) -> Self:
        """Return an entry that is as old as this moment."""
        return cls(at=int(now().timestamp()), fresh_seconds=fresh_seconds, value=value)

    def useful_seconds(self, stale_seconds: int) -> int:
        """Return the age up to which it may be served; a "not found" is never served stale."""
        return self.fresh_seconds + (0 if self.value is None else stale_seconds)

    @property
    def age(self) -> int:
        """Return the seconds since it was read."""
        return max(int(now().timestamp()) - self.at, 0)

    @property
    def is_fresh(self) -> bool:
        """Tell whether it needs no new fetch."""
        return self.age < self.fresh_seconds


_CachedPage = CacheEntry[SearchPage]
_CachedDetails = CacheEntry[TitleDetails | None]


class TmdbClient:
    """TMDB, read through the cache.

    When TMDB is in trouble a stale answer serves; when there is none, every method raises
    AppError CATALOG_UNAVAILABLE.
    """

    def __init__(self, environment: Environment, cache: Cache) -> None:
        self._environment = environment
        self._cache = cache
        self._answers = BoundedCache(cache, "tmdb", environment.tmdb_cache_mb * 1_000_000)
        self._tmdb = Upstream(environment.tmdb_api_url, cache)

    def search(self, text: str, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
        """Return a page of films and shows; people that TMDB finds too are left out.

        A page of a search of all kinds that has only people is passed over, up to MAX_PAGES_READ:
        then `page` of the answer is the one that is shown. Where no title comes any more, `total`
        counts what lies before. Until then it is TMDB's, which counts people too, but for a search
        that fits on one page.
        """
        kind: MediaType | None = None if search_type == "all" else search_type
        path = f"/search/{kind or 'multi'}"
        # The key is of the text that is sent: no spelling decides what others find.
        folded = fold(clean(text))
        if not folded:
            return CachedValue(SearchPage([], page, 0))
        query = {
            "query": folded,
            "include_adult": "false",
            "language": self._environment.tmdb_language,
        }

        def fetch() -> _CachedPage:
            found = self._find(path, query, kind, page)
            return _CachedPage.just_read(found, self._environment.tmdb_search_cache_seconds)

        kept = self._read(_key(path, query | {"page": str(page)}), _CachedPage, fetch)
        return _dated(kept)

    def details(
        self,
        media_type: MediaType,
        tmdb_id: int,
        *,
        suffices: Callable[[TitleDetails | None], bool] = lambda _: True,
    ) -> CachedValue[TitleDetails | None]:
        """Return a title, or None when TMDB has none of that number.

        An entry that does not suffice, so that a caller would be refused, is fetched anew: once for
        all callers of that moment, and at most every RECHECK_SECONDS. While TMDB is down the entry
        stays.
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
            status, body = self._ask(path, query)
            if status == HTTPStatus.NOT_FOUND:
                Missing.model_validate(body)
                return _CachedDetails.just_read(None, MISSING_CACHE_SECONDS)
            if status != HTTPStatus.OK:
                raise http.UpstreamError(f"{path} answered {status}")
            reader = Reader(self._tmdb.host, path)
            title = details_of(reader, media_type, tmdb_id, body, language)
            if not title.title:
                raise http.UpstreamError(f"{path} has no title")
            return _CachedDetails.just_read(title, self._environment.tmdb_details_cache_seconds)

        return _dated(self._read(_key(path, query), _CachedDetails, fetch, suffices))

    def _find(
        self, path: str, query: dict[str, str], kind: MediaType | None, page: int
    ) -> SearchPage:
        """Ask for pages until one has titles, or there are no more, or too many had none."""
        budget = http.Budget(self._environment.upstream_timeout_seconds)
        total = 0
        for shown in range(page, min(page + MAX_PAGES_READ, MAX_SEARCH_PAGE + 1)):
            status, body = self._ask(path, query | {"page": str(shown)}, budget)
            if status != HTTPStatus.OK:
                raise http.UpstreamError(f"{path} answered {status}")
            found = page_of(Reader(self._tmdb.host, path), body, kind, shown)
            total = found.total
            if kind is not None:
                return found
            if found.titles:
                fits = shown == 1 and total <= SEARCH_PAGE_SIZE
                return SearchPage(found.titles, shown, len(found.titles) if fits else total)
            if total <= shown * SEARCH_PAGE_SIZE:
                break
        return SearchPage([], page, min(total, (page - 1) * SEARCH_PAGE_SIZE))

    def _read[T](
        self,
        key: str,
        kind: type[CacheEntry[T]],
        fetch: Callable[[], CacheEntry[T]],
        suffices: Callable[[T], bool] = lambda _: True,
    ) -> CacheEntry[T]:
        """Return what is kept while it is fresh, else what one of all environments fetches.

        A caller with a stale entry that suffices does not wait for that fetch, and takes the entry
        when it fails.
        """
        kept = self._kept(key, kind)
        is_recheck = kept is not None and not suffices(kept.value)
        recheck_key = f"recheck:{key}"

        def is_new_enough(entry: CacheEntry[T]) -> bool:
            return entry.is_fresh and not (is_recheck and entry.age >= RECHECK_SECONDS)

        def read_cache() -> CacheEntry[T] | None:
            entry = self._kept(key, kind)
            return entry if entry is not None and is_new_enough(entry) else None

        def fetch_and_keep() -> CacheEntry[T]:
            if is_recheck:
                if self._cache.get(recheck_key) is not None:
                    raise FlightFailedError
                self._cache.set(recheck_key, "1", seconds=RECHECK_SECONDS)
            read = fetch()
            seconds = read.useful_seconds(self._environment.tmdb_stale_seconds)
            self._answers.set(key, read.model_dump_json(), seconds=seconds)
            return read

        if kept is not None and is_new_enough(kept):
            return kept
        if kept is not None and is_recheck and self._cache.get(recheck_key) is not None:
            return kept
        try:
            return single_flight(
                self._cache,
                key,
                seconds=self._environment.upstream_timeout_seconds + _FLIGHT_MARGIN_SECONDS,
                read_cache=read_cache,
                fetch=fetch_and_keep,
                stale=None if is_recheck else kept,
            )
        except (http.UpstreamError, ValidationError, FlightFailedError) as error:
            _log_trouble(error, None if kept is None else kept.age)
            if kept is None:
                raise unavailable(ErrorCode.CATALOG_UNAVAILABLE, error) from error
            return kept

    def _kept[T](self, key: str, kind: type[CacheEntry[T]]) -> CacheEntry[T] | None:
        text = self._answers.get(key)
        if text is not None:
            # Another release may have kept another shape: then it is asked anew.
            with suppress(ValueError):
                kept = kind.model_validate_json(text)
                if kept.age < kept.useful_seconds(self._environment.tmdb_stale_seconds):
                    return kept
        return None

    def _ask(
        self, path: str, query: dict[str, str], budget: http.Budget | None = None
    ) -> tuple[int, Any]:
        """Return TMDB's answer; raises UpstreamError when there is none."""
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._environment.tmdb_api_key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == _JWT_DOTS:
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return self._tmdb.ask("GET", path, headers=headers, query=query, budget=budget)


def _key(path: str, query: dict[str, str]) -> str:
    return f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"


def _dated[T](kept: CacheEntry[T]) -> CachedValue[T]:
    return CachedValue(kept.value, None if kept.is_fresh else kept.age)


def _log_trouble(error: Exception, stale_seconds: int | None) -> None:
    count("CatalogUnavailable" if stale_seconds is None else "CatalogStale")
    # What an UpstreamError says never has a secret; what pydantic says may have anything.
    cause = cause_of(error) if isinstance(error, ValidationError) else str(error)
    logger.warning("TMDB failed", extra={"cause": cause, "stale_seconds": stale_seconds})
