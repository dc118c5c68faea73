"""Single flight: what many environments miss at once, one of them fetches for all."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from medianest.core.cache import Cache

POLL_SECONDS = 0.05
# How long those who wait can learn that the flight failed; whoever comes anew need not care.
_FAILED_SECONDS = 1
_FAILED = "failed"

# KEYS: the flight. ARGV: who wants it, the milliseconds it may take.
_TAKE = f"""
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= '{_FAILED}' then return {{0}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {{1}}
"""
# ARGV: who had it, whether it failed, for how many milliseconds that is told.
_END = f"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {{0}} end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[1], '{_FAILED}', 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {{1}}
"""


class FlightFailedError(Exception):
    """The environment that fetched for all got nothing."""

    def __init__(self) -> None:
        super().__init__("the environment that asked for all got nothing")


def fly[T](
    cache: Cache,
    key: str,
    *,
    seconds: float,
    look: Callable[[], T | None],
    fetch: Callable[[], T],
    meanwhile: T | None = None,
) -> T:
    """Return what `fetch` gives and leaves where `look` finds it, called by one environment.

    The others take `meanwhile` if there is such a thing. Else they wait, and raise
    FlightFailedError when the one fails. When it is gone for good, or longer than `seconds`, they
    fetch themselves, and so does everybody while the cache is down.
    """
    flight = f"{key}:flight"
    owner = secrets.token_hex(16)
    deadline = time.monotonic() + seconds
    while not _taken(cache, flight, owner, seconds):
        if meanwhile is not None:
            return meanwhile
        state = _end_of(cache, flight, deadline)
        found = look()
        if found is not None:
            return found
        if state == _FAILED:
            raise FlightFailedError
        if time.monotonic() >= deadline:
            break
    failed = 1
    try:
        # Between a first look and the start of this flight, another one may have ended.
        found = look()
        if found is None:
            found = fetch()
        failed = 0
    finally:
        cache.run(_END, [flight], [owner, failed, _FAILED_SECONDS * 1000])
    return found


def _taken(cache: Cache, flight: str, owner: str, seconds: float) -> bool:
    answer = cache.run(_TAKE, [flight], [owner, round(seconds * 1000)])
    return answer is None or answer == [1]


def _end_of(cache: Cache, flight: str, deadline: float) -> str | None:
    """Wait while a flight is under way; return its last state, None when nothing is left of it."""
    while (state := cache.get(flight)) not in {None, _FAILED} and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return state
