"""Serve an API over HTTP in front of the functions, as API Gateway REST does."""

import asyncio
import json
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from local.gateway.http_server import MAX_BODY, HttpServer
from local.gateway.own_responses import (
    GatewayError,
    gateway_response,
    mock_response,
    to_response,
)
from local.gateway.proxy_event import GatewayRequest, proxy_event, read_request
from local.gateway.proxy_response import MalformedResponseError, proxy_response
from local.gateway.routing import Routes
from local.gateway.throttling import Throttles
from local.lambda_.invocation import InvocationResult, TooManyRequestsError
from local.lambda_.runtime import Runtime
from local.template.models import Mock, Route, Template
from local.terminal import say

_MAX_EVENT = 6 * 1024 * 1024
_MAX_HEADERS = 10_240
_INTEGRATION_TIMEOUT = 29.0
# The codings of a request's body, with the argument that selects each in zlib.
_CODINGS = {"deflate": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS + 16}


class Gateway(HttpServer):
    """Serves the API of a template on 127.0.0.1, or requests that a distribution passes to it.

    `source_ip` returns the address of the caller, by default the
    peer's; tests simulate several callers with it. With `base_path`, such as `/base`, the API
    responds only below that path, as behind a custom domain.
    """

    def __init__(
        self,
        template: Template,
        runtime: Runtime,
        *,
        port: int = 0,
        throttles: bool = True,
        source_ip: Callable[[web.BaseRequest], str] | None = None,
        integration_timeout: float = _INTEGRATION_TIMEOUT,
        base_path: str = "",
        log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(self.respond, port)
        self._template = template
        self._runtime = runtime
        self._source_ip = source_ip or _peer
        self._integration_timeout = integration_timeout
        self._base_path = base_path
        self._log = log or print_access
        self._routes = Routes(template.routes)
        self._throttles = Throttles(template) if throttles else None

    async def respond(self, http_request: web.BaseRequest) -> web.StreamResponse:
        """Respond as API Gateway does."""
        started = time.perf_counter()
        request = read_request(
            http_request,
            source_ip=self._source_ip(http_request),
            stage=self._template.stage,
            base_path=self._base_path,
        )
        source = "gateway"
        try:
            route, parameters = self._route(request)
            if isinstance(route.target, Mock):
                response = mock_response(route.target, request)
            else:
                source = route.target
                event = proxy_event(
                    request,
                    resource=route.path,
                    parameters=parameters,
                    body=await _read_body(http_request),
                )
                result = await self._invoke(route.target, event, request)
                if result.is_cold:
                    source += " (cold start)"
                response = to_response(*_read_result(result, is_head=request.method == "HEAD"))
        except GatewayError as error:
            response = gateway_response(error.kind, request, self._template.gateway_responses)
        self._compress(response, request)
        milliseconds = (time.perf_counter() - started) * 1000
        self._log(
            f"{time.strftime('%H:%M:%S')} {request.method} {request.path} {response.status} "
            f"{milliseconds:.1f} ms {source}"
        )
        return response

    def _compress(self, response: web.Response, request: GatewayRequest) -> None:
        min_size, body = self._template.compressed_from, response.body
        if (
            min_size is not None
            and isinstance(body, bytes)
            and len(body) >= min_size
            and "gzip" in request.header("Accept-Encoding")
            and "Content-Encoding" not in response.headers
        ):
            response.enable_compression(web.ContentCoding.gzip)

    def _route(self, request: GatewayRequest) -> tuple[Route, Mapping[str, str]]:
        length = sum(
            len(name) + len(value) for name, values in request.headers.items() for value in values
        )
        if length > _MAX_HEADERS:
            raise GatewayError("DEFAULT_4XX")
        path = request.path.removeprefix(request.base_path)
        found = self._routes.find(request.method, path)
        if found is None or not request.path.startswith(request.base_path):
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        route = found[0]
        if self._throttles is not None and not self._throttles.allow(route.path, route.method):
            raise GatewayError("THROTTLED")
        return found

    async def _invoke(
        self, function: str, event: dict[str, Any], request: GatewayRequest
    ) -> InvocationResult:
        if len(json.dumps(event)) > _MAX_EVENT:
            raise GatewayError("REQUEST_TOO_LARGE")
        invocation = asyncio.ensure_future(
            self._runtime.invoke(function, event, trace_id=request.trace_id)
        )
        try:
            # As on AWS, the function keeps running after API Gateway has timed out.
            return await asyncio.wait_for(asyncio.shield(invocation), self._integration_timeout)
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT") from None
        except TooManyRequestsError:
            raise GatewayError("INTEGRATION_FAILURE") from None


def print_access(line: str) -> None:
    """Print a line of the access log; on a terminal in grey, so that other output stands out."""
    say(f"\x1b[2m{line}\x1b[0m" if sys.stdout.isatty() else line)


def _peer(request: web.BaseRequest) -> str:
    return request.remote or ""


async def _read_body(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise GatewayError("REQUEST_TOO_LARGE")
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise GatewayError("REQUEST_TOO_LARGE") from None
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    return body if coding == "identity" or not body else _decompressed(body, coding)


def _decompressed(body: bytes, coding: str) -> bytes:
    """Decompress a body; a coding that is unknown or does not fit is a GatewayError."""
    if coding not in _CODINGS:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
    decompressor = zlib.decompressobj(_CODINGS[coding])
    try:
        content = decompressor.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE") from None
    if len(content) > MAX_BODY:
        raise GatewayError("REQUEST_TOO_LARGE")
    if not decompressor.eof:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
    return content


def _read_result(result: InvocationResult, *, is_head: bool) -> tuple[int, CIMultiDict[str], bytes]:
    if result.error is not None:
        raise GatewayError("DEFAULT_5XX")
    try:
        return proxy_response(result.payload, is_head=is_head)
    except MalformedResponseError:
        raise GatewayError("DEFAULT_5XX") from None
