"""Rate-limit policies, and the subjects that they count.

A policy lets a subject (a user, an address, a text that a caller typed) make `limit` calls in any
`window` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Literal

from medianest.core.text import fold

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
# Where calls are counted while the cache is down: in the memory of each environment, or, where a
# caller could guess secrets, in the database.
type Fallback = Literal["memory", "database"]
# A policy and its subject.
type LimitKey = tuple[PolicyName, str]

_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """How many calls in how many seconds.

    An admin may set a `limit` no smaller than `least` and a `window` no longer than `longest`:
    anything tighter would lock people out. None may change a `fixed` policy. `throttle` is what API
    Gateway lets through of a route with the policy, for all callers together: calls a second, and
    the burst above it.
    """

    name: PolicyName
    limit: int
    window: int
    fallback: Fallback
    least: int = 1
    longest: int = 86_400
    fixed: bool = False
    throttle: tuple[int, int] | None = None


# Section 6 of the contract.
POLICIES: Mapping[PolicyName, Policy] = {
    policy.name: policy
    for policy in (
        Policy("api", 100, 60, "memory", least=20, longest=300),
        Policy("auth", 10, 60, "database", least=5, longest=600),
        Policy("plex-pin", 5, 300, "database", least=2, longest=900, throttle=(5, 10)),
        # A client may poll once a second, and a second tab too now and then (RFC 8628, 3.5).
        Policy("plex-verify", 90, 60, "database", least=30, longest=60, throttle=(50, 100)),
        Policy("login", 5, 900, "database", least=3, longest=3600, throttle=(5, 10)),
        Policy("password", 3, 3600, "database", least=1, longest=86400, throttle=(5, 10)),
        Policy("search", 30, 60, "memory", least=5, longest=600, throttle=(50, 100)),
        Policy("media-request", 20, 3600, "memory", least=1, longest=86400, throttle=(20, 40)),
        Policy("admin", 100, 60, "memory", least=20, longest=300, throttle=(20, 40)),
        # A load of the API's page is six calls, of up to 1.5 MB.
        Policy("docs", 60, 60, "memory", least=60, longest=60, fixed=True, throttle=(10, 20)),
        # For the routes that change limits: no limit that they set may lock them.
        Policy(
            "admin-config", 60, 60, "memory", least=60, longest=60, fixed=True, throttle=(20, 40)
        ),
    )
}


def network(ip: str) -> str:
    """Return the address to count by: for IPv6 the /64, which one household has."""
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    start = int(address) >> _IPV6_PREFIX << _IPV6_PREFIX
    return f"{IPv6Address(start)}/{_IPV6_PREFIX}"


def digest(typed: str) -> str:
    """Return a digest of a text that a caller typed, so that a key reveals nothing.

    Spellings that a person reads as the same (`Ann@x`, ` ann@X`) have one digest.
    """
    return sha256(fold(typed).encode()).hexdigest()
