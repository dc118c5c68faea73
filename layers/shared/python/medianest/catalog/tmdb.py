"""The TMDB API (v3): search and details.

TMDB may leave out fields and add new ones; what it sends is checked here, item by item, and what
makes no sense as a whole is CATALOG_UNAVAILABLE.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from medianest.catalog.models import (
    MAX_SEARCH_PAGE,
    SEARCH_PAGE_SIZE,
    MediaType,
    SearchPage,
    SearchType,
    Title,
    TitleDetails,
)
from medianest.core import http, secrets
from medianest.core.cache import Cache
from medianest.core.config import Settings
from medianest.core.errors import AppError, ErrorCode
from medianest.core.observability import count, logger

SEARCH_CACHE_SECONDS = 15 * 60
DETAILS_CACHE_SECONDS = 6 * 60 * 60
MAX_TEXT_CHARS = 2000
_LANGUAGE = "en-US"
_TmdbId = Annotated[int, Field(gt=0, lt=2**31)]


def _plain(text: str) -> str:
    """Drop what JSON can spell and neither UTF-8 nor PostgreSQL can carry, and all excess."""
    return text.encode(errors="ignore").decode().replace("\0", "")[:MAX_TEXT_CHARS]


_Plain = Annotated[str, AfterValidator(_plain)]
_Text = Annotated[_Plain, Field(min_length=1)]


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


class _Season(_Wire):
    season_number: Annotated[int, Field(ge=0, lt=10_000)]


class _ShowDetails(_Show):
    seasons: list[_Season] = Field(default_factory=list)


class _Page(_Wire):
    results: list[Any]
    total_results: Annotated[int, Field(ge=0)]


_FOUND: TypeAdapter[_FoundMovie | _FoundShow] = TypeAdapter(
    Annotated[_FoundMovie | _FoundShow, Field(discriminator="media_type")]
)


class TmdbClient:
    """TMDB, read through the cache; every method raises AppError CATALOG_UNAVAILABLE on trouble."""

    def __init__(self, settings: Settings, cache: Cache) -> None:
        self._base = settings.tmdb_api_url
        self._cache = cache
        self._key = settings.tmdb_api_key

    def search(self, text: str, search_type: SearchType, page: int) -> SearchPage:
        """Return a page of films and shows; people that TMDB finds too are left out."""
        kind = "multi" if search_type == "all" else search_type
        found = self._get(
            f"/search/{kind}",
            {"query": text, "page": str(page), "include_adult": "false"},
            _Page.model_validate,
            SEARCH_CACHE_SECONDS,
        )
        if found is None:
            raise _unavailable("search answered 404")
        titles = [
            title
            for item in found.results
            if (title := _found_title(item, None if kind == "multi" else kind))
        ]
        return SearchPage(
            titles, page, min(found.total_results, MAX_SEARCH_PAGE * SEARCH_PAGE_SIZE)
        )

    def details(self, media_type: MediaType, tmdb_id: int) -> TitleDetails | None:
        """Return a title, or None when TMDB has none of that number."""
        path = f"/{media_type}/{tmdb_id}"
        if media_type == "movie":
            movie = self._get(path, {}, _Movie.model_validate, DETAILS_CACHE_SECONDS)
            return TitleDetails("movie", tmdb_id, movie.title, ()) if movie else None
        show = self._get(path, {}, _ShowDetails.model_validate, DETAILS_CACHE_SECONDS)
        if show is None:
            return None
        seasons = sorted({season.season_number for season in show.seasons})
        return TitleDetails("tv", tmdb_id, show.name, tuple(seasons))

    def _get[T](
        self,
        path: str,
        query: dict[str, str],
        validate: Callable[[object], T],
        cache_seconds: int,
    ) -> T | None:
        """Return what TMDB has at a path, None for a 404; only what makes sense is cached."""
        query = query | {"language": _LANGUAGE}
        cache_key = f"tmdb:{path}:{json.dumps(query, sort_keys=True)}"
        cached = self._cache.get(cache_key)
        if cached is not None:
            # Another release may have kept another shape: then it is asked anew.
            with suppress(ValueError):
                return validate(json.loads(cached))
        try:
            status, body = self._ask(path, query)
            if status == 404:  # noqa: PLR2004
                return None
            if status != 200:  # noqa: PLR2004
                raise _unavailable(f"{path} answered {status}")
            found = validate(body)
        except (http.UpstreamError, ValidationError) as error:
            raise _unavailable(type(error).__name__) from error
        self._cache.set(cache_key, json.dumps(body), seconds=cache_seconds)
        return found

    def _ask(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        headers = {"Accept": "application/json"}
        key = secrets.resolve(self._key, "TMDB_API_KEY")
        # A v4 read token is a JWT and goes into a header; a v3 key only works in the query.
        if key.count(".") == 2:  # noqa: PLR2004
            headers["Authorization"] = f"Bearer {key}"
        else:
            query = query | {"api_key": key}
        return http.request_json("GET", self._base + path, headers=headers, query=query)


def _found_title(item: Any, kind: str | None) -> Title | None:
    """Return what a search found, or None for a person or an item that makes no sense."""
    if kind is not None and isinstance(item, dict):
        item = item | {"media_type": kind}
    try:
        found = _FOUND.validate_python(item)
    except ValidationError:
        return None
    if isinstance(found, _FoundMovie):
        name, date = found.title, found.release_date
    else:
        name, date = found.name, found.first_air_date
    return Title(
        found.media_type,
        found.id,
        name,
        _year(date),
        found.overview or None,
        found.poster_path or None,
    )


def _year(date: str | None) -> int | None:
    year = (date or "")[:4]
    return int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None  # noqa: PLR2004


def _unavailable(cause: str) -> AppError:
    count("CatalogUnavailable")
    logger.warning("TMDB failed", extra={"cause": cause})
    return AppError(ErrorCode.CATALOG_UNAVAILABLE)
