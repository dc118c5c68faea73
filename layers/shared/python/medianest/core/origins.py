"""The origin of the page, and the secret that proves a call of its distribution."""

import json
import re
from typing import Any

from medianest.core.addresses import split_url

# Names of this machine, each of which is another origin for a browser.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_PROOFS = 2
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
# It is sent as a header, which allows visible ASCII only.
_PROOF = re.compile(r"[!-~]{32,1000}")


def origin_of(url: str) -> str:
    """Return a URL without a path as browsers send it in `Origin`; raises ValueError."""
    parts = split_url(url)
    if parts is None or "@" in parts.netloc or url != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("must be an origin such as https://media.example.org, without a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.netloc)):
        raise ValueError("must start with https://, or for this machine with http://127.0.0.1")
    return canonical(url)


def canonical(origin: str) -> str:
    """Return an origin as browsers send it: in lower case, without the default port."""
    scheme, _, netloc = origin.lower().partition("://")
    return f"{scheme}://{netloc.removesuffix(_DEFAULT_PORTS.get(scheme, '/'))}"


def is_loopback(netloc: str) -> bool:
    """Return whether a host, with or without a port, is this machine."""
    return _host(netloc).lower() in LOOPBACK


def same_page(origin: str) -> frozenset[str]:
    """Return the origins of the page at `origin`: for a local one, by each name of this machine."""
    scheme, _, netloc = origin.partition("://")
    host = _host(netloc)
    if host not in LOOPBACK:
        return frozenset({origin})
    return frozenset(f"{scheme}://{name}{netloc.removeprefix(host)}" for name in LOOPBACK)


def proofs(secret: str) -> tuple[str, ...]:
    """Return the valid values in an ORIGIN_VERIFY_SECRET; raises ValueError.

    It is one value, or while it rotates `{"send": VALUE, "accept": [VALUE]}`: the distribution
    sends the first one, and the functions accept both.
    """
    values: list[Any] = [secret]
    if secret.startswith("{"):
        try:
            parts = json.loads(secret)
            values = [parts["send"], *parts.get("accept", [])]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError('must be a value or {"send": VALUE, "accept": [VALUE]}') from error
    if len(values) > MAX_PROOFS or not all(
        isinstance(value, str) and _PROOF.fullmatch(value) for value in values
    ):
        raise ValueError(
            f"must have at most {MAX_PROOFS} values, each of at least 32 visible ASCII characters;"
            " `openssl rand -hex 32` generates one"
        )
    return tuple(values)


def _host(netloc: str) -> str:
    return re.sub(r":\d+$", "", netloc)
