"""Defensive reading of responses: an odd detail counts as absent, an odd essence is an error."""

from typing import Any

from medianest.arr.models import ArrError
from medianest.core.text import has_controls

# The largest id of Radarr, Sonarr and TheTVDB, and of a column of PostgreSQL.
_MAX_ID = 2**31 - 1


def objects(body: Any, what: str) -> list[dict[str, Any]]:
    """Return the objects of a list; raises ArrError when it is no list."""
    if not isinstance(body, list):
        raise invalid(what)
    return [each for each in body if isinstance(each, dict)]


def number(value: Any, most: int = _MAX_ID) -> int | None:
    """Return a whole number from 0 to `most`, else None."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= most else None


def text(value: Any) -> str | None:
    """Return a text that is not empty and that PostgreSQL can store, else None."""
    return value if isinstance(value, str) and value and not has_controls(value) else None


def required_id(fields: dict[str, Any], what: str) -> int:
    """Return the id of an object of the server; raises ArrError without one."""
    found = number(fields.get("id"))
    if not found:
        raise invalid(what)
    return found


def ids(value: Any, what: str) -> list[int]:
    """Return a list of ids, empty when it is absent; raises ArrError for anything else.

    It is written back, so an entry that is left out would be lost.
    """
    if value is None:
        return []
    if not isinstance(value, list) or any(number(each) is None for each in value):
        raise invalid(what)
    return value


def invalid(what: str) -> ArrError:
    """Return the error for a response without its essence."""
    return ArrError("unreachable", "RESPONSE_INVALID", f"{what} has an unexpected form")
