"""Exact sliding windows: the log of a bucket's calls, its result, and the response headers.

The log has the times of accepted calls only, so a refused call does not prolong the wait.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.rate_limits.policies import Policy

if TYPE_CHECKING:
    from medianest.core.cache import Cache

HEADERS = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
)


class Bucket(NamedTuple):
    """A policy with its current limit, and one subject."""

    policy: Policy
    subject: UUID | str

    @property
    def key(self) -> str:
        """Return the key of its log.

        The hash tag puts the keys of one call into one hash slot, which scripts require. The keys
        of a user share the slot of the user's sessions, because one script reads both.
        """
        if isinstance(self.subject, UUID):
            return f"rl:{self.policy.name}:{{{self.subject}}}"
        return f"{{rl}}:{self.policy.name}:{self.subject}"


class LimitResult(NamedTuple):
    """The result of one bucket; `first` marks the first refusal of a subject in a window."""

    policy: Policy
    remaining: int
    wait: float
    resets_at: int
    refused: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Charge:
    """A call that was charged to all of its buckets, or to none when one refuses."""

    results: list[LimitResult]
    _refund: Callable[[], None]

    def check(self) -> None:
        """Raise RATE_LIMITED when a bucket refuses the call."""
        error = refusal(self.results)
        if error is not None:
            raise error

    def refund(self) -> list[LimitResult]:
        """Undo the charge; return the results without it."""
        self._refund()
        return [result._replace(remaining=result.remaining + 1) for result in self.results]


# KEYS: the log and the mark of a refusal of each bucket, then optionally the key of a value that
# has to be live; ARGV: a unique member for the logs, then the limit and the window (in
# microseconds) of each bucket. A live value begins with its expiry in milliseconds and a space.
# Returns that value (with its key only), the time, and for each bucket whether it refuses, the
# remaining calls, the microseconds until the next slot is free, and whether this is the first
# refusal. All or nothing: when one bucket refuses, none is charged. Without a live value, none is
# charged either, and the reply ends after the value.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reply = {now}
if #KEYS % 2 == 1 then
  local value = redis.call('GET', KEYS[#KEYS]) or ''
  local expires = tonumber(string.match(value, '^(%d+) ') or 0)
  if expires * 1000 <= now then return {value} end
  reply = {value, now}
end
local full = false
for i = 1, #KEYS - 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - ARGV[i + 2])
  full = full or redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 1])
end
for i = 1, #KEYS - 1, 2 do
  local limit, window = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local used, refused, first = redis.call('ZCARD', KEYS[i]), 0, 0
  if not full then
    redis.call('ZADD', KEYS[i], now, ARGV[1])
    used = used + 1
  elseif used >= limit then
    refused = 1
    if redis.call('SET', KEYS[i + 1], '', 'NX', 'PX', window / 1000) then first = 1 end
  end
  redis.call('PEXPIRE', KEYS[i], window / 1000)
  local place = math.max(used - limit, 0)
  local oldest = redis.call('ZRANGE', KEYS[i], place, place, 'WITHSCORES')[2]
  local wait = oldest and oldest + window - now or 0
  for _, value in ipairs({refused, math.max(limit - used, 0), wait, first}) do
    reply[#reply + 1] = value
  end
end
return reply
"""


# KEYS: logs. ARGV: the member that the call added to each.
_REFUND = """
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
return {}
"""


def hit_cache(cache: Cache, buckets: Sequence[Bucket], member: str) -> list[LimitResult] | None:
    """Charge a call to its buckets as a unique `member`, unless one refuses.

    Returns None when the cache is down.
    """
    reply = cache.run(SCRIPT, *_script_input(buckets, member))
    return None if reply is None else _results(buckets, reply)


def hit_cache_if_live(
    cache: Cache, live_key: str, buckets: Sequence[Bucket], member: str
) -> tuple[str | None, list[LimitResult] | None]:
    """Charge a call as `hit_cache` does if the cache has a live value, in one round trip.

    Returns the value, and None for the results when it is not live.
    """
    keys, args = _script_input(buckets, member)
    reply = cache.run(SCRIPT, [*keys, live_key], args)
    if reply is None:
        return None, None
    value, *numbers = reply
    return str(value), _results(buckets, numbers) if numbers else None


def _script_input(
    buckets: Sequence[Bucket], member: str
) -> tuple[Sequence[str], Sequence[str | int]]:
    keys = [key for bucket in buckets for key in (bucket.key, f"{bucket.key}:refused")]
    bounds = [
        number
        for bucket in buckets
        for number in (bucket.policy.limit, bucket.policy.window * 1_000_000)
    ]
    return keys, [member, *bounds]


def _results(buckets: Sequence[Bucket], reply: Sequence[int]) -> list[LimitResult]:
    now, *numbers = reply
    return [
        LimitResult(
            policy=bucket.policy,
            remaining=remaining,
            wait=wait / 1e6,
            resets_at=math.ceil((now + wait) / 1e6),
            refused=bool(refused),
            first=bool(first),
        )
        for bucket, (refused, remaining, wait, first) in zip(
            buckets, batched(numbers, 4, strict=True), strict=True
        )
    ]


def refund_cache(cache: Cache, buckets: Sequence[Bucket], member: str) -> None:
    """Remove a call from the logs of its buckets."""
    cache.run(_REFUND, [bucket.key for bucket in buckets], [member])


def evaluate(
    buckets: Sequence[Bucket], logs: Sequence[Sequence[float]], marked: Sequence[bool], now: float
) -> list[LimitResult]:
    """Evaluate logs in the same way as the script.

    A log has the times of the calls in its window, oldest first. `marked` is True for a bucket that
    has already refused a call in this window.
    """
    full = any(len(log) >= bucket.policy.limit for bucket, log in zip(buckets, logs, strict=True))
    results = []
    for bucket, log, was_refused in zip(buckets, logs, marked, strict=True):
        limit = bucket.policy.limit
        refused = len(log) >= limit
        times = log if full else [*log, now]
        oldest = times[max(len(times) - limit, 0)] if times else now - bucket.policy.window
        wait = oldest + bucket.policy.window - now
        results.append(
            LimitResult(
                policy=bucket.policy,
                remaining=max(limit - len(times), 0),
                wait=wait,
                resets_at=math.ceil(now + wait),
                refused=refused,
                first=refused and not was_refused,
            )
        )
    return results


class MemoryLog:
    """The logs in the memory of one environment, used while the cache is down."""

    # Bounds the memory. A caller with more addresses than this evades these limits.
    MAX_KEYS = 10_000

    def __init__(self) -> None:
        self._logs: dict[str, deque[float]] = {}
        self._marks: dict[str, float] = {}

    def hit(self, buckets: Sequence[Bucket]) -> list[LimitResult]:
        """Charge a call to its buckets, unless one refuses."""
        # Wall clock: the monotonic clock may stop while the environment is frozen.
        now = time.time()
        logs = [self._log(bucket, now) for bucket in buckets]
        marked = [self._marks.get(bucket.key, now) > now for bucket in buckets]
        results = evaluate(buckets, logs, marked, now)
        full = any(result.refused for result in results)
        for bucket, log, result in zip(buckets, logs, results, strict=True):
            if not full:
                log.append(now)
            if result.first:
                self._marks[bucket.key] = now + bucket.policy.window
        return results

    def _log(self, bucket: Bucket, now: float) -> deque[float]:
        if bucket.key not in self._logs and len(self._logs) >= self.MAX_KEYS:
            oldest = next(iter(self._logs))
            del self._logs[oldest]
            self._marks.pop(oldest, None)
        log = self._logs.setdefault(bucket.key, deque())
        while log and log[0] <= now - bucket.policy.window:
            log.popleft()
        return log


def refusal(results: Sequence[LimitResult]) -> AppError | None:
    """Return RATE_LIMITED when a bucket refuses the call, else None."""
    refused = [result for result in results if result.refused]
    if not refused:
        return None
    longest = max(refused, key=lambda result: result.wait)
    retry_after = max(math.ceil(longest.wait), 1)
    return AppError(
        ErrorCode.RATE_LIMITED,
        details={
            "policy": longest.policy.name,
            "limit": longest.policy.limit,
            "window": longest.policy.window,
            "retryAfter": retry_after,
        },
        headers={"Retry-After": str(retry_after)},
    )


def headers(results: Sequence[LimitResult]) -> dict[str, str]:
    """Return the response headers: X-RateLimit-* of the tightest policy, RateLimit* of all.

    RateLimit* follow draft-ietf-httpapi-ratelimit-headers. A policy with two subjects, such as an
    address and an account, appears once, with the tighter result.
    """
    by_policy: dict[str, LimitResult] = {}
    for result in sorted(results, key=_tightness):
        by_policy.setdefault(result.policy.name, result)
    if not by_policy:
        return {}
    tightest = next(iter(by_policy.values()))
    values = (
        str(tightest.policy.limit),
        str(tightest.remaining),
        str(tightest.resets_at),
        ", ".join(
            f'"{name}";q={v.policy.limit};w={v.policy.window}' for name, v in by_policy.items()
        ),
        ", ".join(
            f'"{name}";r={v.remaining};t={math.ceil(v.wait)}' for name, v in by_policy.items()
        ),
    )
    return dict(zip(HEADERS, values, strict=True))


def _tightness(result: LimitResult) -> tuple[int, float]:
    return result.remaining, -result.wait
