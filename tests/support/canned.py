"""Responses of upstreams with changed or missing fields, and a cache that is down."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from pydantic import SecretStr

from medianest.core.cache import Cache


class _Gone(Enum):
    """Mark a missing field; an enum has the same repr, hence the same test id, in every process."""

    GONE = "gone"


GONE = _Gone.GONE


def changed(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy of an item with changed fields and without those that are GONE."""
    return {name: value for name, value in (item | changes).items() if value is not GONE}


class NoCache(Cache):
    """A cache that is down."""

    def __init__(self) -> None:
        super().__init__(SecretStr("redis://cache.invalid"))

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> None:
        return None
