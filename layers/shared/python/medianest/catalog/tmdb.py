"""The TMDB API (v3): search and details.

TMDB may leave out fields and add new ones; what it sends is checked here, item by item, and what
makes no sense as a whole is CATALOG_UNAVAILABLE. Of what is read the cache keeps what we use of
it: while TMDB is down, that serves for days.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    Dated,
    MediaType,
    SearchPage,
    SearchType,
    Season,
    Title,
    TitleDetails,
)
from medianest.core import http, secrets
from medianest.core.cache import Cache
from medianest.core.clock import now
from medianest.core.config import Settings
from medianest.core.errors import ErrorCode
from medianest.core.flight import FlightFailedError, fly
from medianest.core.observability import count, logger
from medianest.core.upstream import Upstream, unavailable

# That TMDB has no title of a number is kept only this long: titles are added every minute.
MISSING_CACHE_SECONDS = 60
MAX_TEXT_CHARS = 2000
MAX_GENRES = 20
# Beyond a call's own time: to read the key and to keep the answer.
_FLIGHT_MARGIN_SECONDS = 1.0
_OK = 200
_NOT_FOUND = 404
_TmdbId = Annotated[int, Field(gt=0, lt=2**31)]


def _plain(text: str) -> str:
    """Drop what JSON can spell and neither UTF-8 nor PostgreSQL can carry, and all excess."""
    return text.encode(errors="ignore").decode().replace("\0", "")[:MAX_TEXT_CHARS]


def _if_sensible(value: object, validate: ValidatorFunctionWrapHandler) -> Any:
    """Take what makes no sense for absent: it adorns a title, which is good without it."""
    try:
        return validate(value)
    except ValidationError:
        return None


_Plain = Annotated[str, AfterValidator(_plain)]
_Text = Annotated[_Plain, Field(min_length=1)]
_Trimmed = Annotated[_Plain, AfterValidator(str.strip)]
_Sensible = WrapValidator(_if_sensible)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Movie(_Wire):
    id: _TmdbId
    title: _Text
    release_date: str | None = None
    overview: _Plain | None = None
    poster_path: _Plain | None = None


class _Show(_Wire):
    id: _TmdbId
    name: _Text
    first_air_date: str | None = None
    overview: _Plain | None = None
    poster_path: _Plain | None = None


class _FoundMovie(_Movie):
    media_type: Literal["movie"]


class _FoundShow(_Show):
    media_type: Literal["tv"]


class _Genre(_Wire):
    name: _Trimmed


class _Details(_Wire):
    backdrop_path: Annotated[_Plain | None, _Sensible] = None
    genres: Annotated[list[Annotated[_Genre | None, _Sensible]] | None, _Sensible] = None

    @property
    def genre_names(self) -> tuple[str, ...]:
        names = [genre.name for genre in self.genres or () if genre and genre.name]
        return tuple(names[:MAX_GENRES])


class _MovieDetails(_Movie, _Details):
    runtime: Annotated[Annotated[int, Field(ge=0, lt=100_000)] | None, _Sensible] = None


class _Season(_Wire):
    # Of all of them: a request for a whole show must not miss one for being told oddly.
    season_number: Annotated[int, Field(ge=0, lt=10_000)]
    name: Annotated[_Trimmed | None, _Sensible] = None
    episode_count: Annotated[Annotated[int, Field(ge=0, lt=100_000)] | None, _Sensible] = None
    air_date: Annotated[str | None, _Sensible] = None


class _ShowDetails(_Show, _Details):
    seasons: list[_Season] = Field(default_factory=list)


class _Missing(_Wire):
    """TMDB's own word that it has no such title; a 404 of whoever is in between says less."""

    status_code: Literal[6, 34]


class _Page(_Wire):
    results: list[Any]
    total_results: Annotated[int, Field(ge=0)]


_FOUND: TypeAdapter[_FoundMovie | _FoundShow] = TypeAdapter(
    Annotated[_FoundMovie | _FoundShow, Field(discriminator="media_type")]
)


class _Kept[T](BaseModel):
    """What the cache keeps: when it was read (seconds since 1970), and how long it is fresh."""

    at: Annotated[int, Field(ge=0)]
    fresh_seconds: int
    value: T

    @classmethod
    def just_read(cls, value: T, fresh_seconds: int) -> Self:
        return cls(at=int(now().timestamp()), fresh_seconds=fresh_seconds, value=value)

    @property
    def age(self) -> int:
        return max(int(now().timestamp()) - self.at, 0)

    @property
    def is_fresh(self) -> bool:
        return self.age < self.fresh_seconds


_KeptPage = _Kept[SearchPage]
_KeptDetails = _Kept[TitleDetails | None]


class TmdbClient:
    """TMDB, read through the cache.

    When TMDB is in trouble a stale answer serves; when there is none, every method raises
    AppError CATALOG_UNAVAILABLE.
    """

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self._settings = settings
        self._cache = cache
        self._tmdb = Upstream(settings.tmdb_api_url, cache)

    def search(self, text: str, search_type: SearchType, page: int) -> Dated[SearchPage]:
        """Return a page of films and shows; people that TMDB finds too are left out."""
        kind = "multi" if search_type == "all" else search_type
        path = f"/search/{kind}"
        query = {
            "query": text,
            "page": str(page),
            "include_adult": "false",
            "language": self._settings.tmdb_language,
        }

        def fetch() -> _KeptPage:
            status, body = self._ask(path, query)
            if status != _OK:
                raise http.UpstreamError(f"{path} answered {status}")
            found = _page_of(body, None if kind == "multi" else kind, page)
            return _KeptPage.just_read(found, self._settings.tmdb_search_cache_seconds)

        # However it is spelt, TMDB finds the same.
        folded = " ".join(text.lower().split())
        return self._read(_key(path, query | {"query": folded}), _KeptPage, fetch)

    def details(self, media_type: MediaType, tmdb_id: int) -> Dated[TitleDetails | None]:
        """Return a title, or None when TMDB has none of that number."""
        path = f"/{media_type}/{tmdb_id}"
        query = {"language": self._settings.tmdb_language}

        def fetch() -> _KeptDetails:
            status, body = self._ask(path, query)
            if status == _NOT_FOUND:
                _Missing.model_validate(body)
                return _KeptDetails.just_read(None, MISSING_CACHE_SECONDS)
            if status != _OK:
                raise http.UpstreamError(f"{path} answered {status}")
            title = _film_of(body, tmdb_id) if media_type == "movie" else _show_of(body, tmdb_id)
            return _KeptDetails.just_read(title, self._settings.tmdb_details_cache_seconds)

        return self._read(_key(path, query), _KeptDetails, fetch)

    def _read[T](self, key: str, kind: type[_Kept[T]], fetch: Callable[[], _Kept[T]]) -> Dated[T]:
        """Return what is kept while it is fresh, else what one of all environments fetches.

        Who has something stale does not wait for the one, and makes do with it when that fails.
        """

        def look() -> _Kept[T] | None:
            kept = self._kept(key, kind)
            return kept if kept is not None and kept.is_fresh else None

        def fetch_and_keep() -> _Kept[T]:
            read = fetch()
            # That there is nothing is worth nothing once it is stale.
            stale_seconds = 0 if read.value is None else self._settings.tmdb_stale_seconds
            seconds = read.fresh_seconds + stale_seconds
            self._cache.set(key, read.model_dump_json(), seconds=seconds)
            return read

        kept = self._kept(key, kind)
        if kept is not None and kept.is_fresh:
            return Dated(kept.value)
        try:
            kept = fly(
                self._cache,
                key,
                seconds=self._settings.upstream_timeout_seconds + _FLIGHT_MARGIN_SECONDS,
                look=look,
                fetch=fetch_and_keep,
                meanwhile=kept,
            )
        except (http.UpstreamError, ValidationError, FlightFailedError) as error:
            _log_trouble(error, None if kept is None else kept.age)
            if kept is None:
                raise unavailable(ErrorCode.CATALOG_UNAVAILABLE, error) from error
        return Dated(kept.value, None if kept.is_fresh else kept.age)

    def _kept[T](self, key: str, kind: type[_Kept[T]]) -> _Kept[T] | None:
        text = self._cache.get(key)
        if text is not None:
            # Another release may have kept another shape: then it is asked anew.
            with suppress(ValueError):
                return kind.model_validate_json(text)
        return None

    def _ask(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Return TMDB's answer; raises UpstreamError when there is none."""
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._settings.tmdb_api_key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == 2:  # noqa: PLR2004
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return self._tmdb.ask("GET", path, headers=headers, query=query)


def _key(path: str, query: dict[str, str]) -> str:
    return f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"


def _page_of(body: object, kind: str | None, page: int) -> SearchPage:
    """Read a page of a search; raises ValidationError when it makes no sense as a whole."""
    found = _Page.model_validate(body)
    titles = [title for item in found.results if (title := _found_title(item, kind))]
    total = min(found.total_results, MAX_SEARCH_PAGE * SEARCH_PAGE_SIZE)
    return SearchPage(titles[:SEARCH_PAGE_SIZE], page, total)


def _found_title(item: Any, kind: str | None) -> Title | None:
    """Return what a search found, or None for a person or an item that makes no sense."""
    if kind is not None and isinstance(item, dict):
        item = item | {"media_type": kind}
    try:
        found = _FOUND.validate_python(item)
    except ValidationError:
        return None
    if isinstance(found, _FoundMovie):
        name, released = found.title, found.release_date
    else:
        name, released = found.name, found.first_air_date
    return Title(
        found.media_type,
        found.id,
        name,
        _year(released),
        found.overview or None,
        found.poster_path or None,
    )


def _film_of(body: object, tmdb_id: int) -> TitleDetails:
    film = _MovieDetails.model_validate(body)
    return TitleDetails(
        "movie",
        tmdb_id,
        film.title,
        _year(film.release_date),
        film.overview or None,
        film.poster_path or None,
        backdrop_path=film.backdrop_path or None,
        genres=film.genre_names,
        runtime=film.runtime or None,
    )


def _show_of(body: object, tmdb_id: int) -> TitleDetails:
    show = _ShowDetails.model_validate(body)
    by_number = {
        season.season_number: Season(
            season.season_number,
            season.name or None,
            season.episode_count,
            _date(season.air_date),
        )
        for season in show.seasons
    }
    return TitleDetails(
        "tv",
        tmdb_id,
        show.name,
        _year(show.first_air_date),
        show.overview or None,
        show.poster_path or None,
        backdrop_path=show.backdrop_path or None,
        genres=show.genre_names,
        seasons=tuple(by_number[number] for number in sorted(by_number)),
    )


def _year(text: str | None) -> int | None:
    year = (text or "")[:4]
    return int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None  # noqa: PLR2004


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
    cause = str(error) if isinstance(error, http.UpstreamError) else type(error).__name__
    logger.warning("TMDB failed", extra={"cause": cause, "stale_seconds": stale_seconds})
