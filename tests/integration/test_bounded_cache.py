"""The bounded cache limits the memory of its values, on a real Valkey."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from local.engines.engine import Server
from local.engines.valkey import ValkeyEngine
from medianest.core.bounded_cache import OVERHEAD, SHARDS, BoundedCache
from medianest.core.cache import Cache, shared_cache
from medianest.rate_limits.policies import POLICIES
from medianest.rate_limits.sliding_window import Bucket, hit_cache

# Room for ten values of 1,000 bytes in each shard; a name has up to eight bytes.
ROOM = SHARDS * 10 * (1000 + 8 + OVERHEAD)
VALUE = "x" * 1000


@pytest.fixture
def bounded(keys: redis.Redis) -> BoundedCache:
    return BoundedCache(shared_cache(), "test", ROOM)


def cached_names(keys: redis.Redis) -> set[str]:
    """Return the names of the cached values."""
    all_names: set[str] = set()
    for shard in keys.scan_iter("{test:*}:values"):
        names = keys.hkeys(shard)
        assert isinstance(names, list)
        all_names |= {str(name) for name in names} - {""}
    return all_names


def test_last_value_that_was_set_is_returned(bounded: BoundedCache) -> None:
    assert bounded.get("a") is None
    bounded.set("a", "1", seconds=60)
    bounded.set("a", "2", seconds=60)
    assert bounded.get("a") == "2"


def test_oldest_values_are_evicted_when_the_bound_is_reached(
    bounded: BoundedCache, keys: redis.Redis
) -> None:
    for number in range(400):
        bounded.set(f"n{number}", VALUE, seconds=60)
    assert 8 * SHARDS < len(cached_names(keys)) <= 10 * SHARDS
    assert bounded.get("n399") == VALUE
    assert bounded.get("n0") is None


def test_replaced_value_counts_once(bounded: BoundedCache, keys: redis.Redis) -> None:
    bounded.set("other", VALUE, seconds=60)
    for _ in range(100):
        bounded.set("same", VALUE, seconds=60)
    assert cached_names(keys) == {"same", "other"}


def test_value_larger_than_a_shard_evicts_nothing(bounded: BoundedCache, keys: redis.Redis) -> None:
    names = [f"n{number}" for number in range(20)]
    for name in names:
        bounded.set(name, "small", seconds=60)
    for name in names:
        bounded.set(f"large {name}", "x" * ROOM, seconds=60)
    assert cached_names(keys) == set(names)


@pytest.mark.parametrize("part", ["values", "order"])
def test_bound_holds_after_one_key_of_each_shard_is_lost(
    bounded: BoundedCache, keys: redis.Redis, part: str
) -> None:
    for _ in range(3):
        for number in range(400):
            bounded.set(f"n{number}", VALUE, seconds=60)
        deleted = [keys.delete(key) for key in keys.scan_iter(f"{{test:*}}:{part}")]
        assert len(deleted) == SHARDS
    for number in range(400):
        bounded.set(f"n{number}", VALUE, seconds=60)
    assert 0 < len(cached_names(keys)) <= 10 * SHARDS
    assert bounded.get("n399") == VALUE


def test_keys_expire_with_their_last_value(bounded: BoundedCache, keys: redis.Redis) -> None:
    bounded.set("a", "1", seconds=600)
    bounded.set("a", "1", seconds=60)
    remaining = [keys.ttl(key) for key in keys.scan_iter()]
    assert len(remaining) == 2
    assert all(590 < int(str(seconds)) <= 600 for seconds in remaining)


@pytest.fixture(scope="module")
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Valkey of 64 MB, as `make run` does."""
    with ValkeyEngine(tmp_path_factory.mktemp("small")).use() as server:
        yield server


def test_many_cached_responses_evict_no_rate_limit_entry(small_cache: Server) -> None:
    cache = Cache(SecretStr(small_cache.url))
    login = POLICIES["login"]
    buckets = [Bucket(login, f"user{number}") for number in range(500)]
    for bucket in buckets:
        assert hit_cache(cache, [bucket], "a failed login") is not None
    response_cache = BoundedCache(cache, "tmdb", 32_000_000)
    for number in range(4_000):  # 120 MB
        response_cache.set(f"search {number}", "x" * 30_000, seconds=600)
    with redis.Redis.from_url(small_cache.url) as client:
        memory = client.info("memory")["used_memory"]
        assert client.info("stats")["evicted_keys"] == 0
        logs = sum(1 for _ in client.scan_iter("{rl}:login:*"))
    assert memory < 45_000_000
    assert logs == len(buckets)
    assert response_cache.get("search 3999") is not None


def test_values_are_absent_while_the_cache_is_down(tmp_path: Path) -> None:
    response_cache = BoundedCache(Cache(SecretStr("redis://127.0.0.1:1/0")), "tmdb", ROOM)
    response_cache.set("a", "1", seconds=60)
    assert response_cache.get("a") is None
