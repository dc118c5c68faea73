"""Fetch images from their host."""

from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
_MAX_IMAGE = 10 * 1024 * 1024
_FORWARDED = ("Content-Type", "Cache-Control", "ETag", "Last-Modified")


class ImageHost:
    """A client of the host; it sends neither cookies nor a query, and follows no redirect."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, path: str) -> web.Response:
        """Return the image, or the status of the failure without a body."""
        if self._session is None:
            raise RuntimeError("The client has not been started")
        try:
            async with self._session.get(
                self._url + path, allow_redirects=False, timeout=_TIMEOUT
            ) as answer:
                if answer.status != web.HTTPOk.status_code:
                    return web.Response(status=answer.status)
                if (answer.content_length or 0) > _MAX_IMAGE:
                    return web.Response(status=web.HTTPBadGateway.status_code)
                headers = CIMultiDict(
                    {name: answer.headers[name] for name in _FORWARDED if name in answer.headers}
                )
                return web.Response(headers=headers, body=await answer.read())
        except TimeoutError:
            return web.Response(status=web.HTTPGatewayTimeout.status_code)
        except aiohttp.ClientError:
            return web.Response(status=web.HTTPBadGateway.status_code)
