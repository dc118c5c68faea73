"""A stand-in for TMDB (The Movie Database), API version 3, with a few hundred real titles.

Any key is good, as long as there is one where TMDB takes it: a v3 key in the query, a v4 token,
which is a JWT, in the header. What is real in the catalogue and what is made up is told in the
README beside this file.
"""

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from local.standins.faults import Faults, Handler

type MediaType = Literal["movie", "tv"]

CATALOGUE = Path(__file__).with_name("catalogue.json")
PAGE_SIZE = 20
LAST_PAGE = 500
MAX_APPENDED = 20
ENGLISH = "en-US"
LANGUAGES = {"de": ("Deutsch", "German"), "en": ("English", "English")}
GENRES = {
    12: "Adventure",
    14: "Fantasy",
    16: "Animation",
    18: "Drama",
    27: "Horror",
    28: "Action",
    35: "Comedy",
    36: "History",
    37: "Western",
    53: "Thriller",
    80: "Crime",
    99: "Documentary",
    878: "Science Fiction",
    9648: "Mystery",
    10402: "Music",
    10749: "Romance",
    10751: "Family",
    10752: "War",
    10759: "Action & Adventure",
    10765: "Sci-Fi & Fantasy",
    10768: "War & Politics",
}


@dataclass(frozen=True)
class Title:
    """A film, or a show with its seasons (number → how many episodes; 0 holds the specials)."""

    media_type: MediaType
    id: int
    title: str
    date: str = ""
    genres: tuple[int, ...] = ()
    original_title: str = ""
    language: str = "en"
    overview: str = ""
    popularity: float = 1.0
    runtime: int = 0
    poster: str | None = None
    backdrop: str | None = None
    seasons: dict[int, int] = field(default_factory=dict)
    imdb: str | None = None
    tvdb: int | None = None
    # By locale such as `de-DE`: `title` and `overview`, either of which may be missing.
    translations: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Star:
    """Somebody known from films; `multi` finds people too."""

    id: int
    name: str
    department: str
    known_for: tuple[int, ...]
    popularity: float = 5.0


@dataclass(frozen=True)
class Catalogue:
    """All that can be found."""

    titles: tuple[Title, ...]
    stars: tuple[Star, ...] = ()


def load_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue; the order in the file is the order of popularity."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    titles = [read_title("movie", rank, entry) for rank, entry in enumerate(raw["movies"])]
    titles += [read_title("tv", rank, entry) for rank, entry in enumerate(raw["shows"])]
    stars = [Star(**{**entry, "known_for": tuple(entry["known_for"])}) for entry in raw["people"]]
    return Catalogue(tuple(titles), tuple(stars))


def read_title(media_type: MediaType, rank: int, entry: dict[str, Any]) -> Title:
    """Read one line of the catalogue."""
    seasons = entry.get("seasons", {})
    return Title(
        **{
            **entry,
            "media_type": media_type,
            "genres": tuple(entry["genres"]),
            "seasons": {int(number): episodes for number, episodes in seasons.items()},
            "popularity": round(1000 / (rank + 10), 3),
        }
    )


class Tmdb:
    """The routes over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._stars = catalogue.stars
        self._titles = {(title.media_type, title.id): title for title in catalogue.titles}

    async def search_multi(self, request: web.Request) -> web.Response:
        """Search films, shows and people."""
        results = [
            {"media_type": title.media_type, **found_as(title, request)}
            for title in self._titles.values()
            if is_found(title, request)
        ]
        results += [
            self._describe_star(star, request)
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
        """Give a film or show in full."""
        asked = request.match_info["id"]
        if not re.fullmatch("0*[1-9][0-9]{0,9}", asked):
            message = "Invalid id: The pre-requisite id is invalid or not found."
            return refuse(404, 6, message)
        kind: MediaType = "movie" if request.match_info["kind"] == "movie" else "tv"
        title = self._titles.get((kind, int(asked)))
        return not_found() if title is None else details(title, request)

    def _search(self, media_type: str, request: web.Request) -> list[dict[str, Any]]:
        return [
            found_as(title, request)
            for title in self._titles.values()
            if title.media_type == media_type and is_found(title, request)
        ]

    def _describe_star(self, star: Star, request: web.Request) -> dict[str, Any]:
        films = [self._titles[("movie", id_)] for id_ in star.known_for]
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
            "known_for": [{"media_type": "movie", **found_as(film, request)} for film in films],
        }


def create_app(catalogue: Catalogue | None = None) -> web.Application:
    """Build the stand-in, over the catalogue of this folder unless another is given."""
    tmdb = Tmdb(catalogue or load_catalogue())
    app = web.Application(middlewares=[require_key])
    app.router.add_get("/3/search/multi", tmdb.search_multi)
    app.router.add_get("/3/search/movie", tmdb.search_movies)
    app.router.add_get("/3/search/tv", tmdb.search_shows)
    app.router.add_get("/3/{kind:movie|tv}/{id}", tmdb.show_title)
    app.router.add_get("/3/configuration", show_configuration)
    app.router.add_route("*", "/3/{anything:.*}", answer_not_found)
    Faults().install(app)
    return app


@web.middleware
async def require_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a call without a v3 key in the query or a v4 token in the header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = request.query.get("api_key", "")
    has_token = scheme == "Bearer" and re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    has_key = has_token or re.fullmatch(r"[\w-]+", key)
    if request.path.startswith("/3/") and not has_key:
        return refuse(401, 7, "Invalid API key: You must be granted a valid key.")
    return await handler(request)


async def show_configuration(_request: web.Request) -> web.Response:
    """Tell where images are."""
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


async def answer_not_found(_request: web.Request) -> web.Response:
    """Answer a path that is not stood in for."""
    return not_found()


def is_found(title: Title, request: web.Request) -> bool:
    """Tell whether a search finds a title, by its name in any language."""
    translated = [each["title"] for each in title.translations.values() if "title" in each]
    query = request.query.get("query", "")
    return matches(query, title.title, title.original_title, *translated)


def matches(query: str, *names: str) -> bool:
    """Tell whether one of the names has all words of the query."""
    words = plain(query).split()
    return bool(words) and any(all(word in plain(name) for word in words) for name in names)


def plain(text: str) -> str:
    """Drop case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def page_of(results: list[dict[str, Any]], request: web.Request) -> web.Response:
    """Cut out the page that was asked for, the most popular first."""
    if not request.query.get("query", "").strip():
        # Not in the form of TMDB's other errors; this is how it answers.
        return web.json_response({"errors": ["query must be provided"]}, status=422)
    asked = request.query.get("page", "1")
    page = int(asked) if asked.isascii() and asked.isdigit() else 0
    if not 1 <= page <= LAST_PAGE:
        message = "Invalid page: Pages start at 1 and max at 500. They are expected to be a number."
        return refuse(400, 22, message)
    ordered = sorted(results, key=lambda result: -float(result["popularity"]))
    start = (page - 1) * PAGE_SIZE
    return web.json_response(
        {
            "page": page,
            "results": ordered[start : start + PAGE_SIZE],
            "total_pages": min(LAST_PAGE, max(1, math.ceil(len(ordered) / PAGE_SIZE))),
            "total_results": len(ordered),
        }
    )


def language_of(request: web.Request) -> str:
    """Give the language that was asked for, `en-US` for none and for nonsense."""
    asked = request.query.get("language", ENGLISH)
    return asked if re.fullmatch("[a-z]{2}(-[A-Z]{2})?", asked) else ENGLISH


def translation_of(title: Title, language: str) -> dict[str, str]:
    """Give what there is of a title in a language, whatever the country."""
    spoken = language[:2]
    known = {ENGLISH: {"title": title.title, "overview": title.overview}} | title.translations
    same = [locale for locale in known if locale[:2] == spoken]
    return known[language if language in same else same[0]] if same else {}


def found_as(title: Title, request: web.Request) -> dict[str, Any]:
    """Give a title as a search does: without a date where none is known."""
    body = describe(title, language_of(request))
    for name in ("release_date", "first_air_date"):
        if body.get(name) == "":
            del body[name]
    return body


def describe(title: Title, language: str) -> dict[str, Any]:
    """Give a title with the fields of a search result.

    An untranslated entry has its original title, no overview, and none of the English pictures.
    """
    translation = translation_of(title, language)
    original = title.original_title or title.title
    name = translation.get("title") or original
    shared = {
        "adult": False,
        "backdrop_path": title.backdrop,
        "genre_ids": list(title.genres),
        "id": title.id,
        "original_language": title.language,
        "overview": translation.get("overview", ""),
        "popularity": title.popularity,
        "poster_path": title.poster if language[:2] == "en" else None,
        "vote_average": 0.0,
        "vote_count": 0,
    }
    if title.media_type == "movie":
        return {
            **shared,
            "title": name,
            "original_title": original,
            "release_date": title.date,
            "video": False,
        }
    return {
        **shared,
        "name": name,
        "original_name": original,
        "first_air_date": title.date,
        "origin_country": [],
    }


def details(title: Title, request: web.Request) -> web.Response:
    """Give a title with the fields of its own page, and what is appended to them."""
    appended = request.query.get("append_to_response", "").split(",")
    if len(appended) > MAX_APPENDED:
        message = "Too many append to response objects: The maximum number of remote calls is 20."
        return refuse(400, 27, message)
    body = describe(title, language_of(request))
    body["genres"] = [{"id": id_, "name": GENRES[id_]} for id_ in body.pop("genre_ids")]
    if title.media_type == "movie":
        body |= {
            "imdb_id": title.imdb,
            "runtime": title.runtime,
            "status": "Released",
            "tagline": "",
        }
    else:
        body["seasons"] = describe_seasons(title, language_of(request))
        body["number_of_seasons"] = len(title.seasons.keys() - {0})
        body["number_of_episodes"] = sum(n for number, n in title.seasons.items() if number)
    if "external_ids" in appended:
        body["external_ids"] = {"imdb_id": title.imdb, "tvdb_id": title.tvdb}
    if "translations" in appended:
        body["translations"] = {"translations": describe_translations(title)}
    if "images" in appended:
        body["images"] = describe_images(title, request)
    return web.json_response(body)


def describe_translations(title: Title) -> list[dict[str, Any]]:
    """List the translations; a name that is the original one is an empty text, as at TMDB."""
    name_key = "title" if title.media_type == "movie" else "name"
    locales = {ENGLISH: {"title": title.title, "overview": title.overview}} | title.translations
    found = []
    for locale, data in sorted(locales.items()):
        language, _, country = locale.partition("-")
        name = data.get("title", "")
        found.append(
            {
                "iso_3166_1": country,
                "iso_639_1": language,
                "name": LANGUAGES[language][0],
                "english_name": LANGUAGES[language][1],
                "data": {
                    name_key: "" if name == (title.original_title or title.title) else name,
                    "overview": data.get("overview", ""),
                    "homepage": "",
                    "tagline": "",
                },
            }
        )
    return found


def describe_images(title: Title, request: web.Request) -> dict[str, Any]:
    """List the pictures of the languages asked for, which are the answer's own unless told."""
    languages = request.query.get("include_image_language", language_of(request)[:2]).split(",")
    posters = [title.poster] if title.poster and "en" in languages else []
    backdrops = [title.backdrop] if title.backdrop and "null" in languages else []
    return {
        "backdrops": [picture(path, None) for path in backdrops],
        "logos": [],
        "posters": [picture(path, "en") for path in posters],
    }


def picture(path: str, language: str | None) -> dict[str, Any]:
    """Give one picture."""
    return {
        "aspect_ratio": 0.667,
        "file_path": path,
        "height": 3000,
        "iso_639_1": language,
        "vote_average": 0.0,
        "vote_count": 0,
        "width": 2000,
    }


def describe_seasons(title: Title, language: str) -> list[dict[str, Any]]:
    """List the seasons, the specials first; only the date of the first is known.

    One without episodes is announced only.
    """
    season, specials = ("Staffel", "Extras") if language[:2] == "de" else ("Season", "Specials")
    return [
        {
            "season_number": number,
            "name": f"{season} {number}" if number else specials,
            "episode_count": episodes,
            "air_date": title.date if number == 1 and episodes else None,
            "overview": "",
            "poster_path": None,
        }
        for number, episodes in sorted(title.seasons.items())
    ]


def not_found() -> web.Response:
    """Answer that there is no such thing."""
    return refuse(404, 34, "The resource you requested could not be found.")


def refuse(status: int, code: int, message: str) -> web.Response:
    """Answer an error of TMDB."""
    body = {"success": False, "status_code": code, "status_message": message}
    return web.json_response(body, status=status)
