"""Parsing of the responses of the TMDB API (v3).

TMDB may omit fields and add new ones. Each item is validated separately: an invalid optional field
is treated as absent, an item with an invalid required field is dropped, and a body that is invalid
as a whole raises ValidationError.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    MediaType,
    RoutingFacts,
    SearchPage,
    Season,
    Title,
    TitleDetails,
)
from medianest.core.text import clean, clean_lines
from medianest.core.wire import Reader, Wire, cause_of

ENGLISH = "en"
MAX_TEXT_CHARS = 2000
# An index has a title twice, once in lower case, and an entry has 2,704 bytes at most.
MAX_TITLE_BYTES = 800
MAX_GENRES = 20
_TmdbId = Annotated[int, Field(gt=0, lt=2**31)]


def _line(text: str) -> str:
    return clean(clean(text)[:MAX_TEXT_CHARS])


def _title(text: str) -> str:
    return clean(clean(text).encode()[:MAX_TITLE_BYTES].decode(errors="ignore"))


def _paragraphs(text: str) -> str:
    return clean_lines(clean_lines(text)[:MAX_TEXT_CHARS])


_Line = Annotated[str, AfterValidator(_line)]
_Name = Annotated[str, AfterValidator(_title)]
_Paragraphs = Annotated[str, AfterValidator(_paragraphs)]


class _Title(Wire):
    """The fields that films and shows share, in search results and in details."""

    id: _TmdbId
    overview: _Paragraphs | None = None
    poster_path: _Line | None = None
    backdrop_path: _Line | None = None
    genres: list[Any] | None = None
    original_language: _Line | None = None
    translations: dict[str, Any] | None = None
    images: dict[str, Any] | None = None
    external_ids: dict[str, Any] | None = None
    keywords: dict[str, Any] | None = None


class _Movie(_Title):
    title: _Name | None = None
    original_title: _Name | None = None
    release_date: str | None = None
    runtime: Annotated[int, Field(ge=0, lt=100_000)] | None = None

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Return the title and the original title."""
        return self.title, self.original_title

    @property
    def released(self) -> str | None:
        return self.release_date


class _Show(_Title):
    name: _Name | None = None
    original_name: _Name | None = None
    first_air_date: str | None = None
    seasons: list[Any] | None = None

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Return the name and the original name."""
        return self.name, self.original_name

    @property
    def released(self) -> str | None:
        return self.first_air_date


class _Genre(Wire):
    name: _Line


class _WithId(Wire):
    id: _TmdbId


class _ExternalIds(Wire):
    tvdb_id: _TmdbId | None = None


class _Season(Wire):
    season_number: Annotated[int, Field(ge=0, lt=10_000)]
    name: _Line | None = None
    episode_count: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    air_date: str | None = None


class _Translated(Wire):
    """The texts of a translation: `title` of a film, `name` of a show; empty if not translated."""

    title: _Line | None = None
    name: _Line | None = None
    overview: _Paragraphs | None = None


class _Translation(Wire):
    iso_639_1: str
    iso_3166_1: str | None = None
    data: dict[str, Any]


class _Picture(Wire):
    file_path: _Line
    iso_639_1: str | None = None


class Missing(Wire):
    """TMDB's body for an unknown title; a 404 with another body may come from a proxy."""

    status_code: Literal[6, 34]


class _Page(Wire):
    results: list[Any]
    total_results: Annotated[int, Field(ge=0)] | None = None


class _Found(Wire):
    movie_results: list[Any]
    tv_results: list[Any]


def found_of(reader: Reader, body: object) -> list[Title]:
    """Parse the titles that have an external id; raises ValidationError for an invalid body."""
    found = reader.read(_Found, body)
    by_kind: list[tuple[MediaType, list[Any]]] = [
        ("movie", found.movie_results),
        ("tv", found.tv_results),
    ]
    return [
        title
        for kind, items in by_kind
        for item in items
        if (title := _search_result(reader, item, kind))
    ]


def page_of(reader: Reader, body: object, kind: MediaType | None, page: int) -> SearchPage:
    """Parse a page of a search; raises ValidationError when the body is invalid as a whole."""
    result = reader.read(_Page, body)
    titles = [title for item in result.results if (title := _search_result(reader, item, kind))]
    total = result.total_results
    if total is None or result.results:
        # A number that is smaller than that of the results so far is wrong.
        total = max(total or 0, (page - 1) * SEARCH_PAGE_SIZE + len(result.results))
    total = min(total, MAX_SEARCH_PAGE * SEARCH_PAGE_SIZE)
    return SearchPage(titles[:SEARCH_PAGE_SIZE], page, total)


def _search_result(reader: Reader, item: Any, kind: MediaType | None) -> Title | None:
    """Return the title in a search result, None for a person, a collection or an invalid item."""
    media_type = kind or (item.get("media_type") if isinstance(item, dict) else None)
    if media_type in ("person", "collection"):
        return None
    if media_type not in ("movie", "tv"):
        reader.drop(item, "media_type: unknown")
        return None
    try:
        title = _title_of(reader, media_type, item)
    except ValidationError as error:
        reader.drop(item, cause_of(error))
        return None
    name = next(filter(None, title.names), None)
    if name is None:
        reader.drop(item, "title: missing")
        return None
    return Title(
        media_type,
        title.id,
        name,
        _year(title.released),
        title.overview or None,
        title.poster_path or None,
    )


def _title_of(reader: Reader, media_type: MediaType, item: object) -> _Movie | _Show:
    return reader.read(_Movie, item) if media_type == "movie" else reader.read(_Show, item)


def details_of(reader: Reader, media_type: MediaType, body: object, language: str) -> TitleDetails:
    """Parse the details of a title; raises ValidationError when the body is invalid as a whole.

    Title, overview and poster fall back to English separately, if TMDB lacks them in `language` and
    the body contains the translations.
    """
    title = _title_of(reader, media_type, body)
    english = next(iter(_translations(reader, title, ENGLISH)), _Translated())
    name = next(filter(None, title.names), "")
    if not _is_in_language(reader, title, language):
        name = english.title or english.name or name
    genres = [genre.name for genre in reader.read_each(_Genre, title.genres or [])]
    runtime = title.runtime if isinstance(title, _Movie) else None
    seasons = (title.seasons if isinstance(title, _Show) else None) or []
    by_number = {
        season.season_number: Season(
            season.season_number,
            season.name or None,
            season.episode_count,
            _date(season.air_date),
        )
        for season in reader.read_each(_Season, seasons)
    }
    return TitleDetails(
        media_type,
        title.id,
        name,
        _year(title.released),
        title.overview or english.overview or None,
        title.poster_path or _poster(reader, title),
        backdrop_path=title.backdrop_path or None,
        genres=tuple(filter(None, genres))[:MAX_GENRES],
        runtime=runtime or None,
        seasons=tuple(by_number[number] for number in sorted(by_number)),
    )


def facts_of(reader: Reader, media_type: MediaType, body: object) -> RoutingFacts:
    """Parse details with external ids and keywords; raises ValidationError for an invalid body."""
    title = _title_of(reader, media_type, body)
    # TMDB calls the list of a film keywords, and that of a show results.
    keywords = (title.keywords or {}).get("keywords" if media_type == "movie" else "results")
    external = reader.read(_ExternalIds, title.external_ids or {})
    return RoutingFacts(
        media_type,
        title.id,
        next(filter(None, title.names), ""),
        _year(title.released),
        external.tvdb_id if media_type == "tv" else None,
        _ids(reader, title.genres),
        frozenset(filter(None, [title.original_language])),
        _ids(reader, keywords),
    )


def _ids(reader: Reader, items: object) -> frozenset[int]:
    found = reader.read_each(_WithId, items if isinstance(items, list) else [])
    return frozenset(each.id for each in found)


def _translations(reader: Reader, title: _Title, language: str) -> list[_Translated]:
    """Return the translations of a title into a language, those for the United States first."""
    entries = (title.translations or {}).get("translations")
    result = [
        each
        for each in reader.read_each(_Translation, entries if isinstance(entries, list) else [])
        if each.iso_639_1 == language[:2]
    ]
    result.sort(key=lambda each: each.iso_3166_1 != "US")
    return reader.read_each(_Translated, [each.data for each in result])


def _is_in_language(reader: Reader, title: _Movie | _Show, language: str) -> bool:
    """Return whether a title is available in a language: translated, or originally in it."""
    name, original = title.names
    return (
        bool(name and name != original)
        or title.original_language == language[:2]
        or any(each.title or each.name for each in _translations(reader, title, language))
    )


def _poster(reader: Reader, title: _Title) -> str | None:
    """Return a poster in English, or one without text, or None."""
    entries = (title.images or {}).get("posters")
    posters = reader.read_each(_Picture, entries if isinstance(entries, list) else [])
    posters.sort(key=lambda each: each.iso_639_1 != ENGLISH)
    return next((each.file_path for each in posters if each.file_path), None)


def _year(text: str | None) -> int | None:
    """Return the year of a date or of a text with only a year; year 0 does not exist."""
    parsed = _date(text)
    if parsed is not None:
        return parsed.year
    return int(text) if text and re.fullmatch("[0-9]{4}", text) and int(text) else None


def _date(text: str | None) -> date | None:
    """Parse YYYY-MM-DD, but no other format of ISO 8601."""
    try:
        parsed = date.fromisoformat(text or "")
    except ValueError:
        return None
    return parsed if parsed.isoformat() == text else None
