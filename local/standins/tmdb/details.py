"""The details of a title: genres, seasons, and the parts of append_to_response."""

from typing import Any

from aiohttp import web

from local.standins.tmdb.catalogue import ANIME_KEYWORD, Title
from local.standins.tmdb.errors import refuse
from local.standins.tmdb.summary import ENGLISH, describe, language_of

MAX_APPENDED = 20
LANGUAGES = {"de": ("Deutsch", "German"), "en": ("English", "English")}
KEYWORDS = {ANIME_KEYWORD: "anime"}
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


def details_response(title: Title, request: web.Request) -> web.Response:
    """Return the details of a title, with the parts that append_to_response selects."""
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
    if "keywords" in appended:
        # TMDB has two names for the list.
        name = "keywords" if title.media_type == "movie" else "results"
        body["keywords"] = {name: [{"id": id_, "name": KEYWORDS[id_]} for id_ in title.keywords]}
    if "translations" in appended:
        body["translations"] = {"translations": describe_translations(title)}
    if "images" in appended:
        body["images"] = describe_images(title, request)
    return web.json_response(body)


def describe_translations(title: Title) -> list[dict[str, Any]]:
    """List the translations; as at TMDB, a name that equals the original is empty."""
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
    """List the images in the requested languages, by default in that of the response."""
    languages = request.query.get("include_image_language", language_of(request)[:2]).split(",")
    posters = [title.poster] if title.poster and "en" in languages else []
    backdrops = [title.backdrop] if title.backdrop and "null" in languages else []
    return {
        "backdrops": [picture(path, None) for path in backdrops],
        "logos": [],
        "posters": [picture(path, "en") for path in posters],
    }


def picture(path: str, language: str | None) -> dict[str, Any]:
    """Return one image as TMDB does."""
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
    """List the seasons, the specials first; only the first season has a date.

    A season without episodes is only announced.
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
