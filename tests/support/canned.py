"""Responses of upstreams with changed or missing fields, and a cache that is down."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from pydantic import SecretStr

from medianest.core.cache import Cache


class _Absent(Enum):
    """The mark of an absent field: an enum, whose repr in a test id is equal in all processes."""

    ABSENT = "absent"


ABSENT = _Absent.ABSENT


def changed(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy of an item with changed fields and without fields that are ABSENT."""
    return {name: value for name, value in (item | changes).items() if value is not ABSENT}


class NoCache(Cache):
    """A cache that is down."""

    def __init__(self) -> None:
        super().__init__(SecretStr("redis://cache.invalid"))

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> None:
        return None
