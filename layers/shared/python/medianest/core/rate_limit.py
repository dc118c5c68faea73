"""Each caller's share: policies, an exact sliding log, and what a caller gets told about it.

A policy lets a subject (a user, an address, something typed) make `limit` calls in any `window`
seconds. The log keeps the times of the calls that were let through and nothing else, so a refused
call does not prolong the wait.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from itertools import batched
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from medianest.core.caller import Caller
from medianest.core.errors import AppError, ErrorCode
from medianest.core.text import fold

if TYPE_CHECKING:
    from medianest.core.cache import Cache

type PolicyName = Literal[
    "api",
    "auth",
    "plex-pin",
    "plex-verify",
    "login",
    "password",
    "search",
    "media-request",
    "admin",
    "admin-config",
    "docs",
]
# What a policy guards decides who counts while the cache is down: each environment for itself, or
# for whatever could be guessed the database.
type Kind = Literal["general", "sign-in"]
# A policy and whom it holds.
type Ask = tuple[PolicyName, str]
type Limiter = Callable[[Sequence[Ask], Caller, UUID | None], Charge]

HEADERS = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
)
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """How many calls in how many seconds.

    An admin may set a `limit` no smaller than `least` and a `window` no longer than `longest`:
    anything tighter would lock people out. None may change a `fixed` policy.
    """

    name: PolicyName
    limit: int
    window: int
    kind: Kind
    least: int = 1
    longest: int = 86_400
    fixed: bool = False


# Section 6 of the contract.
POLICIES: Mapping[PolicyName, Policy] = {
    policy.name: policy
    for policy in (
        Policy("api", 100, 60, "general", least=20, longest=300),
        Policy("auth", 10, 60, "sign-in", least=5, longest=600),
        Policy("plex-pin", 5, 300, "sign-in", least=2, longest=900),
        # A client may poll once a second, and a second tab too now and then (RFC 8628, 3.5).
        Policy("plex-verify", 90, 60, "sign-in", least=30, longest=60),
        Policy("login", 5, 900, "sign-in", least=3, longest=3600),
        Policy("password", 3, 3600, "sign-in", least=1, longest=86400),
        Policy("search", 30, 60, "general", least=5, longest=600),
        Policy("media-request", 20, 3600, "general", least=1, longest=86400),
        Policy("admin", 100, 60, "general", least=20, longest=300),
        # A load of the API's page is six calls, of up to 1.5 MB.
        Policy("docs", 60, 60, "general", least=60, longest=60, fixed=True),
        # For the routes that change limits: no limit that they set may lock them.
        Policy("admin-config", 60, 60, "general", least=60, longest=60, fixed=True),
    )
}


@dataclass(frozen=True, slots=True)
class Share:
    """What one policy, as it holds now, leaves to one subject."""

    policy: Policy
    subject: str

    @property
    def key(self) -> str:
        """Return the name of its log.

        The braces put the keys of all policies into one slot, where one script may use them.
        """
        return f"{{rl}}:{self.policy.name}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says to a call; `first` marks the first refusal of a subject in a window."""

    policy: Policy
    remaining: int
    wait: float
    resets_at: int
    refused: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Charge:
    """A call that was charged to its shares, unless one of them refuses."""

    verdicts: list[Verdict]
    _refund: Callable[[], None]

    def check(self) -> None:
        """Raise RATE_LIMITED when a share refuses the call."""
        error = refusal(self.verdicts)
        if error is not None:
            raise error

    def refund(self) -> list[Verdict]:
        """Take the charge back; return what the shares leave then."""
        self._refund()
        return [replace(verdict, remaining=verdict.remaining + 1) for verdict in self.verdicts]


def network(ip: str) -> str:
    """Return the address that counts: of IPv6 the /64, which a household has to itself."""
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    start = int(address) >> _IPV6_PREFIX << _IPV6_PREFIX
    return f"{IPv6Address(start)}/{_IPV6_PREFIX}"


def digest(typed: str) -> str:
    """Return what stands for something a caller typed: whoever reads a key cannot use it.

    What a person would call the same (`Ann@x`, ` ann@X`) is the same.
    """
    return sha256(fold(typed).encode()).hexdigest()


# KEYS: the log and the mark of a refusal of each share; ARGV: a unique member for the logs, then
# the limit and the window (in microseconds) of each share. Answers with the time, and for each
# share whether it refuses, what remains, the microseconds until a place gets free, and whether
# this is the first refusal. All or nothing: when one share refuses, none is charged.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = false
for i = 1, #KEYS, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - ARGV[i + 2])
  full = full or redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 1])
end
local answer = {now}
for i = 1, #KEYS, 2 do
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
    answer[#answer + 1] = value
  end
end
return answer
"""


# KEYS: logs; ARGV: the member that a call added to each.
_REFUND = """
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
return {}
"""


def take_from_cache(cache: Cache, shares: Sequence[Share], member: str) -> list[Verdict] | None:
    """Charge a call to its shares as a unique `member`, unless one refuses.

    None when the cache is down.
    """
    keys = [key for share in shares for key in (share.key, f"{share.key}:refused")]
    bounds = [
        number
        for share in shares
        for number in (share.policy.limit, share.policy.window * 1_000_000)
    ]
    answer = cache.run(SCRIPT, keys, [member, *bounds])
    if answer is None:
        return None
    now, *numbers = answer
    return [
        Verdict(
            policy=share.policy,
            remaining=remaining,
            wait=wait / 1e6,
            resets_at=math.ceil((now + wait) / 1e6),
            refused=bool(refused),
            first=bool(first),
        )
        for share, (refused, remaining, wait, first) in zip(
            shares, batched(numbers, 4, strict=True), strict=True
        )
    ]


def refund_to_cache(cache: Cache, shares: Sequence[Share], member: str) -> None:
    """Take a call out of the logs it was charged to."""
    cache.run(_REFUND, [share.key for share in shares], [member])


def judge(
    shares: Sequence[Share], logs: Sequence[Sequence[float]], marked: Sequence[bool], now: float
) -> list[Verdict]:
    """Decide as the script does, from the logs themselves.

    A log has the times within its window, oldest first; `marked` says which subjects have been
    refused in it already.
    """
    full = any(len(log) >= share.policy.limit for share, log in zip(shares, logs, strict=True))
    verdicts = []
    for share, log, was_refused in zip(shares, logs, marked, strict=True):
        limit = share.policy.limit
        refused = len(log) >= limit
        times = log if full else [*log, now]
        oldest = times[max(len(times) - limit, 0)] if times else now - share.policy.window
        wait = oldest + share.policy.window - now
        verdicts.append(
            Verdict(
                policy=share.policy,
                remaining=max(limit - len(times), 0),
                wait=wait,
                resets_at=math.ceil(now + wait),
                refused=refused,
                first=refused and not was_refused,
            )
        )
    return verdicts


class MemoryLog:
    """The logs of one environment, for as long as the cache is down."""

    # Whoever has enough addresses to fill this is beyond what one environment could hold off.
    MAX_KEYS = 10_000

    def __init__(self) -> None:
        self._logs: dict[str, deque[float]] = {}
        self._marks: dict[str, float] = {}

    def take(self, shares: Sequence[Share]) -> list[Verdict]:
        """Charge a call to its shares, unless one refuses."""
        # Not monotonic(), which may stand still while an environment is frozen.
        now = time.time()
        logs = [self._log(share, now) for share in shares]
        marked = [self._marks.get(share.key, now) > now for share in shares]
        verdicts = judge(shares, logs, marked, now)
        full = any(verdict.refused for verdict in verdicts)
        for share, log, verdict in zip(shares, logs, verdicts, strict=True):
            if not full:
                log.append(now)
            if verdict.first:
                self._marks[share.key] = now + share.policy.window
        return verdicts

    def _log(self, share: Share, now: float) -> deque[float]:
        if share.key not in self._logs and len(self._logs) >= self.MAX_KEYS:
            oldest = next(iter(self._logs))
            del self._logs[oldest]
            self._marks.pop(oldest, None)
        log = self._logs.setdefault(share.key, deque())
        while log and log[0] <= now - share.policy.window:
            log.popleft()
        return log


def refusal(verdicts: Sequence[Verdict]) -> AppError | None:
    """Return the error for a call that a policy refuses, None when all let it through."""
    refused = [verdict for verdict in verdicts if verdict.refused]
    if not refused:
        return None
    longest = max(refused, key=lambda verdict: verdict.wait)
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


def headers(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Return what a caller gets told: X-RateLimit-… of the tightest policy, RateLimit… of all.

    The latter as in draft-ietf-httpapi-ratelimit-headers. A policy that holds a call by two
    subjects, such as an address and an account, is named once, by the tighter of both.
    """
    by_policy: dict[str, Verdict] = {}
    for verdict in sorted(verdicts, key=_tightness):
        by_policy.setdefault(verdict.policy.name, verdict)
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


def _tightness(verdict: Verdict) -> tuple[int, float]:
    return verdict.remaining, -verdict.wait
