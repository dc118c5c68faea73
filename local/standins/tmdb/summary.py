"""A title as a search result, in a language."""

import re
from typing import Any

from aiohttp import web

from local.standins.tmdb.catalogue import Title

ENGLISH = "en-US"


def language_of(request: web.Request) -> str:
    """Return the requested language, `en-US` if it is absent or invalid."""
    requested = request.query.get("language", ENGLISH)
    return requested if re.fullmatch("[a-z]{2}(-[A-Z]{2})?", requested) else ENGLISH


def translation_of(title: Title, language: str) -> dict[str, str]:
    """Return the translation of a title to a language, preferably of the same country."""
    language_code = language[:2]
    all_translations = {
        ENGLISH: {"title": title.title, "overview": title.overview}
    } | title.translations
    matching = [locale for locale in all_translations if locale[:2] == language_code]
    return all_translations[language if language in matching else matching[0]] if matching else {}


def describe(title: Title, language: str) -> dict[str, Any]:
    """Return a title as a search result.

    Without a translation it has the original title, no overview, and no English images.
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
