"""Strict parsing of JSON bodies: valid UTF-8, unambiguous, and safe to store in PostgreSQL."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fastapi import Request

from medianest.api.event import REPLACEMENT
from medianest.core.error_codes import ErrorCode


class MalformedJsonError(Exception):
    """The body is not acceptable JSON; the message has the reason."""


class RejectedBody(NamedTuple):
    """A body that is not acceptable JSON: the error code and the reason."""

    code: ErrorCode
    reason: str


_UNSUPPORTED = RejectedBody(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body is not JSON in UTF-8")
# No schema accepts an empty tuple. FastAPI would read the attributes of a custom object as fields.
_REJECTED_VALUE = ()


class JsonRequest(Request):
    """A request whose body is parsed strictly.

    A rejected body is stored in the request's state instead of raised. Validation reports it after
    authentication, so an unauthenticated caller gets only JWT_INVALID.
    """

    async def json(self) -> Any:
        """Return the parsed body, or for a rejected one a value that no schema accepts."""
        body = await self.body()
        if not _is_json(self.headers.get("content-type", "")):
            if body:
                self.state.rejected_body = _UNSUPPORTED
            return _REJECTED_VALUE
        try:
            return parse_json(body)
        except MalformedJsonError as error:
            self.state.rejected_body = RejectedBody(ErrorCode.VALIDATION_ERROR, str(error))
            return _REJECTED_VALUE


def rejected_body(request: Request, problems: Iterable[Mapping[str, Any]]) -> RejectedBody | None:
    """Return the rejection of the request's body, None when it was accepted or never read.

    `problems` are FastAPI's validation errors. Their input is bytes when FastAPI did not parse the
    body, because its media type is not JSON.
    """
    if any(item["loc"] == ("body",) and isinstance(item["input"], bytes) for item in problems):
        return _UNSUPPORTED
    rejected: RejectedBody | None = getattr(request.state, "rejected_body", None)
    return rejected


def _is_json(content_type: str) -> bool:
    """Return whether the media type is JSON in UTF-8, which is also the default charset."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip().strip('"') for name, _, value in pairs if name.strip() == "charset"}
    return media_type.strip() == "application/json" and charsets <= {"utf-8", "utf8"}


def parse_json(body: bytes) -> Any:
    """Parse unambiguous JSON that PostgreSQL can store; raises MalformedJsonError.

    Rejects encodings other than UTF-8, duplicate keys, NaN and infinities, the NUL character, lone
    surrogates, U+FFFD (API Gateway replaces invalid UTF-8 with it), numbers with thousands of
    digits, and nesting past the recursion limit.
    """
    try:
        parsed = json.loads(
            body.decode(),
            object_pairs_hook=_unique_keys,
            parse_constant=_reject_constant,
            parse_float=_parse_finite,
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
                    "The body is not valid UTF-8: it contains the replacement character U+FFFD"
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


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJsonError("A number is too large")
    return number


def _reject_constant(name: str) -> None:
    raise MalformedJsonError(f"{name} is not JSON")
