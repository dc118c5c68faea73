"""The TMDB API (v3): search and details.

TMDB may leave out fields and add new ones; what it sends is checked here, item by item, and what
makes no sense as a whole is CATALOG_UNAVAILABLE. Of what is read the cache keeps what we use of
it: while TMDB is down, that serves for days.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    CachedValue,
    MediaType,
    SearchPage,
    SearchType,
    Season,
    Title,
    TitleDetails,
)
from medianest.core import http, secrets
from medianest.core.bounded_cache import BoundedCache
from medianest.core.cache import Cache
from medianest.core.clock import now
from medianest.core.config import Settings
from medianest.core.errors import ErrorCode
from medianest.core.observability import count, logger
from medianest.core.single_flight import FlightFailedError, single_flight
from medianest.core.text import clean, clean_lines, fold
from medianest.core.upstream import Upstream, unavailable
from medianest.core.wire import Reader, Wire, cause_of

# That TMDB has no title of a number is kept only this long: titles are added every minute.
MISSING_CACHE_SECONDS = 60
# Before a refusal a title that is older than this is asked for anew, and no more often than that.
RECHECK_SECONDS = 30
# A search of all kinds goes through this many pages of people before it says that it found nothing.
MAX_PAGES_READ = 3
MAX_TEXT_CHARS = 2000
MAX_GENRES = 20
# Beyond a call's own time: to read the key and to keep the answer.
_FLIGHT_MARGIN_SECONDS = 1.0
_OK = 200
_NOT_FOUND = 404
_ENGLISH = "en"
_TmdbId = Annotated[int, Field(gt=0, lt=2**31)]


def _line(text: str) -> str:
    return clean(clean(text)[:MAX_TEXT_CHARS])


def _paragraphs(text: str) -> str:
    return clean_lines(clean_lines(text)[:MAX_TEXT_CHARS])


_Line = Annotated[str, AfterValidator(_line)]
_Paragraphs = Annotated[str, AfterValidator(_paragraphs)]


class _Title(Wire):
    """The fields that films and shows share, in a search and in full."""

    id: _TmdbId
    overview: _Paragraphs | None = None
    poster_path: _Line | None = None
    backdrop_path: _Line | None = None
    genres: list[Any] | None = None
    original_language: str | None = None
    translations: dict[str, Any] | None = None
    images: dict[str, Any] | None = None


class _Movie(_Title):
    title: _Line | None = None
    original_title: _Line | None = None
    release_date: str | None = None
    runtime: Annotated[int, Field(ge=0, lt=100_000)] | None = None

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Return the title and the original one."""
        return self.title, self.original_title

    @property
    def released(self) -> str | None:
        return self.release_date


class _Show(_Title):
    name: _Line | None = None
    original_name: _Line | None = None
    first_air_date: str | None = None
    seasons: list[Any] | None = None

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Return the name and the original one."""
        return self.name, self.original_name

    @property
    def released(self) -> str | None:
        return self.first_air_date


class _Genre(Wire):
    name: _Line


class _Season(Wire):
    season_number: Annotated[int, Field(ge=0, lt=10_000)]
    name: _Line | None = None
    episode_count: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    air_date: str | None = None


class _Translated(Wire):
    """A film has a `title`, a show a `name`; empty where it is the original one."""

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


class _Missing(Wire):
    """TMDB's own word that it has no such title; a 404 of whoever is in between says less."""

    status_code: Literal[6, 34]


class _Page(Wire):
    results: list[Any]
    total_results: Annotated[int, Field(ge=0)] | None = None


class CacheEntry[T](BaseModel):
    """An answer in the cache: when it was read (Unix seconds), and how long it is fresh."""

    at: Annotated[int, Field(ge=0)]
    fresh_seconds: int
    value: T

    @classmethod
    def just_read(cls, value: T, fresh_seconds: int) -> Self:
        """Return an entry that is as old as this moment."""
        return cls(at=int(now().timestamp()), fresh_seconds=fresh_seconds, value=value)

    def useful_seconds(self, stale_seconds: int) -> int:
        """Return the age up to which it may be served; a "not found" is never served stale."""
        return self.fresh_seconds + (0 if self.value is None else stale_seconds)

    @property
    def age(self) -> int:
        """Return the seconds since it was read."""
        return max(int(now().timestamp()) - self.at, 0)

    @property
    def is_fresh(self) -> bool:
        """Tell whether it needs no new fetch."""
        return self.age < self.fresh_seconds


_CachedPage = CacheEntry[SearchPage]
_CachedDetails = CacheEntry[TitleDetails | None]


class TmdbClient:
    """TMDB, read through the cache.

    When TMDB is in trouble a stale answer serves; when there is none, every method raises
    AppError CATALOG_UNAVAILABLE.
    """

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self._settings = settings
        self._cache = cache
        self._answers = BoundedCache(cache, "tmdb", settings.tmdb_cache_mb * 1_000_000)
        self._tmdb = Upstream(settings.tmdb_api_url, cache)

    def search(self, text: str, search_type: SearchType, page: int) -> CachedValue[SearchPage]:
        """Return a page of films and shows; people that TMDB finds too are left out.

        A page of a search of all kinds that has only people is passed over, up to MAX_PAGES_READ:
        then `page` of the answer is the one that is shown. Where no title comes any more, `total`
        counts what lies before. Until then it is TMDB's, which counts people too, but for a search
        that fits on one page.
        """
        kind: MediaType | None = None if search_type == "all" else search_type
        path = f"/search/{kind or 'multi'}"
        # The key is of the text that is sent: no spelling decides what others find.
        folded = fold(clean(text))
        if not folded:
            return CachedValue(SearchPage([], page, 0))
        query = {
            "query": folded,
            "include_adult": "false",
            "language": self._settings.tmdb_language,
        }

        def fetch() -> _CachedPage:
            found = self._find(path, query, kind, page)
            return _CachedPage.just_read(found, self._settings.tmdb_search_cache_seconds)

        kept = self._read(_key(path, query | {"page": str(page)}), _CachedPage, fetch)
        return _dated(kept)

    def details(
        self,
        media_type: MediaType,
        tmdb_id: int,
        *,
        suffices: Callable[[TitleDetails | None], bool] = lambda _: True,
    ) -> CachedValue[TitleDetails | None]:
        """Return a title, or None when TMDB has none of that number.

        An entry that does not suffice, so that a caller would be refused, is fetched anew: once for
        all callers of that moment, and at most every RECHECK_SECONDS. While TMDB is down the entry
        stays.
        """
        path = f"/{media_type}/{tmdb_id}"
        language = self._settings.tmdb_language
        query = {"language": language}
        if language not in {_ENGLISH, "en-US"}:
            query |= {
                "append_to_response": "translations,images",
                "include_image_language": f"{_ENGLISH},null",
            }

        def fetch() -> _CachedDetails:
            status, body = self._ask(path, query)
            if status == _NOT_FOUND:
                _Missing.model_validate(body)
                return _CachedDetails.just_read(None, MISSING_CACHE_SECONDS)
            if status != _OK:
                raise http.UpstreamError(f"{path} answered {status}")
            reader = Reader(self._tmdb.host, path)
            title = _details_of(reader, media_type, tmdb_id, body, language)
            if not title.title:
                raise http.UpstreamError(f"{path} has no title")
            return _CachedDetails.just_read(title, self._settings.tmdb_details_cache_seconds)

        return _dated(self._read(_key(path, query), _CachedDetails, fetch, suffices))

    def _find(
        self, path: str, query: dict[str, str], kind: MediaType | None, page: int
    ) -> SearchPage:
        """Ask for pages until one has titles, or there are no more, or too many had none."""
        budget = http.Budget(self._settings.upstream_timeout_seconds)
        total = 0
        for shown in range(page, min(page + MAX_PAGES_READ, MAX_SEARCH_PAGE + 1)):
            status, body = self._ask(path, query | {"page": str(shown)}, budget)
            if status != _OK:
                raise http.UpstreamError(f"{path} answered {status}")
            found = _page_of(Reader(self._tmdb.host, path), body, kind, shown)
            total = found.total
            if kind is not None:
                return found
            if found.titles:
                fits = shown == 1 and total <= SEARCH_PAGE_SIZE
                return SearchPage(found.titles, shown, len(found.titles) if fits else total)
            if total <= shown * SEARCH_PAGE_SIZE:
                break
        return SearchPage([], page, min(total, (page - 1) * SEARCH_PAGE_SIZE))

    def _read[T](
        self,
        key: str,
        kind: type[CacheEntry[T]],
        fetch: Callable[[], CacheEntry[T]],
        suffices: Callable[[T], bool] = lambda _: True,
    ) -> CacheEntry[T]:
        """Return what is kept while it is fresh, else what one of all environments fetches.

        A caller with a stale entry that suffices does not wait for that fetch, and takes the entry
        when it fails.
        """
        kept = self._kept(key, kind)
        is_recheck = kept is not None and not suffices(kept.value)
        recheck_key = f"recheck:{key}"

        def is_new_enough(entry: CacheEntry[T]) -> bool:
            return entry.is_fresh and not (is_recheck and entry.age >= RECHECK_SECONDS)

        def read_cache() -> CacheEntry[T] | None:
            entry = self._kept(key, kind)
            return entry if entry is not None and is_new_enough(entry) else None

        def fetch_and_keep() -> CacheEntry[T]:
            if is_recheck:
                if self._cache.get(recheck_key) is not None:
                    raise FlightFailedError
                self._cache.set(recheck_key, "1", seconds=RECHECK_SECONDS)
            read = fetch()
            seconds = read.useful_seconds(self._settings.tmdb_stale_seconds)
            self._answers.set(key, read.model_dump_json(), seconds=seconds)
            return read

        if kept is not None and is_new_enough(kept):
            return kept
        if kept is not None and is_recheck and self._cache.get(recheck_key) is not None:
            return kept
        try:
            return single_flight(
                self._cache,
                key,
                seconds=self._settings.upstream_timeout_seconds + _FLIGHT_MARGIN_SECONDS,
                read_cache=read_cache,
                fetch=fetch_and_keep,
                stale=None if is_recheck else kept,
            )
        except (http.UpstreamError, ValidationError, FlightFailedError) as error:
            _log_trouble(error, None if kept is None else kept.age)
            if kept is None:
                raise unavailable(ErrorCode.CATALOG_UNAVAILABLE, error) from error
            return kept

    def _kept[T](self, key: str, kind: type[CacheEntry[T]]) -> CacheEntry[T] | None:
        text = self._answers.get(key)
        if text is not None:
            # Another release may have kept another shape: then it is asked anew.
            with suppress(ValueError):
                kept = kind.model_validate_json(text)
                if kept.age < kept.useful_seconds(self._settings.tmdb_stale_seconds):
                    return kept
        return None

    def _ask(
        self, path: str, query: dict[str, str], budget: http.Budget | None = None
    ) -> tuple[int, Any]:
        """Return TMDB's answer; raises UpstreamError when there is none."""
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._settings.tmdb_api_key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == 2:  # noqa: PLR2004
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return self._tmdb.ask("GET", path, headers=headers, query=query, budget=budget)


def _key(path: str, query: dict[str, str]) -> str:
    return f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"


def _dated[T](kept: CacheEntry[T]) -> CachedValue[T]:
    return CachedValue(kept.value, None if kept.is_fresh else kept.age)


def _page_of(reader: Reader, body: object, kind: MediaType | None, page: int) -> SearchPage:
    """Read a page of a search; raises ValidationError when it makes no sense as a whole."""
    found = reader.read(_Page, body)
    titles = [title for item in found.results if (title := _found_title(reader, item, kind))]
    total = found.total_results
    if total is None:
        total = (page - 1) * SEARCH_PAGE_SIZE + len(found.results)
    total = min(total, MAX_SEARCH_PAGE * SEARCH_PAGE_SIZE)
    return SearchPage(titles[:SEARCH_PAGE_SIZE], page, total)


def _found_title(reader: Reader, item: Any, kind: MediaType | None) -> Title | None:
    """Return what a search found, or None for a person or an item that makes no sense."""
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


def _details_of(
    reader: Reader, media_type: MediaType, tmdb_id: int, body: object, language: str
) -> TitleDetails:
    """Read a title in full; raises ValidationError when it makes no sense as a whole.

    What TMDB has not in our language comes in English, where that was appended: title, overview
    and poster, each by itself.
    """
    title = _title_of(reader, media_type, body)
    english = next(iter(_translations(reader, title, _ENGLISH)), _Translated())
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
        tmdb_id,
        name,
        _year(title.released),
        title.overview or english.overview or None,
        title.poster_path or _poster(reader, title),
        backdrop_path=title.backdrop_path or None,
        genres=tuple(filter(None, genres))[:MAX_GENRES],
        runtime=runtime or None,
        seasons=tuple(by_number[number] for number in sorted(by_number)),
    )


def _translations(reader: Reader, title: _Title, language: str) -> list[_Translated]:
    """Return what there is of a title in a language; that of the United States comes first."""
    listed = (title.translations or {}).get("translations")
    found = [
        each
        for each in reader.read_each(_Translation, listed if isinstance(listed, list) else [])
        if each.iso_639_1 == language[:2]
    ]
    found.sort(key=lambda each: each.iso_3166_1 != "US")
    return reader.read_each(_Translated, [each.data for each in found])


def _is_in_language(reader: Reader, title: _Movie | _Show, language: str) -> bool:
    """Tell whether a title is in a language: translated, or the original one of a speaker."""
    name, original = title.names
    return (
        bool(name and name != original)
        or title.original_language == language[:2]
        or any(each.title or each.name for each in _translations(reader, title, language))
    )


def _poster(reader: Reader, title: _Title) -> str | None:
    """Return a poster in English, or else one without text."""
    listed = (title.images or {}).get("posters")
    posters = reader.read_each(_Picture, listed if isinstance(listed, list) else [])
    posters.sort(key=lambda each: each.iso_639_1 != _ENGLISH)
    return next((each.file_path for each in posters if each.file_path), None)


def _year(text: str | None) -> int | None:
    """Read the year of a date, or a year alone; there is no year 0."""
    read = _date(text)
    if read is not None:
        return read.year
    return int(text) if text and re.fullmatch("[0-9]{4}", text) and int(text) else None


def _date(text: str | None) -> date | None:
    """Read YYYY-MM-DD and none of the other forms that ISO 8601 has."""
    try:
        read = date.fromisoformat(text or "")
    except ValueError:
        return None
    return read if read.isoformat() == text else None


def _log_trouble(error: Exception, stale_seconds: int | None) -> None:
    count("CatalogUnavailable" if stale_seconds is None else "CatalogStale")
    # What an UpstreamError says never has a secret; what pydantic says may have anything.
    cause = cause_of(error) if isinstance(error, ValidationError) else str(error)
    logger.warning("TMDB failed", extra={"cause": cause, "stale_seconds": stale_seconds})
