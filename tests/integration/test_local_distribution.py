"""The local distribution: page, API and images on one port, as template.yaml describes them."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local.distribution.folder import WebFolder
from local.distribution.images import ImageHost
from local.distribution.server import DistributionServer
from local.run_config import PROJECT
from local.standins import serve, url_of
from local.template.models import Distribution
from local.template.reader import read_template
from medianest.api.headers import SECURITY_HEADERS

INDEX = '<script type="module" src="/assets/VERSION/app.js"></script>'
SCRIPT = 'import "./pages/home.js";\n' * 100
POSTER = "/images/t/p/w342/poster.jpg"


@cache
def distribution() -> Distribution:
    found = read_template(PROJECT / "template.yaml", opt=Path("opt")).distribution
    assert found is not None
    return found


def run[T](work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(work, loop_factory=asyncio.new_event_loop)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, with its body as sent and decompressed."""

    status: int
    headers: Any
    raw: bytes

    @property
    def text(self) -> str:
        is_compressed = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.raw) if is_compressed else self.raw).decode()


class World:
    """A folder with a page, an API that repeats the request, and an image host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.image_requests: list[web.Request] = []
        (folder / "index.html").write_text(INDEX)
        (folder / "app.js").write_text(SCRIPT)

    async def api(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.text()
        headers = {"X-Frame-Options": "of the API", "Set-Cookie": "a=b"}
        text = f"{request.method} {request.path_qs} {body}"
        return web.Response(status=404, text=text, headers=headers)

    async def image(self, request: web.Request) -> web.StreamResponse:
        self.image_requests.append(request)
        match request.match_info["name"]:
            case "poster.jpg":
                headers = {"Cache-Control": "max-age=9", "Set-Cookie": "a=b", "X-Cache": "hit"}
                return web.Response(body=b"jpeg", content_type="image/jpeg", headers=headers)
            case "moved.jpg":
                return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})
            case "huge.jpg":
                return web.Response(body=b"x" * (10 * 1024 * 1024 + 1))
            case "dropped.jpg":
                assert request.transport is not None
                request.transport.abort()
        return web.Response(status=404, text="a page of the host")

    @asynccontextmanager
    async def serving(self, image_url: str | None = None) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/t/p/{size}/{name}", self.image)
        runner = await serve(app, "127.0.0.1", 0)
        try:
            async with (
                ImageHost(image_url or url_of(runner)) as images,
                DistributionServer(
                    distribution(),
                    api=self.api,
                    page=WebFolder(self.folder),
                    images=images,
                    log=self.log.append,
                ) as server,
            ):
                yield server.url
        finally:
            await runner.cleanup()

    def call(self, *paths: str, method: str = "GET", **options: Any) -> list[Answer]:
        """Make one call after the other, with their paths as they are."""

        async def calls() -> list[Answer]:
            async with (
                self.serving(options.pop("image_url", None)) as url,
                aiohttp.ClientSession(auto_decompress=False) as client,
            ):
                return [await self._call(client, method, url + path, options) for path in paths]

        return run(calls())

    async def _call(
        self, client: aiohttp.ClientSession, method: str, url: str, options: dict[str, Any]
    ) -> Answer:
        headers = {"Accept-Encoding": "identity", **options.get("headers", {})}
        sent = {**options, "headers": headers, "allow_redirects": False}
        async with client.request(method, url, **sent) as response:
            return Answer(response.status, response.headers, await response.read())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def app_url(world: World) -> str:
    (answer,) = world.call("/")
    return answer.text.partition('src="')[2].partition('"')[0]


@pytest.mark.parametrize("path", ["/", "/index.html", "/search?q=a.b", "/movie/603", "/admin/"])
def test_paths_of_the_page_answer_index_html_which_is_never_cached(world: World, path: str) -> None:
    (answer,) = world.call(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "VERSION" not in answer.text


def test_assets_of_the_current_version_are_cached_for_a_year(world: World) -> None:
    url = app_url(world)
    (answer,) = world.call(url)
    assert (answer.status, answer.text) == (200, SCRIPT)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_edit_shows_on_reload_without_a_restart(world: World) -> None:
    async def edit() -> list[str]:
        async with world.serving() as url, aiohttp.ClientSession() as client:
            seen = []
            for script in ("one", "two"):
                (world.folder / "app.js").write_text(script)
                async with client.get(url) as index:
                    path = (await index.text()).partition('src="')[2].partition('"')[0]
                async with client.get(url + path) as answer:
                    seen += [path, await answer.text(), answer.headers["Cache-Control"]]
            async with client.get(url + seen[0]) as answer:
                return [*seen, await answer.text(), answer.headers["Cache-Control"]]

    first, one, _, second, two, caching, from_old_url, old_caching = run(edit())
    assert first != second
    assert (one, two, from_old_url) == ("one", "two", "two")
    assert "immutable" in caching
    assert old_caching == "no-cache", "a browser would keep the new content under the old URL"


@pytest.mark.parametrize(
    "path", ["/favicon.ico", "/assets/app.js", "/assets/1/nothing.js", "/assets/1/", "/app.js"]
)
def test_missing_file_is_a_404_and_never_index_html(world: World, path: str) -> None:
    (answer,) = world.call(path)
    assert (answer.status, answer.text) == (404, "<Error><Code>NoSuchKey</Code></Error>")
    assert [line.split()[1:4] for line in world.log] == [["GET", path, "404"]]


@pytest.mark.parametrize(
    "path", ["/assets/1/../../../template.yaml", "/assets/1/%2e%2e/index.html", "/..%2findex.html"]
)
def test_no_path_leads_out_of_the_folder(world: World, path: str) -> None:
    async def send() -> bytes:
        async with world.serving() as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return answer

    assert run(send()).startswith(b"HTTP/1.1 404 ")


def test_large_text_is_compressed_for_clients_that_accept_it(world: World) -> None:
    url = app_url(world)
    (packed,) = world.call(url, headers={"Accept-Encoding": "br, gzip"})
    (plain,) = world.call(url)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert (packed.text, plain.text) == (SCRIPT, SCRIPT)
    assert len(packed.raw) < len(plain.raw) / 4
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    (index,) = world.call("/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in index.headers, "it is small"


def test_unchanged_file_is_not_sent_again(world: World) -> None:
    for path in ("/", app_url(world)):
        for accepted in ("gzip", "identity"):
            (first,) = world.call(path, headers={"Accept-Encoding": accepted})
            headers = {"Accept-Encoding": accepted, "If-None-Match": first.headers["ETag"]}
            (second,) = world.call(path, headers=headers)
            assert (second.status, second.raw) == (304, b"")
            assert second.headers["Cache-Control"] == first.headers["Cache-Control"]
    (world.folder / "index.html").write_text("another")
    assert world.call("/", headers=headers)[0].status == 200


def test_head_has_the_headers_of_get_without_a_body(world: World) -> None:
    (got,), (head,) = world.call("/"), world.call("/", method="HEAD")
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/assets/1/app.js", POSTER])
def test_page_and_images_refuse_other_methods(world: World, path: str, method: str) -> None:
    (answer,) = world.call(path, method=method)
    assert answer.status == 403
    assert world.image_requests == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_api_gets_the_request_unchanged_and_keeps_its_404(world: World, method: str) -> None:
    (answer,) = world.call("/api/a%20b/x.y?q=1&q=2", method=method, data="body")
    assert (answer.status, answer.text) == (404, f"{method} /api/a%20b/x.y?q=1&q=2 body")
    assert answer.headers["Set-Cookie"] == "a=b"
    assert world.log == [], "API Gateway logs its calls itself"


@pytest.mark.parametrize(
    "path",
    ["/", "/assets/1/app.js", "/favicon.ico", "/api/auth/me", POSTER, "/images/t/p/w1/a.jpg"],
)
def test_every_response_has_each_security_header_once(world: World, path: str) -> None:
    (answer,) = world.call(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.getall(name) == [value]
    (refused,) = world.call("/", method="POST")
    assert refused.headers["X-Frame-Options"] == "DENY"


def test_image_host_gets_neither_cookies_nor_a_query(world: World) -> None:
    headers = {"Cookie": "session=secret", "Authorization": "Bearer secret", "X-Own": "1"}
    (answer,) = world.call(f"{POSTER}?token=secret", headers=headers)
    assert (answer.status, answer.raw) == (200, b"jpeg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "max-age=9"
    assert not {"Set-Cookie", "X-Cache"} & set(answer.headers)
    (request,) = world.image_requests
    assert (request.path, request.query_string) == ("/t/p/w342/poster.jpg", "")
    assert not {"Cookie", "Authorization", "X-Own"} & set(request.headers)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/images/t/p/w342/moved.jpg", 302),
        ("/images/t/p/w342/missing.jpg", 404),
        ("/images/t/p/w342/huge.jpg", 502),
        ("/images/t/p/w342/dropped.jpg", 502),
        ("/images/t/p/w300/poster.jpg", 404),
        ("/images/t/p/w342/poster.gif", 404),
    ],
)
def test_failure_of_the_image_host_is_a_status_without_a_body(
    world: World, path: str, status: int
) -> None:
    (answer,) = world.call(path)
    assert (answer.status, answer.raw) == (status, b"")
    assert "Location" not in answer.headers


def test_image_host_that_is_down_is_a_502(world: World) -> None:
    (answer,) = world.call(POSTER, image_url="http://127.0.0.1:1")
    assert answer.status == 502


def test_real_image_host_is_that_of_the_template() -> None:
    assert distribution().image_url == "https://image.tmdb.org"
