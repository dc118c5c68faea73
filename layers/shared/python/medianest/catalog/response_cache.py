"""The cache of TMDB's responses: fresh, then stale for use while TMDB is down."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Self

from pydantic import BaseModel, Field, ValidationError

from medianest.catalog.models import CachedValue
from medianest.core import http
from medianest.core.bounded_cache import BoundedCache
from medianest.core.cache import Cache
from medianest.core.clock import now
from medianest.core.error_codes import ErrorCode
from medianest.core.observability import count, logger
from medianest.core.single_flight import FetchFailedError, single_flight
from medianest.core.upstream import unavailable
from medianest.core.variables import Environment
from medianest.core.wire import cause_of

# A cached value that would cause a refusal is fetched again if it is at least this old, and at most
# once in this time.
RECHECK_SECONDS = 30
# Added to the timeout of a call: the time for reading the API key and for writing the cache.
_LOCK_MARGIN_SECONDS = 1.0


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


class ResponseCache:
    """Parsed responses of TMDB with a bounded total size."""

    def __init__(self, environment: Environment, cache: Cache) -> None:
        self._cache = cache
        self._stale_seconds = environment.tmdb_stale_seconds
        self._responses = BoundedCache(cache, "tmdb", environment.tmdb_cache_mb * 1_000_000)

    def read[T](
        self,
        key: str,
        entry_type: type[CacheEntry[T]],
        fetch: Callable[[], CacheEntry[T]],
        budget: http.Budget,
        suffices: Callable[[T], bool] = lambda _: True,
    ) -> CachedValue[T]:
        """Return the cached value while it is fresh; otherwise one environment fetches a new one.

        Concurrent callers with a stale value that suffices return it and do not wait. A stale value
        is also returned when the fetch fails. Raises AppError CATALOG_UNAVAILABLE without one.
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
            return _to_cached_value(cached)
        if cached is not None and must_recheck and self._cache.get(recheck_key) is not None:
            return _to_cached_value(cached)
        try:
            entry = single_flight(
                self._cache,
                key,
                seconds=max(budget.seconds_left, 0.0) + _LOCK_MARGIN_SECONDS,
                read_cache=read_cache,
                fetch=fetch_and_store,
                stale=None if must_recheck else cached,
            )
        except (http.UpstreamError, ValidationError, FetchFailedError) as error:
            _log_failure(error, None if cached is None else cached.age)
            if cached is None:
                raise unavailable(ErrorCode.CATALOG_UNAVAILABLE, error) from error
            entry = cached
        return _to_cached_value(entry)

    def _store[T](self, key: str, entry: CacheEntry[T]) -> CacheEntry[T]:
        seconds = entry.max_age(self._stale_seconds)
        self._responses.set(key, entry.model_dump_json(), seconds=seconds)
        return entry

    def _cached_entry[T](self, key: str, entry_type: type[CacheEntry[T]]) -> CacheEntry[T] | None:
        text = self._responses.get(key)
        if text is not None:
            # An entry of another release may have another schema: treat it as a cache miss.
            with suppress(ValueError):
                cached = entry_type.model_validate_json(text)
                if cached.age < cached.max_age(self._stale_seconds):
                    return cached
        return None


def _to_cached_value[T](cached: CacheEntry[T]) -> CachedValue[T]:
    return CachedValue(cached.value, None if cached.is_fresh else cached.age)


def _log_failure(error: Exception, stale_seconds: int | None) -> None:
    count("CatalogUnavailable" if stale_seconds is None else "CatalogStale")
    # The message of an UpstreamError contains no secret; that of pydantic contains input values.
    cause = cause_of(error) if isinstance(error, ValidationError) else str(error)
    logger.warning("tmdb_failed", extra={"cause": cause, "stale_seconds": stale_seconds})
