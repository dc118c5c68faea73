"""Which URLs and addresses that a person typed the service may call.

`ipaddress.is_global` accepts multicast, addresses that contain another one (6to4, Teredo, NAT64,
IPv4-compatible), and ranges that are out of use, each of which can lead to a private address.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
_FIRST_FREE_PORT = 1024
_MAX_URL = 500
# Visible ASCII without the characters that parsers of URLs understand differently.
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]*")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NOT_PUBLIC_V4 = [IPv4Network(each) for each in ("192.0.0.0/24", "192.88.99.0/24")]
# IANA allocates addresses of hosts from here only.
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = [
    IPv6Network(each)
    # Special purposes with Teredo, documentation, 6to4, documentation.
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_PRIVATE_V4 = [
    IPv4Network(each) for each in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
]
_PRIVATE_V6 = [IPv6Network(each) for each in ("::1/128", "fc00::/7")]


class RefusedAddressError(Exception):
    """The service does not call this address; the message says nothing of what is there."""


class Target(NamedTuple):
    """The parts of an accepted URL; `host` is ASCII, and has no brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Return the URL in its normal form, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def target_of(url: str, *, allow_private: bool) -> Target:
    """Return the parts of a URL; raises RefusedAddressError. It resolves no name."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedAddressError("The address is not a URL") from None
    # urlsplit() removes line breaks and tabs, and leading spaces.
    if len(url) > _MAX_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise RefusedAddressError("The address is too long or has characters that no URL has")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise RefusedAddressError("The address must start with https://")
    if "@" in parts.netloc:
        raise RefusedAddressError("The address must not have credentials")
    if "?" in url or "#" in url or not _PATH.fullmatch(parts.path):
        raise RefusedAddressError("The address must not have a query or a fragment")
    if {".", ".."} & set(re.sub("%2e", ".", parts.path, flags=re.IGNORECASE).split("/")):
        raise RefusedAddressError("The address must not have . or .. in its path")
    number = _PORTS[parts.scheme] if port is None else port
    if number != _PORTS[parts.scheme] and number < _FIRST_FREE_PORT:
        raise RefusedAddressError("The port must be 443, or from 1024 to 65535")
    name = _checked_host(host, allow_private=allow_private)
    return Target(parts.scheme, name, number, parts.path.rstrip("/"))


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Return whether the service may connect to an IP address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        is_private = any(parsed in network for network in _PRIVATE_V4)
        is_public = _is_public_v4(parsed)
    else:
        is_private = any(parsed in network for network in _PRIVATE_V6)
        is_public = _is_public_v6(parsed)
    return is_public or (allow_private and is_private)


def _checked_host(host: str, *, allow_private: bool) -> str:
    name = _ascii(host.removesuffix("."))
    # The resolver also takes 2130706433, 0x7f.1 and 0177.0.0.1 for addresses.
    if ":" in name or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]):
        if not is_allowed(name, allow_private=allow_private):
            raise RefusedAddressError("The address is refused")
        return str(ip_address(name))
    if not _NAME.fullmatch(name):
        raise RefusedAddressError("The address has no valid host name")
    if "." not in name and not allow_private:
        raise RefusedAddressError("The address is refused")
    return name


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    # Few addresses need it, and its tables are large.
    import idna

    try:
        return idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError:
        raise RefusedAddressError("The address has no valid host name") from None


def _is_public_v4(address: IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC_V4)
    )


def _is_public_v6(address: IPv6Address) -> bool:
    return (
        address in _PUBLIC_V6
        and address.is_global
        and address.scope_id is None
        and not any(address in network for network in _NOT_PUBLIC_V6)
    )
