"""Generate docs/errors.md: codes, HTTP statuses and validation errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from medianest.core.error_codes import REGISTRY, ErrorCode
from medianest.core.errors import MAX_DETAILS
from medianest.core.validation import MESSAGES
from tools.docs.openapi_components import ERROR_HEADERS

_HEAD = """\
# Errors

Generated from `medianest/core/error_codes.py` and `core/validation.py` by `make docs`; do not edit.

Every error has the envelope `{"success": false, "error": {"code", "message", "details"?}}`.
Branch on `code`, which is stable; the message is for users and may change. With the
`X-Request-Id` of the response, an operator finds the log lines.

## Codes

| Code | HTTP | Message | Solution |
|---|---|---|---|
"""
_STATUSES = """
## HTTP statuses

A success is 200, 201 for a new request or user, or 204 without a body. The API document and page
return 304 for an `If-None-Match` with the current ETag.

| HTTP | Name | Codes | Header |
|---|---|---|---|
"""
_ORDER = """
A call with several problems gets the first of these errors:

1. behind a distribution, 403 for a call that did not pass it
2. 413 for the size of the body, then 404 or 405 for address and method
3. 401, then 429, then 403 for the CSRF token, then 403 for the role; on routes without a session
   only 429
4. 400 for the first query parameter that is unknown, repeated or not UTF-8
5. 415 for the media type of the body, or 400 for all invalid fields at once
6. 404, 403, 409 or 422 for the state of the data

## Validation errors

`VALIDATION_ERROR` lists its problems in `details`, at most {most}, each as
`{{"field", "message"}}`. `field` is a path: `path`, `query`, `header` or `body`, then the names and
positions that lead to the value, as in `body.seasons.0`. A body that is not acceptable JSON is the
field `body`.

These are the messages about types and bounds; `N` is a number, and a minimum of one reads
"Must not be empty". Fields with a rule of their own, such as a password, have their own messages.

"""
_EXAMPLES = """
Examples; a test makes each of these calls:

| Call | `details` |
|---|---|
"""
# Placeholders for the numbers and choices of a schema.
_CONTEXT = {
    **dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length"), "N"),
    "expected": "'a', 'b'",
}


@dataclass(frozen=True, slots=True)
class Example:
    """An invalid call of a signed-in user, and the messages in its response by field."""

    method: str
    path: str
    problems: Mapping[str, str]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: str | None = None

    @property
    def details(self) -> list[dict[str, str]]:
        """Return the `details` of the response."""
        return [{"field": name, "message": message} for name, message in self.problems.items()]


EXAMPLES = (
    Example(
        "POST",
        "/api/media/request",
        {
            "body.mediaType": "Must be one of: movie, tv",
            "body.tmdbId": "Must be a whole number",
            "body.seasons.1": "Must be at least 0",
            "body.note": "Unknown field",
        },
        body='{"mediaType": "film", "tmdbId": "603", "seasons": [1, -1], "note": "x"}',
    ),
    Example(
        "POST",
        "/api/media/request",
        {"body.mediaType": "Required", "body.tmdbId": "Required"},
        body="{}",
    ),
    Example(
        "POST",
        "/api/media/request",
        {"body": "The body is not valid JSON: Expecting value"},
        body='{"mediaType": ',
    ),
    Example(
        "POST",
        "/api/media/request",
        {"body": "A key occurs twice in one object"},
        body='{"tmdbId": 603, "tmdbId": 604}',
    ),
    Example(
        "GET",
        "/api/media/search",
        {"query.q": "Must not be empty", "query.page": "Must be at least 1"},
        query={"q": "", "page": 0},
    ),
    Example(
        "GET",
        "/api/media/search",
        {"query.pages": "Unknown parameter"},
        query={"q": "matrix", "pages": 2},
    ),
    Example(
        "GET",
        "/api/media/search",
        {"query.q": "Given more than once"},
        query={"q": ["matrix", "alien"]},
    ),
    Example(
        "GET",
        "/api/media/requests/603",
        {"path.id": "Must be a UUID like 3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"},
    ),
)


def errors_page() -> str:
    """Return the error reference."""
    return "".join(
        [
            _HEAD,
            *(
                f"| `{code}` | {spec.status} | {spec.message} | {spec.remedy} |\n"
                for code, spec in REGISTRY.items()
            ),
            _STATUSES,
            *_status_rows(),
            _ORDER.format(most=MAX_DETAILS),
            *(f"- {message}\n" for message in _messages()),
            _EXAMPLES,
            *map(_example_row, EXAMPLES),
        ]
    )


def _status_rows() -> list[str]:
    rows = []
    for status in sorted({spec.status for spec in REGISTRY.values()}):
        codes = [code for code, spec in REGISTRY.items() if spec.status == status]
        with_header = [code for code in codes if code in ERROR_HEADERS]
        header = ", ".join({f"`{ERROR_HEADERS[code]}`": None for code in with_header})
        if with_header and with_header != codes:
            header += f" with {_listed(with_header)}"
        rows.append(f"| {status} | {HTTPStatus(status).phrase} | {_listed(codes)} | {header} |\n")
    return rows


def _listed(codes: list[ErrorCode]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


def _messages() -> list[str]:
    """Return each message about types and bounds, without those of a field's own rule."""
    messages = [
        each if isinstance(each, str) else each(_CONTEXT)
        for kind, each in MESSAGES.items()
        if kind != "value_error"
    ]
    return list(dict.fromkeys(messages))


def _example_row(example: Example) -> str:
    query = "&".join(
        f"{name}={each}"
        for name, value in example.query.items()
        for each in (value if isinstance(value, list) else [value])
    )
    address = f"{example.path}?{query}" if query else example.path
    call = f"`{example.method} {address}`" + (f"<br>`{example.body}`" if example.body else "")
    problems = "<br>".join(f"`{json.dumps(each)}`" for each in example.details)
    return f"| {call} | {problems} |\n"
