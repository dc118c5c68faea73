"""Single flight: when many environments miss the same key at once, one fetches for all."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from medianest.core.cache import Cache

POLL_SECONDS = 0.05
# How long waiting environments can learn that the fetch failed; later callers fetch again.
_FAILED_SECONDS = 1
_FAILED = "failed"

# KEYS: the lock. ARGV: its owner, the milliseconds that it may be held.
_TAKE = f"""
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= '{_FAILED}' then return {{0}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {{1}}
"""
# ARGV: its owner, whether the fetch failed, the milliseconds to remember that.
_RELEASE = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {{0}} end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[1], '{_FAILED}', 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {{1}}
"""


class FlightFailedError(Exception):
    """The environment that fetched for all failed."""

    def __init__(self) -> None:
        super().__init__("the environment that fetched for all failed")


def single_flight[T](
    cache: Cache,
    key: str,
    *,
    seconds: float,
    read_cache: Callable[[], T | None],
    fetch: Callable[[], T],
    stale: T | None = None,
) -> T:
    """Return the result of `fetch`, which one environment calls and `read_cache` finds afterwards.

    Other environments return `stale` if there is such a value. Otherwise they wait, and raise
    FlightFailedError when the fetch fails. They fetch themselves when its environment dies, when it
    takes longer than `seconds`, and while the cache is down.
    """
    lock_key = f"{key}:flight"
    owner = secrets.token_hex(16)
    deadline = time.monotonic() + seconds
    while not _take(cache, lock_key, owner, seconds):
        if stale is not None:
            return stale
        state = _wait_for(cache, lock_key, deadline)
        found = read_cache()
        if found is not None:
            return found
        if state == _FAILED:
            raise FlightFailedError
        if time.monotonic() >= deadline:
            break
    failed = 1
    try:
        # Another flight may have ended between the caller's first look and this lock.
        found = read_cache()
        if found is None:
            found = fetch()
        failed = 0
    finally:
        cache.run(_RELEASE, [lock_key], [owner, failed, _FAILED_SECONDS * 1000])
    return found


def _take(cache: Cache, lock_key: str, owner: str, seconds: float) -> bool:
    answer = cache.run(_TAKE, [lock_key], [owner, round(seconds * 1000)])
    return answer is None or answer == [1]


def _wait_for(cache: Cache, lock_key: str, deadline: float) -> str | None:
    """Wait while the lock is held; return its last state, None when it is gone."""
    while (state := cache.get(lock_key)) not in {None, _FAILED} and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return state
