"""Inject faults: make a stand-in respond like a broken upstream.

`PUT /standin/fault` with `{"kind": ..., "path"?: prefix, "method"?, "count"?: requests, "every"?}`
switches one fault on, `DELETE /standin/fault` switches it off. `GET /standin/requests` lists the
requests received, so that a test can check them. Faults never affect paths under `/standin/`.
"""

import asyncio
import functools
import json
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTROL_PREFIX = "/standin/"
REMEMBERED_REQUESTS = 200
HUGE_CHUNK = b"x" * 1024 * 1024
HUGE_CHUNKS = 11
BOMB_CHUNKS = 200  # of 1 MiB each, decompressed
SLOW = "slow"  # the correct response, late
AFTER = "after"  # the effect of the correct response, which never arrives
HTML_PAGE = "<!doctype html><title>Down</title><h1>We are down for maintenance</h1>"


@dataclass
class Fault:
    """A fault; `count` is the number of requests that it still affects, None for all.

    It affects each `every`-th of the requests of its method and path; `seen` counts them.
    """

    kind: str
    path: str = "/"
    method: str | None = None
    count: int | None = None
    every: int = 1
    seen: int = 0
    status: int = 500
    retry_after: int | None = None
    seconds: int = 1
    location: str = ""


class Faults:
    """The active fault and the recorded requests of one stand-in."""

    def __init__(self) -> None:
        self._fault: Fault | None = None
        self._requests: deque[dict[str, object]] = deque(maxlen=REMEMBERED_REQUESTS)

    def install(self, app: web.Application) -> None:
        """Add the control routes, and apply the faults before any other handler."""
        app.middlewares.insert(0, self._answer)
        app.router.add_put("/standin/fault", self._switch_on)
        app.router.add_delete("/standin/fault", self._switch_off)
        app.router.add_get("/standin/requests", self._list_requests)
        app.router.add_delete("/standin/requests", self._clear_requests)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PREFIX):
            return await handler(request)
        self._requests.append(
            {
                "method": request.method,
                "path": request.rel_url.raw_path,
                "query": request.rel_url.raw_query_string,
                "headers": dict(request.headers),
            }
        )
        fault = self._consume_fault(request)
        if fault is None:
            return await handler(request)
        if fault.kind == AFTER:
            await handler(request)
            return await close(request, fault)
        if fault.kind == SLOW:
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        return await FAULTS[fault.kind](request, fault)

    def _consume_fault(self, request: web.Request) -> Fault | None:
        """Return the fault that affects a request, and decrement its count."""
        fault = self._fault
        if fault is None or not request.path.startswith(fault.path):
            return None
        if fault.method not in {None, request.method}:
            return None
        fault.seen += 1
        if fault.seen % fault.every:
            return None
        if fault.count is not None:
            fault.count -= 1
            if fault.count == 0:
                self._fault = None
        return fault

    async def _switch_on(self, request: web.Request) -> web.Response:
        try:
            self._fault = parse_fault(await request.text())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"fault": self._fault.kind})

    async def _switch_off(self, _request: web.Request) -> web.Response:
        self._fault = None
        return web.Response(status=204)

    async def _list_requests(self, _request: web.Request) -> web.Response:
        return web.json_response(list(self._requests))

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self._requests.clear()
        return web.Response(status=204)


def parse_fault(text: str) -> Fault:
    """Parse and validate a fault; raises ValueError with the reason."""
    try:
        body: Any = json.loads(text)
    except ValueError as error:
        raise ValueError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise ValueError("the body is not an object")  # noqa: TRY004 - a ValueError becomes a 400
    unknown = body.keys() - {
        "kind",
        "path",
        "method",
        "count",
        "every",
        "status",
        "retryAfter",
        "seconds",
        "location",
    }
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    if body.get("kind") not in {*FAULTS, SLOW, AFTER}:
        raise ValueError(f"kind must be one of: {', '.join([*FAULTS, SLOW, AFTER])}")
    if body["kind"] == "redirect" and not body.get("location"):
        raise ValueError("a redirect requires a location")
    for name in ("count", "every", "status", "retryAfter", "seconds"):
        value = body.get(name)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be a whole number of at least 1")
    return Fault(
        kind=body["kind"],
        path=body.get("path") or "/",
        method=body.get("method"),
        count=body.get("count"),
        every=body.get("every") or 1,
        status=body.get("status") or 500,
        retry_after=body.get("retryAfter"),
        seconds=body.get("seconds") or 1,
        location=body.get("location") or "",
    )


async def respond_status(_request: web.Request, fault: Fault) -> web.StreamResponse:
    """Respond with an error status, and with Retry-After if the fault has one."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return web.json_response({"error": "ordered"}, status=fault.status, headers=headers)


async def respond_html(_request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Respond 200 with an HTML page, as a failing proxy does."""
    return web.Response(text=HTML_PAGE, content_type="text/html")


async def respond_wrong_types(_request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Respond 200 with valid JSON of the wrong types."""
    return web.json_response([{"id": "not a number", "results": "not a list"}, None, 7])


async def hang(_request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Never respond; ends when the client disconnects or the stand-in stops."""
    await asyncio.Event().wait()
    raise web.HTTPInternalServerError  # unreachable: no code sets the event


async def drip(request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Send one byte per second, so that no single read times out."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(1)


async def respond_huge(request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Send more than 10 MB of valid JSON, without a Content-Length."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"filler": "')
    for _ in range(HUGE_CHUNKS):
        await response.write(HUGE_CHUNK)
    await response.write(b'"}')
    return response


async def respond_gzip_bomb(_request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Send a small body that decompresses to 200 MiB."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return web.Response(body=gzip_bomb(), headers=headers)


@functools.cache
def gzip_bomb() -> bytes:
    """Compress a long JSON string, chunk by chunk."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # 16 selects the gzip format
    pieces = [packer.compress(piece) for piece in (b'"', *[HUGE_CHUNK] * BOMB_CHUNKS, b'"')]
    return b"".join((*pieces, packer.flush()))


async def redirect(_request: web.Request, fault: Fault) -> web.StreamResponse:
    """Redirect to the fault's location."""
    return web.Response(status=302, headers={"Location": fault.location})


async def close(request: web.Request, _fault: Fault) -> web.StreamResponse:
    """Drop the connection without a response."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # never sent


FAULTS: dict[str, Callable[[web.Request, Fault], Awaitable[web.StreamResponse]]] = {
    "status": respond_status,
    "html": respond_html,
    "wrong-types": respond_wrong_types,
    "hang": hang,
    "drip": drip,
    "huge": respond_huge,
    "gzip-bomb": respond_gzip_bomb,
    "redirect": redirect,
    "close": close,
}
