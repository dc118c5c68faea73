"""The routes of the stand-in for Radarr."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from aiohttp import web

from local.standins.arr import (
    ArrServer,
    RejectedError,
    Resource,
    applied,
    body_of,
    failure,
    id_of,
    message_response,
    slug_of,
    timestamp,
)
from local.standins.tmdb.catalogue import Catalogue, Title, load_catalogue
from local.standins.tmdb.details import GENRES

API_KEY = "7d1f0c52a9e84b3fb6c01e5d94a7f238"
ROOT_FOLDER = "/media/films"
FILE_BYTES = 8_000_000_000
_COMMANDS = ("MoviesSearch", "RefreshMovie", "RescanMovie", "RssSync", "MissingMoviesSearch")
# The fields that a PUT replaces; everything else in its body is ignored.
_REPLACED: Mapping[str, Callable[[], Any]] = {
    "path": str,
    "qualityProfileId": int,
    "monitored": lambda: True,
    "minimumAvailability": lambda: "tba",
    "tags": list,
}


class Radarr(ArrServer):
    """The films of one server; it knows those of the catalogue."""

    def __init__(self, catalogue: Catalogue, metadata_seconds: float) -> None:
        super().__init__("Radarr", "6.0.4.10291", API_KEY, ROOT_FOLDER)
        self.known_commands = frozenset(_COMMANDS)
        self._metadata_seconds = metadata_seconds
        self._titles = {each.id: each for each in catalogue.titles if each.media_type == "movie"}
        self._movies: dict[int, Resource] = {}
        self._movie_ids = count(1)

    async def list_movies(self, request: web.Request) -> web.Response:
        """List films; with tmdbId, the one film or none."""
        movies = list(self._movies.values())
        if "tmdbId" in request.query:
            tmdb_id = id_of(request.query["tmdbId"])
            movies = [each for each in movies if each["tmdbId"] == tmdb_id]
        return web.json_response(movies)

    async def show_movie(self, request: web.Request) -> web.Response:
        """Return one film."""
        movie = self._movies.get(id_of(request.match_info["id"]) or 0)
        return not_found() if movie is None else web.json_response(movie)

    async def look_up(self, request: web.Request) -> web.Response:
        """Search films in Radarr's source, by id or by words."""
        prefix, _, text = request.query.get("term", "").partition(":")
        if prefix in {"tmdb", "tmdbid"}:
            found = [each for each in self._titles.values() if each.id == id_of(text)]
        else:
            words = request.query.get("term", "").lower()
            found = [each for each in self._titles.values() if words in each.title.lower()]
        return web.json_response(
            [self._by_tmdb_id(each.id) or describe(each, 0, {}) for each in found[:20]]
        )

    async def add_movie(self, request: web.Request) -> web.Response:
        """Add a film, after a look at the source, as Radarr does."""
        body = await body_of(request)
        if failures := list(self._check_new(body)):
            raise RejectedError(*failures)
        await asyncio.sleep(self._metadata_seconds)
        title = self._titles.get(body["tmdbId"])
        if title is None:
            message = f"A movie with this ID was not found. Path: {body.get('path') or ''}"
            raise RejectedError(failure("TmdbId", message, body["tmdbId"], None))
        if self._by_tmdb_id(title.id) is not None:
            # Another call added it since the validators ran.
            message = "constraint failed\nUNIQUE constraint failed: Movies.MovieMetadataId"
            return message_response(message, 409)
        movie = describe(title, next(self._movie_ids), body)
        self._movies[movie["id"]] = movie
        if (body.get("addOptions") or {}).get("searchForMovie"):
            self.record_command("MoviesSearch", "unspecified", {"movieIds": [movie["id"]]})
        return web.json_response(movie, status=201)

    async def update_movie(self, request: web.Request) -> web.Response:
        """Replace what can be edited of a film with the body; what it lacks is reset."""
        body = await body_of(request)
        movie = self._movies.get(id_of(request.match_info["id"]) or 0)
        failures = list(self.check_profile(body))
        if not body.get("path"):
            failures.append(failure("Path", "'Path' must not be empty.", "", "NotEmptyValidator"))
        if failures:
            raise RejectedError(*failures)
        if movie is None:
            return not_found()
        movie.update(applied(_REPLACED, body))
        movie["tags"] = sorted(set(movie["tags"]))
        return web.json_response(movie, status=202)

    async def import_file(self, request: web.Request) -> web.Response:
        """Let the file of a film arrive, or with DELETE disappear."""
        movie = self._by_tmdb_id((await body_of(request)).get("tmdbId", 0))
        if movie is None:
            return not_found()
        has_file = request.method == "POST"
        movie["hasFile"] = has_file
        movie["sizeOnDisk"] = FILE_BYTES if has_file else 0
        movie["statistics"] = statistics(has_file=has_file)
        return web.json_response(movie)

    async def remove(self, _request: web.Request) -> web.Response:
        """Forget all films, tags and commands."""
        self._movies.clear()
        self.tags.clear()
        self.commands.clear()
        return web.Response(status=204)

    def _by_tmdb_id(self, tmdb_id: int) -> Resource | None:
        return next((each for each in self._movies.values() if each["tmdbId"] == tmdb_id), None)

    def _check_new(self, body: Resource) -> Iterator[Resource]:
        yield from self.check_profile(body)
        yield from self.check_root_folder(body)
        tmdb_id = body.get("tmdbId") or 0
        if not tmdb_id:
            yield failure("TmdbId", "'Tmdb Id' must not be empty.", 0, "NotEmptyValidator")
        elif self._by_tmdb_id(tmdb_id) is not None:
            message = "This movie has already been added"
            yield failure("TmdbId", message, tmdb_id, "MovieExistsValidator")


def describe(title: Title, id_: int, body: Resource) -> Resource:
    """Return a film as Radarr has it; the body is that of the call that adds it."""
    folder = f"{title.title} ({title.date[:4]})".replace("/", "+")
    root = (body.get("rootFolderPath") or "").rstrip("/")
    movie: Resource = {
        "title": title.title,
        "originalTitle": title.original_title or title.title,
        "originalLanguage": {"id": 1, "name": "English"},
        "alternateTitles": [],
        "sortTitle": title.title.lower(),
        "sizeOnDisk": 0,
        "status": "released",
        "overview": title.overview,
        "inCinemas": f"{title.date}T00:00:00Z" if title.date else None,
        "images": [],
        "year": int(title.date[:4] or 0),
        "hasFile": False,
        "studio": "",
        "path": body.get("path") or f"{root}/{folder}",
        "qualityProfileId": body.get("qualityProfileId") or 0,
        "monitored": body.get("monitored", True),
        "minimumAvailability": body.get("minimumAvailability") or "tba",
        "isAvailable": True,
        "folderName": f"{root}/{folder}",
        "runtime": title.runtime,
        "cleanTitle": slug_of(title.title).replace("-", ""),
        "imdbId": title.imdb,
        "tmdbId": title.id,
        "titleSlug": str(title.id),
        "rootFolderPath": body.get("rootFolderPath") or "",
        "genres": [GENRES[each] for each in title.genres],
        "tags": sorted(set(body.get("tags") or [])),
        "added": timestamp(),
        "ratings": {},
        "popularity": title.popularity,
        "statistics": statistics(has_file=False),
    }
    # A film of the source has no id.
    return {**movie, "id": id_} if id_ else movie


def statistics(*, has_file: bool) -> Resource:
    """Return the statistics of a film."""
    size = FILE_BYTES if has_file else 0
    return {"movieFileCount": int(has_file), "sizeOnDisk": size, "releaseGroups": []}


def not_found() -> web.Response:
    """Return Radarr's 404 for an id."""
    return message_response("Movie with this ID does not exist", 404)


def create_app(
    catalogue: Catalogue | None = None, *, metadata_seconds: float = 0.0
) -> web.Application:
    """Build the stand-in; `metadata_seconds` is the time that its source takes for an add."""
    radarr = Radarr(catalogue or load_catalogue(), metadata_seconds)
    app = radarr.application()
    app.router.add_get("/api/v3/movie", radarr.list_movies)
    app.router.add_post("/api/v3/movie", radarr.add_movie)
    app.router.add_get("/api/v3/movie/lookup", radarr.look_up)
    app.router.add_get("/api/v3/movie/{id}", radarr.show_movie)
    app.router.add_put("/api/v3/movie/{id}", radarr.update_movie)
    app.router.add_post("/standin/import", radarr.import_file)
    app.router.add_delete("/standin/import", radarr.import_file)
    app.router.add_delete("/standin/titles", radarr.remove)
    return app
