"""Messages for invalid input, because pydantic's expose Python types and regular expressions."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from medianest.core.errors import AppError, invalid_fields

type Context = Mapping[str, Any]

# By the error type of pydantic (https://docs.pydantic.dev/latest/errors/validation_errors/).
MESSAGES: Mapping[str, str | Callable[[Context], str]] = {
    "missing": "Required",
    "extra_forbidden": "Unknown field",
    "value_error": lambda context: str(context["error"]),
    "model_type": "Must be an object",
    "model_attributes_type": "Must be an object",
    "dict_type": "Must be an object",
    "list_type": "Must be a list",
    "bool_type": "Must be true or false",
    "int_type": "Must be a whole number",
    "int_from_float": "Must be a whole number",
    "int_parsing": "Must be a whole number",
    "int_parsing_size": "Must be a whole number of fewer digits",
    "string_type": "Must be a string",
    "string_pattern_mismatch": "Has a character that is not allowed",
    "greater_than": lambda context: f"Must be greater than {context['gt']}",
    "greater_than_equal": lambda context: f"Must be at least {context['ge']}",
    "less_than": lambda context: f"Must be less than {context['lt']}",
    "less_than_equal": lambda context: f"Must be at most {context['le']}",
    "string_too_short": lambda context: _at_least(context["min_length"], "character"),
    "string_too_long": lambda context: _at_most(context["max_length"], "character"),
    "too_short": lambda context: _at_least(context["min_length"], "item"),
    "too_long": lambda context: _at_most(context["max_length"], "item"),
    "literal_error": lambda context: _one_of(context["expected"]),
    "enum": lambda context: _one_of(context["expected"]),
}
_DEFAULT = "Has a value that is not allowed here"


def invalid_value(problems: Iterable[Mapping[str, Any]], *path: str) -> AppError:
    """Return the VALIDATION_ERROR for pydantic's errors about the value at `path`."""
    return invalid_fields(
        (".".join(map(str, (*path, *problem["loc"]))), message_of(problem)) for problem in problems
    )


def message_of(problem: Mapping[str, Any]) -> str:
    """Return the message for one error of pydantic."""
    template = MESSAGES.get(problem["type"], _DEFAULT)
    return template if isinstance(template, str) else template(problem["ctx"])


def _at_least(number: int, noun: str) -> str:
    return "Must not be empty" if number == 1 else f"Must have at least {number} {noun}s"


def _at_most(number: int, noun: str) -> str:
    return f"Must have at most {number} {noun}{'' if number == 1 else 's'}"


def _one_of(expected: str) -> str:
    """Return the message for the choices in a text like `'a', 'b' or 'c'`."""
    return f"Must be one of: {', '.join(re.findall(r"'([^']*)'", expected))}"
