"""Strict JSON bodies: UTF-8 that means one thing and that PostgreSQL can store."""

import json
import math
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from medianest.api.event import REPLACEMENT


class MalformedJsonError(Exception):
    """The body is not acceptable JSON; the message says why."""


@dataclass(frozen=True, slots=True)
class RejectedBody:
    """A body that is not acceptable JSON, and the reason."""

    reason: str


class JsonRequest(Request):
    """A request whose body is parsed strictly.

    A body that is rejected is noted in the request's state and not raised: validation reports it,
    which runs after authentication, so that a stranger learns nothing about the body.
    """

    async def json(self) -> Any:
        """Return the parsed body, bytes of another type, or a value that no schema accepts."""
        body = await self.body()
        if not _is_json(self.headers.get("content-type", "")):
            return body
        try:
            return parse_json(body)
        except MalformedJsonError as error:
            self.state.rejected_body = RejectedBody(str(error))
            # A builtin: FastAPI reads the attributes of any other object as fields.
            return ()


def rejected_body(request: Request) -> RejectedBody | None:
    """Return why the request's body was rejected, None when it was parsed or never read."""
    rejected: RejectedBody | None = getattr(request.state, "rejected_body", None)
    return rejected


def _is_json(content_type: str) -> bool:
    """Tell whether a body is declared as JSON in UTF-8, which is what no charset means too."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip().strip('"') for name, _, value in pairs if name.strip() == "charset"}
    return media_type.strip() == "application/json" and charsets <= {"utf-8", "utf8"}


def parse_json(body: bytes) -> Any:
    """Parse JSON that PostgreSQL can keep and that means one thing; raises MalformedJsonError.

    Refused: other encodings than UTF-8, duplicate keys, NaN and infinities, the NUL character,
    lone surrogates, U+FFFD (API Gateway puts it where bytes are not UTF-8), numbers of thousands of
    digits, nesting past the recursion limit.
    """
    try:
        parsed = json.loads(
            body.decode(),
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_text(parsed)
    except UnicodeDecodeError as error:
        raise MalformedJsonError("The body is not valid UTF-8") from error
    except UnicodeEncodeError as error:
        raise MalformedJsonError("A lone surrogate is not allowed") from error
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"The body is not valid JSON: {error.msg}") from error
    except ValueError as error:
        raise MalformedJsonError("A number has too many digits") from error
    except RecursionError as error:
        raise MalformedJsonError("The body is nested too deeply") from error
    return parsed


def _check_text(value: Any) -> None:
    match value:
        case str():
            value.encode()
            if "\0" in value:
                raise MalformedJsonError("The NUL character is not allowed")
            if REPLACEMENT in value:
                raise MalformedJsonError(
                    "The body is not valid UTF-8: it has U+FFFD where a character was unreadable"
                )
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)
        case list():
            for item in value:
                _check_text(item)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise MalformedJsonError("A key occurs twice in one object")
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJsonError("A number is too large")
    return number


def _no_constant(name: str) -> None:
    raise MalformedJsonError(f"{name} is not JSON")
