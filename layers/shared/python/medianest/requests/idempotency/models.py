"""Rows of `idempotency_keys`."""

from typing import NamedTuple


class Replay(NamedTuple):
    """The first use of an idempotency key: the digest of the body, and the response."""

    fingerprint: bytes
    response: dict[str, object]
