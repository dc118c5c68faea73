"""Tolerant parsing of upstream responses: invalid optional fields are treated as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from medianest.core.observability import logger
from medianest.core.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Bounds the log lines for a response with many invalid items.
MAX_LOGGED = 20
MAX_ID_CHARS = 64


class Wire(BaseModel):
    """Base of models of upstream JSON: fields without a default are required."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Reader:
    """A parser of one response, which logs each dropped item or field without its value.

    A log line identifies the item by the first of `id_fields` that it has.
    """

    def __init__(self, host: str, path: str, id_fields: Sequence[str]) -> None:
        self._host = host
        self._path = path
        self._id_fields = id_fields
        self._logged = 0

    def read[T: Wire](self, model: type[T], value: object) -> T:
        """Parse one object; an invalid optional field is treated as absent.

        Raises ValidationError when the value is no object or a required field is invalid.
        """
        try:
            return model.model_validate(value)
        except ValidationError as error:
            problems = _problems(error)
            optional = {
                name for name, field in model.model_fields.items() if not field.is_required()
            }
            if not isinstance(value, dict) or not problems.keys() <= optional:
                raise
            for name, reason in problems.items():
                self._log("upstream_field_dropped", value, f"{name}: {reason}")
            return model.model_validate({key: value[key] for key in value if key not in problems})

    def read_each[T: Wire](self, model: type[T], values: Iterable[object]) -> list[T]:
        """Parse each item of a list; invalid items are dropped."""
        result = []
        for value in values:
            try:
                result.append(self.read(model, value))
            except ValidationError as error:
                self.drop(value, cause_of(error))
        return result

    def drop(self, item: object, cause: str) -> None:
        """Log that an item is dropped."""
        self._log("upstream_item_dropped", item, cause)

    def _log(self, event: str, item: object, cause: str) -> None:
        self._logged += 1
        if self._logged <= MAX_LOGGED:
            logger.warning(
                event,
                extra={
                    "host": self._host,
                    "path": self._path,
                    "item": _id_of(item, self._id_fields),
                    "cause": cause,
                },
            )


def cause_of(error: ValidationError) -> str:
    """Return the invalid fields with their error types; pydantic's message contains values."""
    problems = _problems(error)
    if not problems:
        return ", ".join(problem["type"] for problem in error.errors(include_input=False))
    return ", ".join(f"{name}: {reason}" for name, reason in problems.items())


def _problems(error: ValidationError) -> dict[str, str]:
    """Return the first problem of each field; empty when the value is no object."""
    result: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        if problem["loc"]:
            result.setdefault(str(problem["loc"][0]), problem["type"])
    return result


def _id_of(item: object, fields: Sequence[str]) -> Any:
    """Return the id of an item, None when it has none."""
    if isinstance(item, dict):
        for name in fields:
            value = item.get(name)
            if isinstance(value, str):
                return clean(value)[:MAX_ID_CHARS]
            if isinstance(value, int) and abs(value) < 2**63:
                return value
    return None
