"""Rate-limit policies, and the subjects that they limit.

A policy allows a subject (a user, an IP address, a text that a caller typed) `limit` calls in any
`window` seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Literal, NamedTuple
from uuid import UUID

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
    "server-test",
    "docs",
]
# The place where calls are counted while the cache is down: the memory of each environment, or the
# database for policies that protect secrets from guessing.
type Fallback = Literal["memory", "database"]
# A policy and its subject: the id of a user, or the text of an address or of a digest.
type LimitKey = tuple[PolicyName, UUID | str]

_IPV6_PREFIX = 64


class Policy(NamedTuple):
    """A number of calls in a window of seconds.

    An admin can set `limit` to at least `min_limit` and `window` to at most `max_window`. Stricter
    values would lock users out. A `fixed` policy cannot be changed. API Gateway applies `throttle`
    (calls per second, burst) to a route with the policy, for all callers together.
    """

    name: PolicyName
    limit: int
    window: int
    fallback: Fallback
    min_limit: int = 1
    max_window: int = 86_400
    fixed: bool = False
    throttle: tuple[int, int] | None = None


# The policies of section 6 of the contract.
POLICIES: Mapping[PolicyName, Policy] = {
    policy.name: policy
    for policy in (
        Policy("api", 100, 60, "memory", min_limit=20, max_window=300),
        Policy("auth", 10, 60, "database", min_limit=5, max_window=600),
        Policy("plex-pin", 5, 300, "database", min_limit=2, max_window=900, throttle=(5, 10)),
        # A client may poll once a second, sometimes in two tabs (RFC 8628, section 3.5).
        Policy("plex-verify", 90, 60, "database", min_limit=30, max_window=60, throttle=(50, 100)),
        Policy("login", 5, 900, "database", min_limit=3, max_window=3600, throttle=(5, 10)),
        Policy("password", 3, 3600, "database", min_limit=1, max_window=86400, throttle=(5, 10)),
        Policy("search", 30, 60, "memory", min_limit=5, max_window=600, throttle=(50, 100)),
        Policy(
            "media-request", 20, 3600, "memory", min_limit=1, max_window=86400, throttle=(20, 40)
        ),
        Policy("admin", 100, 60, "memory", min_limit=20, max_window=300, throttle=(20, 40)),
        # Each test calls the server of an admin, for up to 8 seconds.
        Policy(
            "server-test",
            10,
            60,
            "memory",
            min_limit=10,
            max_window=60,
            fixed=True,
            throttle=(20, 40),
        ),
        # Loading the page of the API document takes six calls, of up to 1.5 MB.
        Policy(
            "docs", 60, 60, "memory", min_limit=60, max_window=60, fixed=True, throttle=(10, 20)
        ),
        # For the routes that change limits. It is fixed, so that no setting can block the routes
        # that would correct it.
        Policy(
            "admin-config",
            60,
            60,
            "memory",
            min_limit=60,
            max_window=60,
            fixed=True,
            throttle=(20, 40),
        ),
    )
}


def network(ip: str) -> str:
    """Return the subject of an IP address; for IPv6 the /64, the usual size of one customer."""
    if ":" not in ip:
        return ip
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    start = int(address) >> _IPV6_PREFIX << _IPV6_PREFIX
    return f"{IPv6Address(start)}/{_IPV6_PREFIX}"


def digest(typed: str) -> str:
    """Return a digest of a text that a caller typed, so that a key does not reveal the text.

    Equivalent spellings (`Ann@x`, ` ann@X`) have the same digest.
    """
    return sha256(fold(typed).encode()).hexdigest()
