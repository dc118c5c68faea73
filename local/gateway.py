"""API Gateway REST: routes, throttles, mocks and gateway responses in front of the functions."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict

from local.proxy_event import GatewayRequest, proxy_event, read_call
from local.proxy_response import MalformedResponseError, proxy_response
from local.routing import Routes, Throttles
from local.runtime import InvocationResult, Runtime, TooManyRequestsError
from local.template import GatewayResponse, Mock, Route, Template

_MAX_BODY = 10 * 1024 * 1024
_MAX_EVENT = 6 * 1024 * 1024
_MAX_HEADERS = 10_240
_INTEGRATION_TIMEOUT = 29.0
_CONTEXT_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")
# What API Gateway answers where the template says nothing: status, message and kind of error.
_AWS_RESPONSES = {
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
_NOTHING_SAID = GatewayResponse(status=None, headers={}, body=None)


class GatewayError(Exception):
    """A request that API Gateway answers itself; `kind` names its gateway response."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Gateway:
    """Serves the API of a template on 127.0.0.1.

    `port` 0 takes any free one. `source_ip` says who calls, by default the peer's address; tests
    play several callers with it. `integration_timeout` is how long a function may take, `base_path`
    the base path of a custom domain, such as `/base`, under which alone the API answers then.
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
        self._template = template
        self._runtime = runtime
        self._port = port
        self._source_ip = source_ip or _peer
        self._integration_timeout = integration_timeout
        self._base_path = base_path
        self._log = log or print_access
        self._routes = Routes(template.routes)
        self._throttles = Throttles(template) if throttles else None
        self._site: web.TCPSite | None = None
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        # Limits of ours, not of aiohttp, decide what is too long.
        server = _Server(
            self._serve,
            request_factory=partial(_Request, loop=loop, client_max_size=_MAX_BODY),
            auto_decompress=False,
            max_line_size=65536,
            max_field_size=65536,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=2.0)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        try:
            await self._site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Return where the API answers, without a slash at the end."""
        if self._site is None:
            raise RuntimeError("The gateway has not been started")
        return f"http://127.0.0.1:{self._site.port}"

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        call = read_call(
            request,
            source_ip=self._source_ip(request),
            stage=self._template.stage,
            base_path=self._base_path,
        )
        source = "gateway"
        try:
            route, parameters = self._route(call)
            if isinstance(route.target, Mock):
                response = _answer_mock(route.target, call)
            else:
                source = route.target
                event = proxy_event(
                    call,
                    resource=route.path,
                    parameters=parameters,
                    body=await _read_body(request),
                )
                result = await self._invoke(route.target, event, call)
                if result.is_cold:
                    source += " (cold start)"
                response = _response(*_read_answer(result, is_head=call.method == "HEAD"))
        except GatewayError as error:
            response = self._gateway_response(error.kind, call)
        self._compress(response, call)
        milliseconds = (time.perf_counter() - started) * 1000
        self._log(
            f"{time.strftime('%H:%M:%S')} {call.method} {call.path} {response.status} "
            f"{milliseconds:.1f} ms {source}"
        )
        return response

    def _compress(self, response: web.Response, call: GatewayRequest) -> None:
        least, body = self._template.compressed_from, response.body
        if (
            least is not None
            and isinstance(body, bytes)
            and len(body) >= least
            and "gzip" in call.header("Accept-Encoding")
            and "Content-Encoding" not in response.headers
        ):
            response.enable_compression(web.ContentCoding.gzip)

    def _route(self, call: GatewayRequest) -> tuple[Route, Mapping[str, str]]:
        length = sum(
            len(name) + len(value) for name, values in call.headers.items() for value in values
        )
        if length > _MAX_HEADERS:
            raise GatewayError("DEFAULT_4XX")
        path = call.path.removeprefix(call.base_path)
        found = self._routes.find(call.method, path)
        if found is None or not call.path.startswith(call.base_path):
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        route = found[0]
        if self._throttles is not None and not self._throttles.allow(route.path, route.method):
            raise GatewayError("THROTTLED")
        return found

    async def _invoke(
        self, function: str, event: dict[str, Any], call: GatewayRequest
    ) -> InvocationResult:
        if len(json.dumps(event)) > _MAX_EVENT:
            raise GatewayError("REQUEST_TOO_LARGE")
        invocation = asyncio.ensure_future(
            self._runtime.invoke(function, event, trace_id=call.trace_id)
        )
        try:
            # The function goes on when API Gateway has given up, as it does on AWS.
            return await asyncio.wait_for(asyncio.shield(invocation), self._integration_timeout)
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT") from None
        except TooManyRequestsError:
            raise GatewayError("INTEGRATION_FAILURE") from None

    def _gateway_response(self, kind: str, call: GatewayRequest) -> web.Response:
        said = self._template.gateway_responses
        status, message, error_type = _AWS_RESPONSES[kind]
        fallback = said.get("DEFAULT_5XX" if kind in _SERVER_SIDE else "DEFAULT_4XX")
        response = said.get(kind) or fallback or _NOTHING_SAID
        context = _context(call)
        context["error.message"] = message
        context["error.messageString"] = json.dumps(message)
        context["error.responseType"] = kind
        headers = CIMultiDict({"Content-Type": "application/json", "x-amzn-ErrorType": error_type})
        for name, value in response.headers.items():
            headers[name] = _header_value(value, call, context)
        body = response.body or '{"message":$context.error.messageString}'
        return _response(response.status or status, headers, _fill_in(body, context).encode())


_SERVER_SIDE = {"DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"}


class _Request(web.BaseRequest):
    """A request whose response says nothing about the server."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)


class _Protocol(web.RequestHandler):
    """Answers what is not HTTP, or not to be understood, without a word about the server."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del message
        response = super().handle_error(request, status, exc, "")
        if isinstance(response, web.Response):
            response.body = b""
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


def print_access(line: str) -> None:
    """Print a line of the access log; on a terminal in grey, to stand back from other output."""
    print(f"\x1b[2m{line}\x1b[0m" if sys.stdout.isatty() else line, flush=True)


def _peer(request: web.BaseRequest) -> str:
    return request.remote or ""


async def _read_body(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) > _MAX_BODY:
        raise GatewayError("REQUEST_TOO_LARGE")
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise GatewayError("REQUEST_TOO_LARGE") from None


def _read_answer(result: InvocationResult, *, is_head: bool) -> tuple[int, CIMultiDict[str], bytes]:
    if result.error is not None:
        raise GatewayError("DEFAULT_5XX")
    try:
        return proxy_response(result.payload, is_head=is_head)
    except MalformedResponseError:
        raise GatewayError("DEFAULT_5XX") from None


def _answer_mock(mock: Mock, call: GatewayRequest) -> web.Response:
    media_type = call.header("Content-Type").partition(";")[0].strip().lower()
    if (media_type or "application/json") not in mock.accepts:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
    context = _context(call)
    headers = CIMultiDict({"Content-Type": "application/json"})
    for name, value in mock.headers.items():
        headers[name] = _header_value(value, call, context)
    return _response(mock.status, headers, _fill_in(mock.body, context).encode())


def _response(status: int, headers: CIMultiDict[str], body: bytes) -> web.Response:
    if status in {204, 304}:
        headers.popall("Content-Type", None)
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, headers=headers, body=body)


def _context(call: GatewayRequest) -> dict[str, str]:
    return {
        "requestId": call.id,
        "httpMethod": call.method,
        "identity.sourceIp": call.source_ip,
        "identity.userAgent": call.header("User-Agent"),
        "path": call.context_path,
        "protocol": "HTTP/1.1",
        "requestTimeEpoch": str(int(call.started * 1000)),
        "stage": call.stage,
    }


def _header_value(value: str, call: GatewayRequest, context: Mapping[str, str]) -> str:
    if value.startswith("'"):
        return value[1:-1]
    if value.startswith("context."):
        return context.get(value.removeprefix("context."), "")
    return call.header(value.removeprefix("method.request.header."))


def _fill_in(body: str, context: Mapping[str, str]) -> str:
    return _CONTEXT_VARIABLE.sub(lambda match: context.get(match.group(1), ""), body)
