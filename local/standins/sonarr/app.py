"""The routes of the stand-in for Sonarr."""

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
)
from local.standins.sonarr.shows import Show, added, describe, describe_episode
from local.standins.tmdb.catalogue import Catalogue, load_catalogue

API_KEY = "c25e8b0f64d741a98e3f7a1b5c9d0e62"
ROOT_FOLDER = "/media/shows"
LANGUAGE_PROFILE = 1
_COMMANDS = (
    "SeasonSearch",
    "SeriesSearch",
    "EpisodeSearch",
    "MissingEpisodeSearch",
    "RefreshSeries",
)
# The fields that a PUT replaces besides the seasons; everything else in its body is ignored.
_REPLACED: Mapping[str, Callable[[], Any]] = {
    "tvdbId": int,
    "path": str,
    "qualityProfileId": int,
    "seriesType": lambda: "standard",
    "seasonFolder": bool,
    "monitored": bool,
    "monitorNewItems": lambda: "all",
    "tags": list,
}


class Sonarr(ArrServer):
    """The shows of one server; it knows those of the catalogue that have a TVDB id."""

    def __init__(self, catalogue: Catalogue, version: str, metadata_seconds: float) -> None:
        super().__init__("Sonarr", version, API_KEY, ROOT_FOLDER)
        self.known_commands = frozenset(_COMMANDS)
        self.is_v3 = version.startswith("3.")
        self.names_itself = not self.is_v3
        self._metadata_seconds = metadata_seconds
        shows = (each for each in catalogue.titles if each.media_type == "tv")
        self._titles = {each.tvdb: each for each in shows if each.tvdb is not None}
        self._shows: dict[int, Show] = {}
        self._show_ids = count(1)
        self._next_episode = 1

    async def list_series(self, request: web.Request) -> web.Response:
        """List shows; with tvdbId, the one show or none."""
        shows = [each.resource() for each in self._shows.values()]
        if "tvdbId" in request.query:
            tvdb_id = id_of(request.query["tvdbId"])
            shows = [each for each in shows if each["tvdbId"] == tvdb_id]
        return web.json_response(shows)

    async def show_series(self, request: web.Request) -> web.Response:
        """Return one show."""
        show = self._shows.get(id_of(request.match_info["id"]) or 0)
        return web.Response(status=404) if show is None else web.json_response(show.resource())

    async def look_up(self, request: web.Request) -> web.Response:
        """Search shows in Sonarr's source, by id or by words; Sonarr 3 knows no ids of TMDB."""
        prefix, _, text = request.query.get("term", "").partition(":")
        titles = self._titles.values()
        if prefix in {"tvdb", "tvdbid"}:
            found = [each for each in titles if each.tvdb == id_of(text)]
        elif prefix in {"tmdb", "tmdbid"} and not self.is_v3:
            found = [each for each in titles if each.id == id_of(text)]
        else:
            words = request.query.get("term", "").lower()
            found = [each for each in titles if words in each.title.lower()]
        results = []
        for each in found[:20]:
            show = self._by_tvdb_id(each.tvdb)
            results.append(describe(each) if show is None else show.resource())
        return web.json_response(results)

    async def add_series(self, request: web.Request) -> web.Response:
        """Add a show, after a look at the source; its episodes come right after the response."""
        body = await body_of(request)
        if failures := list(self._check_new(body)):
            raise RejectedError(*failures)
        await asyncio.sleep(self._metadata_seconds)
        title = self._titles.get(body["tvdbId"])
        if title is None:
            message = f"A series with this ID was not found. Path: {body.get('path') or ''}"
            raise RejectedError(failure("TvdbId", message, body["tvdbId"], None))
        if self._by_tvdb_id(title.tvdb) is not None:
            # Another call added it since the validators ran.
            message = "constraint failed\nUNIQUE constraint failed: Series.TvdbId"
            return message_response(message, 409)
        show = Show(added(title, next(self._show_ids), body))
        self._shows[show.fields["id"]] = show
        response = web.json_response(show.fields, status=201)
        show.refresh(title, self._next_episode)
        self._next_episode += len(show.episodes)
        if (body.get("addOptions") or {}).get("searchForMissingEpisodes"):
            fields = {"seriesId": show.fields["id"]}
            self.record_command("MissingEpisodeSearch", "unspecified", fields)
        return response

    async def update_series(self, request: web.Request) -> web.Response:
        """Replace what can be edited of a show with the body; what it lacks is reset."""
        body = await body_of(request)
        show = self._shows.get(id_of(request.match_info["id"]) or 0)
        failures = [*self.check_profile(body), *self._check_language(body)]
        if not str(body.get("path") or "").startswith("/"):
            failures.append(failure("Path", "Invalid Path", body.get("path"), "PathValidator"))
        if failures:
            raise RejectedError(*failures)
        if show is None:
            return message_response("Series with this ID does not exist", 404)
        show.replace_seasons(body.get("seasons") or [])
        show.fields.update(applied(_REPLACED, body))
        show.fields["tags"] = sorted(set(show.fields["tags"]))
        return web.json_response(show.resource(), status=202)

    async def list_episodes(self, request: web.Request) -> web.Response:
        """List the episodes of a show, or of one of its seasons."""
        if "seriesId" not in request.query:
            return message_response("seriesId or episodeIds must be provided", 400)
        show = self._shows.get(id_of(request.query["seriesId"]) or 0)
        episodes = [] if show is None else [describe_episode(show, each) for each in show.episodes]
        if "seasonNumber" in request.query:
            season = id_of(request.query["seasonNumber"])
            episodes = [each for each in episodes if each["seasonNumber"] == season]
        return web.json_response(episodes)

    async def monitor_episodes(self, request: web.Request) -> web.Response:
        """Monitor episodes, or stop that."""
        body = await body_of(request)
        wanted = set(body.get("episodeIds") or [])
        changed = []
        for show in self._shows.values():
            for each in show.episodes:
                if each.id in wanted:
                    each.is_monitored = bool(body.get("monitored"))
                    changed.append(describe_episode(show, each))
        return web.json_response(changed, status=202)

    async def list_language_profiles(self, _request: web.Request) -> web.Response:
        """List the language profiles, of which Sonarr 4 has only a remnant."""
        name = "English" if self.is_v3 else "Deprecated"
        return web.json_response([{"id": LANGUAGE_PROFILE, "name": name}])

    async def import_files(self, request: web.Request) -> web.Response:
        """Let the files of `seasons` (or all) arrive, `episodes` of each; DELETE removes them."""
        body = await body_of(request)
        show = self._by_tvdb_id(body.get("tvdbId"))
        if show is None:
            return web.Response(status=404)
        seasons = body.get("seasons")
        for each in show.episodes:
            if (seasons is None or each.season in seasons) and (
                each.number <= body.get("episodes", each.number)
            ):
                each.has_file = request.method == "POST"
        return web.json_response(show.resource())

    async def remove(self, _request: web.Request) -> web.Response:
        """Forget all shows, tags and commands."""
        self._shows.clear()
        self.tags.clear()
        self.commands.clear()
        return web.Response(status=204)

    def _by_tvdb_id(self, tvdb_id: int | None) -> Show | None:
        shows = self._shows.values()
        return next((each for each in shows if each.fields["tvdbId"] == tvdb_id), None)

    def _check_new(self, body: Resource) -> Iterator[Resource]:
        yield from self.check_profile(body)
        yield from self._check_language(body)
        yield from self.check_root_folder(body)
        if not body.get("title"):
            yield failure("Title", "'Title' must not be empty.", "", "NotEmptyValidator")
        tvdb_id = body.get("tvdbId") or 0
        if tvdb_id <= 0:
            message = "'Tvdb Id' must be greater than '0'."
            yield failure("TvdbId", message, tvdb_id, "GreaterThanValidator")
        elif self._by_tvdb_id(tvdb_id) is not None:
            message = "This series has already been added"
            yield failure("TvdbId", message, tvdb_id, "SeriesExistsValidator")

    def _check_language(self, body: Resource) -> Iterator[Resource]:
        profile = body.get("languageProfileId")
        if self.is_v3 and profile != LANGUAGE_PROFILE:
            message = "Language profile does not exist"
            code = "LanguageProfileExistsValidator"
            yield failure("LanguageProfileId", message, profile or 0, code)


def create_app(
    catalogue: Catalogue | None = None,
    *,
    version: str = "4.0.16.2944",
    metadata_seconds: float = 0.0,
) -> web.Application:
    """Build the stand-in; `metadata_seconds` is the time that its source takes for an add."""
    sonarr = Sonarr(catalogue or load_catalogue(), version, metadata_seconds)
    app = sonarr.application()
    app.router.add_get("/api/v3/series", sonarr.list_series)
    app.router.add_post("/api/v3/series", sonarr.add_series)
    app.router.add_get("/api/v3/series/lookup", sonarr.look_up)
    app.router.add_get("/api/v3/series/{id}", sonarr.show_series)
    app.router.add_put("/api/v3/series/{id}", sonarr.update_series)
    app.router.add_get("/api/v3/episode", sonarr.list_episodes)
    app.router.add_put("/api/v3/episode/monitor", sonarr.monitor_episodes)
    app.router.add_get("/api/v3/languageprofile", sonarr.list_language_profiles)
    app.router.add_post("/standin/import", sonarr.import_files)
    app.router.add_delete("/standin/import", sonarr.import_files)
    app.router.add_delete("/standin/titles", sonarr.remove)
    return app
