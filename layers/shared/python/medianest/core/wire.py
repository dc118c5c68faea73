"""Defensive models of upstream answers: the essence must be right, decoration may be odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from medianest.core.observability import logger
from medianest.core.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

# An answer that is odd throughout must not fill the log.
MAX_LOGGED = 20
MAX_ID_CHARS = 64
_IDS = ("id", "clientIdentifier", "season_number")


class Wire(BaseModel):
    """Fields of an upstream's JSON: those without a default are essential, all others adorn."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Reader:
    """Reads one answer, and logs what it drops: where, of which item, and why, but no value."""

    def __init__(self, host: str, path: str) -> None:
        self._host = host
        self._path = path
        self._logged = 0

    def read[T: Wire](self, model: type[T], value: object) -> T:
        """Read one object; a decorative field that makes no sense is as good as absent.

        Raises ValidationError for what is no object or lacks something essential.
        """
        try:
            return model.model_validate(value)
        except ValidationError as error:
            odd = _problems(error)
            decorative = {
                name for name, field in model.model_fields.items() if not field.is_required()
            }
            if not isinstance(value, dict) or not odd.keys() <= decorative:
                raise
            for name, why in odd.items():
                self._log("upstream_field_dropped", value, f"{name}: {why}")
            return model.model_validate({key: value[key] for key in value if key not in odd})

    def read_each[T: Wire](self, model: type[T], values: Iterable[object]) -> list[T]:
        """Read those items of a list that make sense; one that does not is dropped alone."""
        found = []
        for value in values:
            try:
                found.append(self.read(model, value))
            except ValidationError as error:
                self.drop(value, cause_of(error))
        return found

    def drop(self, item: object, cause: str) -> None:
        """Log that an item is left out."""
        self._log("upstream_item_dropped", item, cause)

    def _log(self, event: str, item: object, cause: str) -> None:
        self._logged += 1
        if self._logged <= MAX_LOGGED:
            logger.warning(
                event,
                extra={
                    "host": self._host,
                    "path": self._path,
                    "item": _id_of(item),
                    "cause": cause,
                },
            )


def cause_of(error: ValidationError) -> str:
    """Return which fields are wrong and why; pydantic's own text would have their values."""
    problems = _problems(error)
    if not problems:
        return ", ".join(problem["type"] for problem in error.errors(include_input=False))
    return ", ".join(f"{name}: {why}" for name, why in problems.items())


def _problems(error: ValidationError) -> dict[str, str]:
    """Return the first problem of each field; nothing for what is no object."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        if problem["loc"]:
            found.setdefault(str(problem["loc"][0]), problem["type"])
    return found


def _id_of(item: object) -> Any:
    """Return what tells an item apart, where it has such a thing."""
    if isinstance(item, dict):
        for name in _IDS:
            value = item.get(name)
            if isinstance(value, str):
                return clean(value)[:MAX_ID_CHARS]
            if isinstance(value, int) and abs(value) < 2**63:
                return value
    return None
