"""A tolerant parser of API Gateway's proxy events.

`resource`, `httpMethod` and `pathParameters` identify the route. Invalid headers and addresses are
ignored: the console's Test button sends nulls and the address `test-invoke-source-ip`, and clients
can send any byte.
"""

import base64
import re
import socket
import uuid
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from mangum.handlers.api_gateway import APIGateway

from medianest.core.text import clean

# Replaces bytes that are not UTF-8, as API Gateway does in its events.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Recorded for a caller without a valid IP address: the unspecified address.
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens on it
_MAX_USER_AGENT = 500
_REQUEST_ID = re.compile(r"[!-~]{1,100}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class ProxyCall(NamedTuple):
    """A call that API Gateway passed to the function; header names are in lower case.

    `public_url` is the page's origin if a distribution reported it, else empty.
    """

    id: str
    method: str
    resource: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, list[str]]
    ip: str
    user_agent: str
    body: bytes
    public_url: str = ""


def read_call(event: Mapping[str, Any]) -> ProxyCall:
    """Parse an event; parts that are missing, null or of a wrong type become empty."""
    context = _mapping(event.get("requestContext"))
    identity = _mapping(context.get("identity"))
    request_id = _text(context.get("requestId"))
    headers: dict[str, list[str]] = {}
    for name, values in _values(event, "multiValueHeaders", "headers").items():
        if name.isascii():
            headers.setdefault(name.lower(), []).extend(values)
    return ProxyCall(
        id=request_id if _REQUEST_ID.fullmatch(request_id) else str(uuid.uuid4()),
        method=_text(event.get("httpMethod")),
        resource=_text(event.get("resource")),
        path_parameters={
            _text(name): _text(value)
            for name, value in _mapping(event.get("pathParameters")).items()
            if value is not None
        },
        query=_values(event, "multiValueQueryStringParameters", "queryStringParameters"),
        headers=headers,
        ip=address_of(_text(identity.get("sourceIp"))),
        user_agent=clean(_text(identity.get("userAgent")))[:_MAX_USER_AGENT],
        body=_body(_text(event.get("body")), is_base64=event.get("isBase64Encoded") is True),
    )


def proxy_call(request: Request) -> ProxyCall:
    """Return the ProxyCall of a request."""
    call: ProxyCall = request.scope["proxy_call"]
    return call


class ProxyHandler(APIGateway):
    """Mangum's handler of API Gateway's events, with a tolerant parser.

    The path of the ASGI scope is the resource, because a custom domain can prepend a base path to
    the path that a client calls.
    """

    @classmethod
    def infer(cls, event: Any, context: Any, config: Any) -> bool:  # noqa: ARG003 - Mangum's signature
        """Accept every event: only API Gateway calls these functions."""
        return True

    def __init__(self, event: Any, context: Any, config: Any) -> None:
        super().__init__(event, context, config)
        self._call = read_call(event)

    @property
    def body(self) -> bytes:
        """Return the decoded body."""
        return self._call.body

    @property
    def scope(self) -> dict[str, Any]:
        """Return the ASGI scope, with the ProxyCall as `proxy_call`."""
        call = self._call
        return {
            "type": "http",
            "http_version": "1.1",
            "method": call.method,
            "headers": [
                (name.encode(), ", ".join(values).encode()) for name, values in call.headers.items()
            ],
            "path": call.resource,
            "raw_path": None,
            "root_path": "",
            "scheme": "https",
            "query_string": urlencode(call.query, doseq=True).encode(),
            "server": None,
            "client": (call.ip, 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.context": self.context,
            "proxy_call": call,
        }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Return a value as text; U+FFFD replaces lone surrogates, which UTF-8 cannot encode."""
    if isinstance(value, str) and value.isascii():
        return value
    return "" if value is None else _SURROGATE.sub(REPLACEMENT, str(value))


def _values(event: Mapping[str, Any], multi_key: str, single_key: str) -> dict[str, list[str]]:
    """Return all values by name; use the single-value map when the multi-value map is empty."""
    raw = _mapping(event.get(multi_key)) or _mapping(event.get(single_key))
    return {
        _text(name): values if _is_plain(values) else _texts(values) for name, values in raw.items()
    }


def _is_plain(values: Any) -> bool:
    """Return whether this is a list of ASCII strings, as almost all are."""
    try:
        return isinstance(values, list) and "".join(values).isascii()
    except TypeError:
        return False


def _texts(values: Any) -> list[str]:
    each = values if isinstance(values, list) else [values]
    return [_text(value) for value in each if value is not None]


def address_of(text: str) -> str:
    """Return an IP address in its usual form, NO_ADDRESS for any other text."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL character
        return _other_address(text)
    # Faster than ip_address, which also accepts nothing else as IPv4.
    return text


def _other_address(text: str) -> str:
    try:
        # Drop the IPv6 zone, which PostgreSQL's `inet` does not support.
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return NO_ADDRESS


def _body(text: str, *, is_base64: bool) -> bytes:
    if is_base64:
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            # The JSON parser rejects it when a route reads the body.
            return text.encode()
    return text.encode()
