"""A circuit breaker: rejects calls to a failing host for a while.

The state is in the cache and shared by all execution environments, because one environment serves
one call at a time and sees few of the failures. While the cache is down, each environment counts
its own failures.
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
# The time that the circuit stays open. Then it is half-open, and one probe decides.
OPEN_SECONDS = 30
# The upper bound for a host's Retry-After.
MAX_PAUSE_SECONDS = 60
# Longer than the timeout of any call: a probe without a result by then has crashed.
PROBE_SECONDS = 15
# The expiry of the keys.
_EXPIRE_SECONDS = 600

# KEYS: the count of consecutive failures, and the state: `open`, or `probe` while one call probes.
# ARGV: the failures that open the circuit, the milliseconds of a probe. Returns the milliseconds to
# wait; 0 permits the call. In the half-open state only one caller gets 0.
_WAIT = """
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then return {0} end
if redis.call('SET', KEYS[2], 'probe', 'NX', 'PX', ARGV[2]) then return {0} end
return {math.max(redis.call('PTTL', KEYS[2]), 1)}
"""
# ARGV: the weight of this failure, the failures that open the circuit, the milliseconds to stay
# open, the milliseconds until the keys expire. Returns 1 when this failure opened the circuit.
_ON_FAILURE = """
local failures = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if failures < tonumber(ARGV[2]) then return {0} end
local was_open = redis.call('GET', KEYS[2]) == 'open'
if not was_open or redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[2], 'open', 'PX', ARGV[3])
end
return {was_open and 0 or 1}
"""
# A success does not close an open circuit: that call started before the circuit opened.
_ON_SUCCESS = """
if redis.call('GET', KEYS[2]) ~= 'open' then redis.call('DEL', KEYS[1], KEYS[2]) end
return {0}
"""


class Breaker:
    """The circuit of one host."""

    def __init__(self, cache: Cache, host: str) -> None:
        self._cache = cache
        self._host = host
        # The hash tag puts both keys into one hash slot, which scripts require.
        self._keys = (f"{{breaker:{host}}}:failures", f"{{breaker:{host}}}:state")
        self._failures = 0
        self._open_until = 0.0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run a block that calls the host and record its result; raises UpstreamError if open."""
        wait = self._seconds_to_wait()
        if wait > 0:
            raise UpstreamError(f"the circuit of {self._host} is open", retry_after=math.ceil(wait))
        try:
            yield
        except UpstreamError as error:
            self._record_failure(error.retry_after)
            raise
        self._record_success()

    def _seconds_to_wait(self) -> float:
        """Return the seconds until a call is permitted; 0 or less permits it now."""
        reply = self._cache.run(_WAIT, self._keys, [FAILURES, PROBE_SECONDS * 1000])
        if reply is not None:
            return float(reply[0]) / 1000
        # Wall clock: the monotonic clock may stop while the environment is frozen.
        wait = self._open_until - time.time()
        # A clock that was set back does not prolong the pause.
        return wait if self._failures >= FAILURES and wait <= MAX_PAUSE_SECONDS else 0.0

    def _record_failure(self, retry_after: int | None) -> None:
        weight = FAILURES if retry_after else 1
        seconds = min(retry_after or OPEN_SECONDS, MAX_PAUSE_SECONDS)
        reply = self._cache.run(
            _ON_FAILURE, self._keys, [weight, FAILURES, seconds * 1000, _EXPIRE_SECONDS * 1000]
        )
        opened = bool(reply[0]) if reply is not None else self._record_locally(weight, seconds)
        if opened:
            count("BreakerOpened", host=self._host)
            logger.warning("breaker_opened", extra={"host": self._host, "seconds": seconds})

    def _record_locally(self, weight: int, seconds: int) -> bool:
        now = time.time()
        was_open = self._open_until > now
        self._failures += weight
        if self._failures < FAILURES:
            return False
        self._open_until = max(self._open_until, now + seconds)
        return not was_open

    def _record_success(self) -> None:
        self._cache.run(_ON_SUCCESS, self._keys, [])
        self._failures = 0
