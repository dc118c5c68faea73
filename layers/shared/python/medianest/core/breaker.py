"""A circuit breaker: stops calls of a host that keeps failing, for a while.

The cache has its state, for all environments: each serves one call at a time and sees few of the
failures. While the cache is down, each environment counts its own failures.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from medianest.core.http import UpstreamError
from medianest.core.observability import count, logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medianest.core.cache import Cache

# Consecutive failures that open the circuit.
FAILURES = 5
# How long it stays open; then it is half-open, and one probe decides.
OPEN_SECONDS = 30
# The longest Retry-After of a host that is respected.
MAX_PAUSE_SECONDS = 60
# Longer than any call may take: a probe without a result by then has died.
PROBE_SECONDS = 15
# Every key expires.
_EXPIRE_SECONDS = 600

# KEYS: the count of consecutive failures, and the state: `open`, or `probe` while one call probes.
# ARGV: the failures that open the circuit, the milliseconds of a probe. Returns the milliseconds to
# wait; 0 permits the call, which one caller gets in the half-open state.
_WAIT = """
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then return {0} end
if redis.call('SET', KEYS[2], 'probe', 'NX', 'PX', ARGV[2]) then return {0} end
return {math.max(redis.call('PTTL', KEYS[2]), 1)}
"""
# ARGV: the weight of this failure, the failures that open the circuit, the milliseconds to stay
# open, the milliseconds until the keys expire. Returns 1 when this failure opened it.
_FAILED = """
local failures = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if failures < tonumber(ARGV[2]) then return {0} end
local was_open = redis.call('GET', KEYS[2]) == 'open'
if not was_open or redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[2], 'open', 'PX', ARGV[3])
end
return {was_open and 0 or 1}
"""
# A call that began before the breaker opened does not close it.
_SUCCEEDED = """
if redis.call('GET', KEYS[2]) ~= 'open' then redis.call('DEL', KEYS[1], KEYS[2]) end
return {0}
"""


class Breaker:
    """The circuit of one host."""

    def __init__(self, cache: Cache, host: str) -> None:
        self._cache = cache
        self._host = host
        # The hash tag puts both keys into one slot, as a script needs.
        self._keys = (f"{{breaker:{host}}}:failures", f"{{breaker:{host}}}:state")
        self._failures = 0
        self._open_until = 0.0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run a block that calls the host and count its result; raises UpstreamError while open."""
        wait = self._wait()
        if wait > 0:
            raise UpstreamError(f"{self._host} is left alone", retry_after=math.ceil(wait))
        try:
            yield
        except UpstreamError as error:
            self._failed(error.retry_after)
            raise
        self._succeeded()

    def _wait(self) -> float:
        """Return the seconds until a call is permitted, 0 for now."""
        answer = self._cache.run(_WAIT, self._keys, [FAILURES, PROBE_SECONDS * 1000])
        if answer is not None:
            return answer[0] / 1000
        # Not monotonic(), which may stand still while an environment is frozen.
        return self._open_until - time.time() if self._failures >= FAILURES else 0.0

    def _failed(self, retry_after: int | None) -> None:
        counts = FAILURES if retry_after else 1
        seconds = min(retry_after or OPEN_SECONDS, MAX_PAUSE_SECONDS)
        answer = self._cache.run(
            _FAILED, self._keys, [counts, FAILURES, seconds * 1000, _EXPIRE_SECONDS * 1000]
        )
        opened = bool(answer[0]) if answer is not None else self._failed_here(counts, seconds)
        if opened:
            count("BreakerOpened", host=self._host)
            logger.warning("breaker_opened", extra={"host": self._host, "seconds": seconds})

    def _failed_here(self, counts: int, seconds: int) -> bool:
        now = time.time()
        was_open = self._open_until > now
        self._failures += counts
        if self._failures < FAILURES:
            return False
        self._open_until = max(self._open_until, now + seconds)
        return not was_open

    def _succeeded(self) -> None:
        self._cache.run(_SUCCEEDED, self._keys, [])
        self._failures = 0
