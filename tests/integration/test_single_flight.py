"""Single flight: many miss at once, one fetches; through a real Valkey."""

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

CROWD = 20
KEY = "test:title"
FLIGHT = f"{KEY}:flight"


class Upstream:
    """Something slow; counts how often it is asked."""

    def __init__(self, seconds: float = 0.3, *, down: bool = False) -> None:
        self.asked = 0
        self._seconds = seconds
        self._down = down
        self._lock = threading.Lock()

    def fetch(self, cache: Cache) -> str:
        with self._lock:
            self.asked += 1
        time.sleep(self._seconds)
        if self._down:
            raise ConnectionError
        cache.set(KEY, "found", seconds=60)
        return "found"


@pytest.fixture
def cache(environment: dict[str, str], keys: redis.Redis) -> Cache:
    return Cache(SecretStr(environment["REDIS_URL"]))


def get(cache: Cache, upstream: Upstream, *, seconds: float = 5, stale: str | None = None) -> str:
    return single_flight(
        cache,
        KEY,
        seconds=seconds,
        read_cache=lambda: cache.get(KEY),
        fetch=lambda: upstream.fetch(cache),
        stale=stale,
    )


def outcomes(url: str, upstream: Upstream) -> Counter[str]:
    """Let a crowd ask at once, each with a connection of its own, as environments have."""
    barrier = Barrier(CROWD)

    def ask(_: int) -> str:
        own = Cache(SecretStr(url))
        barrier.wait(20)
        try:
            return get(own, upstream)
        except (ConnectionError, FetchFailedError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(CROWD) as pool:
        return Counter(pool.map(ask, range(CROWD)))


def test_one_of_a_crowd_fetches(environment: dict[str, str], keys: redis.Redis) -> None:
    upstream = Upstream()
    assert outcomes(environment["REDIS_URL"], upstream) == {"found": CROWD}
    assert upstream.asked == 1
    assert keys.keys("*") == [KEY]


def test_one_of_a_crowd_fails_for_all(environment: dict[str, str], keys: redis.Redis) -> None:
    upstream = Upstream(down=True)
    assert outcomes(environment["REDIS_URL"], upstream) == {
        "ConnectionError": 1,
        "FetchFailedError": CROWD - 1,
    }
    assert upstream.asked == 1


def test_whoever_comes_after_a_failure_fetches_at_once(cache: Cache, keys: redis.Redis) -> None:
    with pytest.raises(ConnectionError):
        get(cache, Upstream(0, down=True))
    assert keys.pttl(FLIGHT) > 0
    assert get(cache, Upstream(0)) == "found"


def test_without_the_cache_everybody_fetches(keys: redis.Redis) -> None:
    upstream = Upstream()
    assert outcomes("redis://127.0.0.1:1/0", upstream) == {"found": CROWD}
    assert upstream.asked == CROWD


def test_a_caller_with_a_stale_value_does_not_wait(cache: Cache, keys: redis.Redis) -> None:
    keys.set(FLIGHT, "somebody", px=60_000)
    upstream = Upstream()
    assert get(cache, upstream, stale="stale") == "stale"
    assert upstream.asked == 0
    keys.delete(FLIGHT)
    assert get(cache, upstream, stale="stale") == "found"


def test_one_who_is_gone_for_good_is_replaced(cache: Cache, keys: redis.Redis) -> None:
    keys.set(FLIGHT, "somebody who was ended", px=300)
    upstream = Upstream(0)
    assert get(cache, upstream) == "found"
    assert upstream.asked == 1
    assert not keys.exists(FLIGHT)


def test_nobody_waits_longer_than_told(cache: Cache, keys: redis.Redis) -> None:
    keys.set(FLIGHT, "somebody slow", px=60_000)
    upstream = Upstream(0)
    assert get(cache, upstream, seconds=0.3) == "found"
    assert upstream.asked == 1
    assert keys.get(FLIGHT) == "somebody slow", "only who has it may end it"


def test_a_flight_that_took_too_long_does_not_end_the_next(cache: Cache, keys: redis.Redis) -> None:
    def fetch() -> str:
        keys.set(FLIGHT, "the next", px=60_000)
        return "found"

    assert single_flight(cache, KEY, seconds=5, read_cache=lambda: None, fetch=fetch) == "found"
    assert keys.get(FLIGHT) == "the next"


def test_what_was_found_just_before_is_not_fetched_again(cache: Cache) -> None:
    upstream = Upstream(0)
    found = single_flight(
        cache,
        KEY,
        seconds=5,
        read_cache=lambda: "found by the one before",
        fetch=lambda: upstream.fetch(cache),
    )
    assert found == "found by the one before"
    assert upstream.asked == 0


def test_a_flight_ends_by_itself(cache: Cache, keys: redis.Redis) -> None:
    left = []

    def fetch() -> str:
        left.append(keys.pttl(FLIGHT))
        return "found"

    single_flight(cache, KEY, seconds=5, read_cache=lambda: None, fetch=fetch)
    assert 4000 < left[0] <= 5000
