"""Serve a distribution over HTTP: each path by the origin of its first matching behaviour."""

import re
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256

from aiohttp import web

from local.distribution.folder import WebFolder
from local.distribution.images import ImageHost
from local.distribution.viewer_functions import VIEWER_FUNCTIONS
from local.gateway.http_server import HttpServer
from local.gateway.server import print_access
from local.template.loader import TemplateError
from local.template.models import Behavior, Distribution
from medianest.web_assets.release import WebFile

# CloudFront compresses objects from this size; the types are those of the page's text files.
_MIN_COMPRESSED = 1000
_COMPRESSIBLE = re.compile(r"text/.+|application/(json|javascript)|image/svg\+xml")
_ERROR = "<!doctype html><title>Error</title><p>The request could not be satisfied.\n"
_MISSING = "<Error><Code>NoSuchKey</Code></Error>"
_FIRST_ERROR = 400

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class DistributionServer(HttpServer):
    """Serves page, API and images on one port; the API's requests go to `api` unchanged."""

    def __init__(
        self,
        distribution: Distribution,
        *,
        api: Handler,
        page: WebFolder,
        images: ImageHost,
        port: int = 0,
        log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(self._serve, port)
        for behavior in distribution.behaviors:
            if behavior.function is not None and behavior.function not in VIEWER_FUNCTIONS:
                raise TemplateError(f"viewer_functions.py has no {behavior.function}")
        self._behaviors = [(_pattern(each.pattern), each) for each in distribution.behaviors]
        self._api = api
        self._page = page
        self._images = images
        self._log = log or print_access

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        path = request.rel_url.raw_path
        behavior = next(each for pattern, each in self._behaviors if pattern.fullmatch(path))
        if behavior.origin == "api" and request.method in behavior.methods:
            response = await self._api(request)  # writes its own line of the log
        else:
            response = await self._respond(request, behavior, path)
            if response.status >= _FIRST_ERROR:
                milliseconds = (time.perf_counter() - started) * 1000
                self._log(
                    f"{time.strftime('%H:%M:%S')} {request.method} {path} {response.status} "
                    f"{milliseconds:.1f} ms {behavior.origin}"
                )
        response.headers.update(behavior.headers)
        return response

    async def _respond(
        self, request: web.BaseRequest, behavior: Behavior, path: str
    ) -> web.Response:
        if request.method not in behavior.methods:
            return web.Response(status=403, text=_ERROR, content_type="text/html")
        function = behavior.function
        origin_path = path if function is None else VIEWER_FUNCTIONS[function](path)
        if origin_path is None:
            return web.Response(status=404)
        if behavior.origin == "images":
            return await self._images.fetch(origin_path)
        file = self._page.find(origin_path)
        if file is None:
            return web.Response(status=404, text=_MISSING, content_type="application/xml")
        return _file_response(request, file, may_compress=behavior.compresses)


def _file_response(request: web.BaseRequest, file: WebFile, *, may_compress: bool) -> web.Response:
    etag = f'"{sha256(file.content).hexdigest()[:32]}"'
    headers = {"Cache-Control": file.cache_control, "Content-Type": file.content_type, "ETag": etag}
    is_compressible = (
        may_compress
        and len(file.content) >= _MIN_COMPRESSED
        and _COMPRESSIBLE.fullmatch(file.content_type.partition(";")[0]) is not None
    )
    if is_compressible:
        headers["Vary"] = "Accept-Encoding"
    compresses = is_compressible and "gzip" in request.headers.get("Accept-Encoding", "")
    if compresses:
        headers["ETag"] = f"W/{etag}"
    known = request.headers.get("If-None-Match", "")
    if etag in (each.strip().removeprefix("W/") for each in known.split(",")):
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    response = web.Response(headers=headers, body=file.content)
    if compresses:
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _pattern(pattern: str) -> re.Pattern[str]:
    """Compile a path pattern: `*` matches any characters, `?` one."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
