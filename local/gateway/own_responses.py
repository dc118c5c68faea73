"""Build the responses that API Gateway sends without a function: errors and mocks."""

import json
import re
from collections.abc import Mapping

from aiohttp import web
from multidict import CIMultiDict

from local.gateway.proxy_event import GatewayRequest
from local.template.models import GatewayResponse, Mock

_CONTEXT_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")
# API Gateway's defaults if the template declares no response: status, message and error type.
_DEFAULTS = {
    "DEFAULT_4XX": (400, "Bad Request", "BadRequestException"),
    "DEFAULT_5XX": (502, "Internal server error", "InternalServerErrorException"),
    "INTEGRATION_FAILURE": (504, "Internal server error", "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out", "InternalServerErrorException"),
    "MISSING_AUTHENTICATION_TOKEN": (
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    ),
    "REQUEST_TOO_LARGE": (413, "Request Too Long", "RequestTooLargeException"),
    "THROTTLED": (429, "Too Many Requests", "TooManyRequestsException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type", "UnsupportedMediaTypeException"),
}
_SERVER_SIDE = {"DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"}
_UNDECLARED = GatewayResponse(status=None, headers={}, body=None)
_NO_CONTENT = {204, 304}


class GatewayError(Exception):
    """API Gateway rejects a request itself; `kind` names its gateway response."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def gateway_response(
    kind: str, request: GatewayRequest, declared: Mapping[str, GatewayResponse]
) -> web.Response:
    """Build the gateway response of a kind, from the template or API Gateway's default."""
    status, message, error_type = _DEFAULTS[kind]
    fallback = declared.get("DEFAULT_5XX" if kind in _SERVER_SIDE else "DEFAULT_4XX")
    response = declared.get(kind) or fallback or _UNDECLARED
    context = _context(request)
    context["error.message"] = message
    context["error.messageString"] = json.dumps(message)
    context["error.responseType"] = kind
    headers = CIMultiDict({"Content-Type": "application/json", "x-amzn-ErrorType": error_type})
    for name, value in response.headers.items():
        headers[name] = _header_value(value, request, context)
    body = response.body or '{"message":$context.error.messageString}'
    return to_response(response.status or status, headers, _render(body, context).encode())


def mock_response(mock: Mock, request: GatewayRequest) -> web.Response:
    """Build the response of a mock; raises GatewayError for a media type that it rejects."""
    media_type = request.header("Content-Type").partition(";")[0].strip().lower()
    if (media_type or "application/json") not in mock.accepts:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
    context = _context(request)
    headers = CIMultiDict({"Content-Type": "application/json"})
    for name, value in mock.headers.items():
        headers[name] = _header_value(value, request, context)
    return to_response(mock.status, headers, _render(mock.body, context).encode())


def to_response(status: int, headers: CIMultiDict[str], body: bytes) -> web.Response:
    """Build the HTTP response, without a body if the status forbids one."""
    if status in _NO_CONTENT:
        headers.popall("Content-Type", None)
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, headers=headers, body=body)


def _context(request: GatewayRequest) -> dict[str, str]:
    return {
        "requestId": request.id,
        "httpMethod": request.method,
        "identity.sourceIp": request.source_ip,
        "identity.userAgent": request.header("User-Agent"),
        "path": request.context_path,
        "protocol": "HTTP/1.1",
        "requestTimeEpoch": str(int(request.started * 1000)),
        "stage": request.stage,
    }


def _header_value(value: str, request: GatewayRequest, context: Mapping[str, str]) -> str:
    if value.startswith("'"):
        return value[1:-1]
    if value.startswith("context."):
        return context.get(value.removeprefix("context."), "")
    return request.header(value.removeprefix("method.request.header."))


def _render(body: str, context: Mapping[str, str]) -> str:
    return _CONTEXT_VARIABLE.sub(lambda match: context.get(match.group(1), ""), body)
