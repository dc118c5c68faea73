"""A fake TMDB, a cache in memory, and sample responses, for unit tests without a network."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr

from medianest.catalog.models import Title, TitleDetails
from medianest.catalog.tmdb import TmdbClient
from medianest.core.cache import Cache
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.variables import Environment

V3_KEY = "0123456789abcdef0123456789abcdef"
V4_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
MOVIE = {
    "media_type": "movie",
    "id": 603,
    "title": "The Matrix",
    "release_date": "1999-03-31",
    "overview": "A hacker.",
    "poster_path": "/m.jpg",
}
SHOW = {
    "media_type": "tv",
    "id": 1396,
    "name": "Breaking Bad",
    "first_air_date": "2008-01-20",
    "overview": "A teacher.",
    "poster_path": "/b.jpg",
}
PERSON = {"media_type": "person", "id": 6384, "name": "Keanu Reeves", "known_for": [MOVIE]}
FRESH_SEARCH, FRESH_DETAILS, STALE = 900, 21_600, 604_800


class MemoryCache(Cache):
    """A cache in memory: it stores the values of a bounded cache and ignores other scripts."""

    def __init__(self) -> None:
        super().__init__(SecretStr("redis://cache.invalid"))
        self.stored: dict[str, str] = {}
        self.seconds: list[int] = []
        self._other_keys: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self._other_keys.get(key)

    def set(self, key: str, value: str, *, seconds: int) -> None:
        self._other_keys[key] = value

    def get_field(self, key: str, field: str) -> str | None:
        return self.stored.get(field)

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> None:
        if keys[0].endswith(":values"):
            name, value, _, seconds = args
            self.stored[str(name)] = str(value)
            self.seconds.append(int(seconds))


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Tmdb:
    """A fake TMDB that returns `body`, or raises `error`, and records the calls."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"results": [], "total_results": 0}
        self.error: Exception | None = None
        self.calls: list[tuple[str, str, dict[str, str], dict[str, str]]] = []

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        total_seconds: float,
    ) -> tuple[int, Any]:
        assert 0 < total_seconds <= 4
        self.calls.append((method, url, dict(headers), dict(query)))
        if self.error is not None:
            raise self.error
        return self.status, self.body

    def set_results(self, *items: Any, total: Any = 1) -> None:
        self.body = {"page": 1, "results": list(items), "total_results": total, "total_pages": 1}


def client_of(key: str, cache: Cache) -> TmdbClient:
    return TmdbClient(
        Environment(tmdb_api_key=SecretStr(key), tmdb_api_url="https://tmdb.example.org/3"), cache
    )


def assert_unavailable(client: TmdbClient, *, details: bool = False) -> None:
    call: Callable[[], object] = (
        partial(client.details, "movie", 603) if details else partial(client.search, "x", "all", 1)
    )
    with pytest.raises(AppError) as caught:
        call()
    assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
    assert caught.value.details is None
    assert caught.value.headers == {"Retry-After": "5"}


def titles_of(client: TmdbClient) -> list[Title]:
    return client.search("x", "all", 1).value.titles


def details_of(client: TmdbClient, media_type: Any = "movie") -> TitleDetails:
    title = client.details(media_type, 603 if media_type == "movie" else 1396).value
    assert title is not None
    return title
