"""Search titles by words, and paginate the results."""

import math
import unicodedata
from typing import Any

from aiohttp import web

from local.standins.tmdb.catalogue import Title
from local.standins.tmdb.errors import refuse
from local.standins.tmdb.summary import describe, language_of

PAGE_SIZE = 20
LAST_PAGE = 500


def is_found(title: Title, request: web.Request) -> bool:
    """Return whether a title matches the query, by its name in any language, and the year."""
    if title.media_type == "movie":
        years = [request.query.get(name) for name in ("primary_release_year", "year")]
    else:
        years = [request.query.get(name) for name in ("first_air_date_year", "year")]
    if any(year and not title.date.startswith(f"{year}-") for year in years):
        return False
    translated = [each["title"] for each in title.translations.values() if "title" in each]
    query = request.query.get("query", "")
    return matches(query, title.title, title.original_title, *translated)


def matches(query: str, *names: str) -> bool:
    """Return whether one of the names contains all words of the query."""
    words = plain(query).split()
    return bool(words) and any(all(word in plain(name) for word in words) for name in names)


def plain(text: str) -> str:
    """Fold the case and remove accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_result(title: Title, request: web.Request) -> dict[str, Any]:
    """Return a title as a search result, which omits an unknown date."""
    body = describe(title, language_of(request))
    for name in ("release_date", "first_air_date"):
        if body.get(name) == "":
            del body[name]
    return body


def page_of(results: list[dict[str, Any]], request: web.Request) -> web.Response:
    """Return the requested page of the results of a search, the most popular first."""
    if not request.query.get("query", "").strip():
        # TMDB uses this format for this error only.
        return web.json_response({"errors": ["query must be provided"]}, status=422)
    return paged(sorted(results, key=lambda result: -float(result["popularity"])), request)


def paged(ordered: list[dict[str, Any]], request: web.Request, **more: object) -> web.Response:
    """Return the requested page of a list, and `more` fields beside its results."""
    requested = request.query.get("page", "1")
    page = int(requested) if requested.isascii() and requested.isdigit() else 0
    if not 1 <= page <= LAST_PAGE:
        message = "Invalid page: Pages start at 1 and max at 500. They are expected to be a number."
        return refuse(400, 22, message)
    start = (page - 1) * PAGE_SIZE
    return web.json_response(
        {
            **more,
            "page": page,
            "results": ordered[start : start + PAGE_SIZE],
            "total_pages": min(LAST_PAGE, max(1, math.ceil(len(ordered) / PAGE_SIZE))),
            "total_results": len(ordered),
        }
    )
