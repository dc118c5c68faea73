"""Configure aiohttp like API Gateway's endpoint: its size limits, and no Server header."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web

MAX_BODY = 10 * 1024 * 1024
# More than API Gateway's limit, which the gateway checks itself.
_MAX_LINE = 65536

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Request(web.BaseRequest):
    """A request whose response has no Server header."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)


class _Protocol(web.RequestHandler):
    """Rejects malformed HTTP with an empty body; aiohttp's own would name the server."""

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


class HttpServer:
    """Serves a handler on 127.0.0.1, inside `async with`; port 0 picks a free one."""

    def __init__(self, handler: Handler, port: int) -> None:
        self._handler = handler
        self._port = port
        self._site: web.TCPSite | None = None
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(http_server(self._handler), shutdown_timeout=2.0)
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
        """Return the base URL, without a trailing slash."""
        if self._site is None:
            raise RuntimeError("The server has not been started")
        return f"http://127.0.0.1:{self._site.port}"


def http_server(handler: Handler) -> web.Server:
    """Return a server that passes every request to `handler`, whatever its path."""
    loop = asyncio.get_running_loop()
    return _Server(
        handler,
        request_factory=partial(_Request, loop=loop, client_max_size=MAX_BODY),
        auto_decompress=False,
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_LINE,
    )
