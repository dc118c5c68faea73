"""Read the response that a function returns to API Gateway REST."""

from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

from local.gateway.proxy_event import HOP_BY_HOP

_STATUSES = range(100, 600)
_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


class MalformedResponseError(Exception):
    """The value that a function returned is not a proxy response."""


def proxy_response(
    returned: object, *, is_head: bool = False
) -> tuple[int, CIMultiDict[str], bytes]:
    """Return status, headers and body of a function's return value.

    For HEAD it keeps the function's Content-Length, which describes a body that is not sent.
    """
    if not isinstance(returned, dict) or set(returned) - _KEYS:
        raise MalformedResponseError
    try:
        status, content = _status(returned.get("statusCode")), _content(returned)
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in _mapping(returned.get("headers")).items():
            headers[name] = _header_text(value)
        for name, values in _mapping(returned.get("multiValueHeaders")).items():
            headers.popall(name, None)
            for value in values:
                headers.add(name, _header_text(value))
    except (TypeError, ValueError) as error:
        raise MalformedResponseError from error
    for name in (*HOP_BY_HOP, "date", *([] if is_head else ["content-length"])):
        headers.popall(name, None)
    headers.setdefault("Content-Type", "application/json")
    return status, headers, content


def _status(value: object) -> int:
    status = int(value) if isinstance(value, str) else value
    if not isinstance(status, int) or status not in _STATUSES:
        raise ValueError("statusCode is not an HTTP status")
    return status


def _content(returned: Mapping[str, Any]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError("body is not a string")
    # An API without binary media types, like this one, ignores isBase64Encoded.
    return body.encode()


def _mapping(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError("headers is not an object")
    return value


def _header_text(value: object) -> str:
    if not isinstance(value, str | int | float):
        raise TypeError("a header value is not a string, a number or a boolean")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header value has a line break")
    return text
