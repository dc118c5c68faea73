"""Errors for callers: an exception with a code of `error_codes`."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from medianest.core.error_codes import REGISTRY, ErrorCode, ErrorSpec

# Bounds the response and the log line for a body with thousands of invalid fields.
MAX_DETAILS = 20
MAX_FIELD_CHARS = 100


class AppError(Exception):
    """An error for the caller; `api.errors` converts it to an error response."""

    def __init__(
        self,
        code: ErrorCode,
        *,
        message: str | None = None,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        # The registry's message is the default.
        self.message = message or REGISTRY[code].message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def spec(self) -> ErrorSpec:
        """Return the registry's entry for this error's code."""
        return REGISTRY[self.code]


def invalid(field: str, *messages: str) -> AppError:
    """Return the VALIDATION_ERROR for one field, a dotted path such as `body.name`."""
    return invalid_fields((field, message) for message in messages)


def invalid_fields(problems: Iterable[tuple[str, str]]) -> AppError:
    """Return the VALIDATION_ERROR for problems, each a field and a message."""
    return AppError(
        ErrorCode.VALIDATION_ERROR,
        details=[
            {"field": field[:MAX_FIELD_CHARS], "message": message}
            for field, message in islice(problems, MAX_DETAILS)
        ],
    )


def invalid_token() -> AppError:
    """Return the error for every missing, malformed, expired or revoked credential."""
    return AppError(ErrorCode.JWT_INVALID, headers={"WWW-Authenticate": "Bearer"})
