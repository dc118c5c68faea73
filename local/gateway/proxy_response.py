"""Read the response that a function returns to API Gateway REST."""

import base64
from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

from local.gateway.proxy_event import HOP_BY_HOP

_STATUSES = range(100, 600)
_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


class MalformedResponseError(Exception):
    """A function returned something that is not a proxy response."""


def proxy_response(
    returned: object, *, is_head: bool = False
) -> tuple[int, CIMultiDict[str], bytes]:
    """Read status, headers and body from what a function returned.

    For HEAD the function's Content-Length is kept: the body that it describes is not sent.
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


def _status(given: object) -> int:
    status = int(given) if isinstance(given, str) else given
    if not isinstance(status, int) or status not in _STATUSES:
        raise ValueError("not a status")
    return status


def _content(returned: Mapping[str, Any]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError("a body is a text")
    if returned.get("isBase64Encoded"):
        return base64.b64decode(body, validate=True)
    return body.encode()


def _mapping(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise TypeError("headers are a mapping")
    return given


def _header_text(value: object) -> str:
    if not isinstance(value, str | int | float):
        raise TypeError("a header is a text, a number or a truth value")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header is one line")
    return text
