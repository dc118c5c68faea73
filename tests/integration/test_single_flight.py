"""Single flight through a real Valkey: one of many concurrent callers fetches."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from pydantic import SecretStr

from medianest.core.cache import Cache
from medianest.core.single_flight import FetchFailedError, single_flight

CALLERS = 20
KEY = "test:title"
LOCK_KEY = f"{KEY}:flight"


class Upstream:
    """A slow upstream that counts its fetches."""

    def __init__(self, seconds: float = 0.3, *, down: bool = False) -> None:
        self.fetches = 0
        self._seconds = seconds
        self._down = down
        self._lock = threading.Lock()

    def fetch(self, cache: Cache) -> str:
        with self._lock:
            self.fetches += 1
        time.sleep(self._seconds)
        if self._down:
            raise ConnectionError
        cache.set(KEY, "found", seconds=60)
        return "found"


@pytest.fixture
def cache(environment: dict[str, str], keys: redis.Redis) -> Cache:
    return Cache(SecretStr(environment["REDIS_URL"]))


def get_value(
    cache: Cache, upstream: Upstream, *, seconds: float = 5, stale: str | None = None
) -> str:
    return single_flight(
        cache,
        KEY,
        seconds=seconds,
        read_cache=lambda: cache.get(KEY),
        fetch=lambda: upstream.fetch(cache),
        stale=stale,
    )


def count_outcomes(url: str, upstream: Upstream) -> Counter[str]:
    """Call concurrently, each caller with a separate connection; count the outcomes."""
    barrier = Barrier(CALLERS)

    def call(_: int) -> str:
        connection = Cache(SecretStr(url))
        barrier.wait(20)
        try:
            return get_value(connection, upstream)
        except (ConnectionError, FetchFailedError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(CALLERS) as pool:
        return Counter(pool.map(call, range(CALLERS)))


def test_one_of_many_concurrent_callers_fetches(
    environment: dict[str, str], keys: redis.Redis
) -> None:
    upstream = Upstream()
    assert count_outcomes(environment["REDIS_URL"], upstream) == {"found": CALLERS}
    assert upstream.fetches == 1
    assert keys.keys("*") == [KEY]


def test_failed_fetch_fails_all_concurrent_callers(
    environment: dict[str, str], keys: redis.Redis
) -> None:
    upstream = Upstream(down=True)
    assert count_outcomes(environment["REDIS_URL"], upstream) == {
        "ConnectionError": 1,
        "FetchFailedError": CALLERS - 1,
    }
    assert upstream.fetches == 1


def test_caller_after_a_failure_fetches_at_once(cache: Cache, keys: redis.Redis) -> None:
    with pytest.raises(ConnectionError):
        get_value(cache, Upstream(0, down=True))
    assert keys.pttl(LOCK_KEY) > 0
    assert get_value(cache, Upstream(0)) == "found"


def test_every_caller_fetches_without_the_cache(keys: redis.Redis) -> None:
    upstream = Upstream()
    assert count_outcomes("redis://127.0.0.1:1/0", upstream) == {"found": CALLERS}
    assert upstream.fetches == CALLERS


def test_caller_with_a_stale_value_does_not_wait(cache: Cache, keys: redis.Redis) -> None:
    keys.set(LOCK_KEY, "another caller", px=60_000)
    upstream = Upstream()
    assert get_value(cache, upstream, stale="stale") == "stale"
    assert upstream.fetches == 0
    keys.delete(LOCK_KEY)
    assert get_value(cache, upstream, stale="stale") == "found"


def test_lock_of_a_dead_caller_expires_and_another_fetches(cache: Cache, keys: redis.Redis) -> None:
    keys.set(LOCK_KEY, "a caller that died", px=300)
    upstream = Upstream(0)
    assert get_value(cache, upstream) == "found"
    assert upstream.fetches == 1
    assert not keys.exists(LOCK_KEY)


def test_caller_fetches_after_waiting_for_the_given_time(cache: Cache, keys: redis.Redis) -> None:
    keys.set(LOCK_KEY, "a slow caller", px=60_000)
    upstream = Upstream(0)
    assert get_value(cache, upstream, seconds=0.3) == "found"
    assert upstream.fetches == 1
    assert keys.get(LOCK_KEY) == "a slow caller", "only the holder may delete the lock"


def test_fetch_that_outlives_its_lock_does_not_delete_the_next_lock(
    cache: Cache, keys: redis.Redis
) -> None:
    def fetch() -> str:
        keys.set(LOCK_KEY, "the next", px=60_000)
        return "found"

    assert single_flight(cache, KEY, seconds=5, read_cache=lambda: None, fetch=fetch) == "found"
    assert keys.get(LOCK_KEY) == "the next"


def test_value_cached_before_the_lock_is_not_fetched_again(cache: Cache) -> None:
    upstream = Upstream(0)
    value = single_flight(
        cache,
        KEY,
        seconds=5,
        read_cache=lambda: "cached by the previous caller",
        fetch=lambda: upstream.fetch(cache),
    )
    assert value == "cached by the previous caller"
    assert upstream.fetches == 0


def test_lock_expires_after_the_given_time(cache: Cache, keys: redis.Redis) -> None:
    lifetimes = []

    def fetch() -> str:
        lifetimes.append(keys.pttl(LOCK_KEY))
        return "found"

    single_flight(cache, KEY, seconds=5, read_cache=lambda: None, fetch=fetch)
    assert 4000 < lifetimes[0] <= 5000
