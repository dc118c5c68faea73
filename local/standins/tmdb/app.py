"""The routes of the stand-in for TMDB."""

import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from local.standins.faults import Faults, Handler
from local.standins.tmdb.catalogue import Catalogue, MediaType, Title, load_catalogue
from local.standins.tmdb.details import details_response
from local.standins.tmdb.errors import not_found, refuse
from local.standins.tmdb.lists import Lists, describe_star
from local.standins.tmdb.pictures import PictureKind, draw
from local.standins.tmdb.search import is_found, matches, page_of, search_result


class Tmdb:
    """The routes over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.lists = Lists(catalogue)
        self._stars = catalogue.stars
        self._titles = {(title.media_type, title.id): title for title in catalogue.titles}
        self._pictures: dict[str, tuple[Title, PictureKind]] = {
            path: (title, kind) for title in catalogue.titles for path, kind in _pictures_of(title)
        }

    async def search_multi(self, request: web.Request) -> web.Response:
        """Search films, shows and people."""
        results = [
            {"media_type": title.media_type, **search_result(title, request)}
            for title in self._titles.values()
            if is_found(title, request)
        ]
        results += [
            describe_star(star, self._titles, request)
            for star in self._stars
            if matches(request.query.get("query", ""), star.name)
        ]
        return page_of(results, request)

    async def search_movies(self, request: web.Request) -> web.Response:
        """Search films."""
        return page_of(self._search("movie", request), request)

    async def search_shows(self, request: web.Request) -> web.Response:
        """Search shows."""
        return page_of(self._search("tv", request), request)

    async def show_title(self, request: web.Request) -> web.Response:
        """Return the details of a film or show."""
        id_text = request.match_info["id"]
        if not re.fullmatch("0*[1-9][0-9]{0,9}", id_text):
            message = "Invalid id: The pre-requisite id is invalid or not found."
            return refuse(404, 6, message)
        kind: MediaType = "movie" if request.match_info["kind"] == "movie" else "tv"
        title = self._titles.get((kind, int(id_text)))
        return not_found() if title is None else details_response(title, request)

    async def show_picture(self, request: web.Request) -> web.Response:
        """Return a picture; unlike those of TMDB, it is drawn."""
        found = self._pictures.get(f"/{request.match_info['name']}")
        if found is None:
            return web.Response(status=404)
        picture = draw(*found, width=int(request.match_info["width"]))
        headers = {"Cache-Control": "public, max-age=31536000"}
        return web.Response(text=picture, content_type="image/svg+xml", headers=headers)

    def _search(self, media_type: str, request: web.Request) -> list[dict[str, Any]]:
        return [
            search_result(title, request)
            for title in self._titles.values()
            if title.media_type == media_type and is_found(title, request)
        ]


def _pictures_of(title: Title) -> Iterator[tuple[str, PictureKind]]:
    if title.poster is not None:
        yield title.poster, "poster"
    if title.backdrop is not None:
        yield title.backdrop, "backdrop"


def create_app(catalogue: Catalogue | None = None) -> web.Application:
    """Build the stand-in, by default for the catalogue of this folder."""
    tmdb = Tmdb(catalogue or load_catalogue())
    app = web.Application(middlewares=[require_key])
    app.router.add_get("/3/search/multi", tmdb.search_multi)
    app.router.add_get("/3/search/movie", tmdb.search_movies)
    app.router.add_get("/3/search/tv", tmdb.search_shows)
    lists = tmdb.lists
    app.router.add_get("/3/trending/{kind:all|movie|tv}/{window:day|week}", lists.trending)
    app.router.add_get("/3/{kind:movie|tv}/popular", lists.popular)
    app.router.add_get("/3/movie/upcoming", lists.upcoming)
    app.router.add_get("/3/discover/tv", lists.discover_shows)
    app.router.add_get("/3/find/{id}", lists.find)
    app.router.add_get("/3/{kind:movie|tv}/{id}", tmdb.show_title)
    app.router.add_get("/3/configuration", show_configuration)
    app.router.add_get(r"/t/p/w{width:[1-9]\d{1,3}}/{name}", tmdb.show_picture)
    app.router.add_route("*", "/3/{anything:.*}", respond_not_found)
    Faults().install(app)
    return app


@web.middleware
async def require_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject a call without a v3 key in the query or a v4 token in the header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = request.query.get("api_key", "")
    has_token = scheme == "Bearer" and re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    has_key = has_token or re.fullmatch(r"[\w-]+", key)
    if request.path.startswith("/3/") and not has_key:
        return refuse(401, 7, "Invalid API key: You must be granted a valid key.")
    return await handler(request)


async def show_configuration(_request: web.Request) -> web.Response:
    """Return the addresses and sizes of images."""
    return web.json_response(
        {
            "images": {
                "base_url": "http://image.tmdb.org/t/p/",
                "secure_base_url": "https://image.tmdb.org/t/p/",
                "backdrop_sizes": ["w300", "w780", "w1280", "original"],
                "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
                "profile_sizes": ["w45", "w185", "h632", "original"],
            },
            "change_keys": [],
        }
    )


async def respond_not_found(_request: web.Request) -> web.Response:
    """Respond 404 for an unknown path."""
    return not_found()
