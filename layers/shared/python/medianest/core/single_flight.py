"""Single flight: one execution environment fetches a missing value, the others wait for it."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from medianest.core.cache import Cache

POLL_SECONDS = 0.05
# The time for which a failed fetch is reported to waiting environments. Later callers fetch again.
_FAILED_SECONDS = 1
_FAILED = "failed"

# KEYS: the lock. ARGV: its owner, its expiry in milliseconds.
_ACQUIRE = f"""
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= '{_FAILED}' then return {{0}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {{1}}
"""
# ARGV: its owner, whether the fetch failed, the expiry of that failure in milliseconds.
_RELEASE = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {{0}} end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[1], '{_FAILED}', 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {{1}}
"""


class FetchFailedError(Exception):
    """The fetch failed in the environment that holds the lock."""

    def __init__(self) -> None:
        super().__init__("the fetch failed in another environment")


def single_flight[T](
    cache: Cache,
    key: str,
    *,
    seconds: float,
    read_cache: Callable[[], T | None],
    fetch: Callable[[], T],
    stale: T | None = None,
) -> T:
    """Return the value of `key`: one environment calls `fetch`, the others use `read_cache`.

    `fetch` must write the value to the cache. While one environment fetches, others return `stale`
    if it is not None. Otherwise they wait, and raise FetchFailedError when the fetch fails. They
    call `fetch` themselves when that environment dies, when the fetch takes longer than `seconds`,
    and while the cache is down.
    """
    lock_key = f"{key}:flight"
    owner = secrets.token_hex(16)
    deadline = time.monotonic() + seconds
    while not _acquire(cache, lock_key, owner, seconds):
        if stale is not None:
            return stale
        state = _wait_for(cache, lock_key, deadline)
        value = read_cache()
        if value is not None:
            return value
        if state == _FAILED:
            raise FetchFailedError
        if time.monotonic() >= deadline:
            break
    failed = 1
    try:
        # Another environment may have fetched the value between the cache miss and this lock.
        value = read_cache()
        if value is None:
            value = fetch()
        failed = 0
    finally:
        cache.run(_RELEASE, [lock_key], [owner, failed, _FAILED_SECONDS * 1000])
    return value


def _acquire(cache: Cache, lock_key: str, owner: str, seconds: float) -> bool:
    reply = cache.run(_ACQUIRE, [lock_key], [owner, round(seconds * 1000)])
    return reply is None or reply == [1]


def _wait_for(cache: Cache, lock_key: str, deadline: float) -> str | None:
    """Wait while the lock is held; return its last state, None when it is released."""
    while (state := cache.get(lock_key)) not in {None, _FAILED} and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return state
