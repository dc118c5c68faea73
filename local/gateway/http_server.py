"""Configure aiohttp like API Gateway's endpoint: its size limits, and no Server header."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

MAX_BODY = 10 * 1024 * 1024
# More than API Gateway's limit, which the gateway checks itself.
_MAX_LINE = 65536


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


def http_server(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> web.Server:
    """Return a server that passes every request to `handler`, whatever its path."""
    loop = asyncio.get_running_loop()
    return _Server(
        handler,
        request_factory=partial(_Request, loop=loop, client_max_size=MAX_BODY),
        auto_decompress=False,
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_LINE,
    )
