"""The environment variables: read once, validated together, with all errors reported at once."""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from medianest.core.variables import Environment

# Error messages quote at most this much of an invalid value.
_MAX_QUOTED_CHARS = 60


class ConfigurationError(Exception):
    """The environment is invalid; the message lists all problems."""

    def __init__(self, *problems: str) -> None:
        super().__init__("Bad configuration: " + "; ".join(problems))
        self.problems = problems


def load(environ: Mapping[str, str], *required: str) -> Environment:
    """Read the environment; raises ConfigurationError with every missing or invalid variable."""
    values = {
        name: environ[name.upper()]
        for name in Environment.model_fields
        if environ.get(name.upper())
    }
    problems = [f"{name} is required" for name in required if name.lower() not in values]
    parsed = None
    try:
        parsed = Environment.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = str(item["loc"][0])
            # Messages of `variables` are written for operators; those of pydantic are not.
            is_from_validator = item["type"] == "value_error"
            expected = (
                item["msg"].removeprefix("Value error, ")
                if is_from_validator
                else _expected_values(name)
            )
            problems.append(f"{name.upper()} {expected}{_quoted_value(name, values[name])}")
    if parsed is None or problems:
        raise ConfigurationError(*sorted(problems))
    return parsed


def is_secret(field: FieldInfo) -> bool:
    """Return whether a variable is a secret, whose value must not be shown."""
    return SecretStr in get_args(field.annotation)


def bounds(field: FieldInfo) -> tuple[float, float] | None:
    """Return the minimum and the maximum of a number, None for any other variable."""
    constraints = {type(item).__name__: item for item in field.metadata}
    return (constraints["Ge"].ge, constraints["Le"].le) if "Ge" in constraints else None


def unit(name: str) -> str:
    """Return the unit of a variable that is a number."""
    return "MB" if name.lower().endswith("_mb") else "seconds"


def _expected_values(name: str) -> str:
    """Describe the valid values of a variable, from its type."""
    field = Environment.model_fields[name]
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"must be {', '.join(others)} or {last}"
    minimum, maximum = bounds(field) or (0, 0)
    kind = "whole number" if field.annotation is int else "number"
    return f"must be a {kind} of {unit(name)} from {minimum:.9g} to {maximum:.9g}"


def _quoted_value(name: str, value: str) -> str:
    """Quote an invalid value, unless it is a secret or a URL that may contain one."""
    if is_secret(Environment.model_fields[name]) or "@" in value:
        return ""
    shortened = value if len(value) <= _MAX_QUOTED_CHARS else f"{value[:_MAX_QUOTED_CHARS]}…"
    return f", not {json.dumps(shortened, ensure_ascii=False)}"


@cache
def environment() -> Environment:
    """Return the environment of this process, read once."""
    return load(os.environ)


def require(*names: str) -> None:
    """Raise ConfigurationError when one of `names` is missing or any variable is invalid."""
    load(os.environ, *names)
