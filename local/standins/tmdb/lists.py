"""The lists of TMDB: trending, popular, upcoming and new titles, and titles by an external id."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from local.standins.tmdb.catalogue import Catalogue, MediaType, Star, Title
from local.standins.tmdb.errors import not_found, refuse
from local.standins.tmdb.search import paged, search_result

# One person among so many titles of the list of everything that is trending.
TITLES_PER_PERSON = 12
UPCOMING_DAYS = 120
EXTERNAL_SOURCES = ("imdb_id", "tvdb_id")


class Lists:
    """The lists over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._stars = catalogue.stars
        self._titles = {(title.media_type, title.id): title for title in catalogue.titles}

    async def trending(self, request: web.Request) -> web.Response:
        """List the latest titles; everything that is trending includes people."""
        kind = request.match_info["kind"]
        released = [
            title
            for title in self._titles.values()
            if title.date <= today().isoformat() and kind in ("all", title.media_type)
        ]
        released.sort(key=lambda title: title.date, reverse=True)
        results = [marked(title, request) for title in released]
        if kind == "all":
            for number, star in enumerate(self._stars):
                person = describe_star(star, self._titles, request)
                results.insert(TITLES_PER_PERSON * (number + 1) - 1, person)
        return paged(results, request)

    async def popular(self, request: web.Request) -> web.Response:
        """List films or shows, the most popular first."""
        return self._by_popularity(self._of_kind(request.match_info["kind"]), request)

    async def upcoming(self, request: web.Request) -> web.Response:
        """List the films that come out soon, and the dates between which they do."""
        first, last = today() + timedelta(days=1), today() + timedelta(days=UPCOMING_DAYS)
        films = [
            title
            for title in self._of_kind("movie")
            if first.isoformat() <= title.date <= last.isoformat()
        ]
        dates = {"maximum": last.isoformat(), "minimum": first.isoformat()}
        return self._by_popularity(films, request, dates=dates)

    async def discover_shows(self, request: web.Request) -> web.Response:
        """List the shows that begin on a day or later."""
        begin = request.query.get("first_air_date.gte", "")
        if request.query.get("sort_by", "popularity.desc") != "popularity.desc" or not (
            re.fullmatch(r"\d{4}-\d{2}-\d{2}", begin) or not begin
        ):
            return invalid_parameters()
        shows = [title for title in self._of_kind("tv") if title.date >= begin]
        return self._by_popularity(shows, request)

    async def find(self, request: web.Request) -> web.Response:
        """Return the titles with an id of IMDb or TVDB."""
        source = request.query.get("external_source", "")
        if source not in EXTERNAL_SOURCES:
            return invalid_parameters()
        wanted = request.match_info["id"]
        if source == "imdb_id" and not re.fullmatch(r"(tt|nm)\d{7,10}", wanted):
            return not_found()
        found = [
            title
            for title in self._titles.values()
            if wanted == (title.imdb if source == "imdb_id" else str(title.tvdb or ""))
        ]
        return web.json_response(
            {
                "movie_results": [marked(t, request) for t in found if t.media_type == "movie"],
                "person_results": [],
                "tv_results": [marked(t, request) for t in found if t.media_type == "tv"],
                "tv_episode_results": [],
                "tv_season_results": [],
            }
        )

    def _of_kind(self, kind: str) -> list[Title]:
        return [title for title in self._titles.values() if title.media_type == kind]

    def _by_popularity(
        self, titles: Iterable[Title], request: web.Request, **more: object
    ) -> web.Response:
        ordered = sorted(titles, key=lambda title: -title.popularity)
        return paged([search_result(title, request) for title in ordered], request, **more)


def today() -> date:
    """Return the date in UTC."""
    return datetime.now(UTC).date()


def marked(title: Title, request: web.Request) -> dict[str, Any]:
    """Return a title as a result that names its type."""
    return {"media_type": title.media_type, **search_result(title, request)}


def invalid_parameters() -> web.Response:
    """Reject parameters as TMDB does."""
    return refuse(422, 5, "Invalid parameters: Your request parameters are incorrect.")


def describe_star(
    star: Star, titles: Mapping[tuple[MediaType, int], Title], request: web.Request
) -> dict[str, Any]:
    """Return a person as a result."""
    return {
        "media_type": "person",
        "id": star.id,
        "name": star.name,
        "original_name": star.name,
        "adult": False,
        "gender": 0,
        "popularity": star.popularity,
        "known_for_department": star.department,
        "profile_path": None,
        "known_for": [marked(titles[("movie", id_)], request) for id_ in star.known_for],
    }
