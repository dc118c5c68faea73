"""The lists of the TMDB client, and its search by an id of IMDb."""

from datetime import UTC, datetime
from typing import Any

import pytest

from medianest.catalog.models import SearchPage, Title
from medianest.catalog.tmdb import TmdbClient, has_list
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from tests.support.tmdb import MOVIE, PERSON, SHOW, Clock, MemoryCache, Tmdb

BASE = "https://tmdb.example.org/3"
FRESH_LIST = 3600
MATRIX = Title("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg")
BREAKING_BAD = Title("tv", 1396, "Breaking Bad", 2008, "A teacher.", "/b.jpg")


def asked(tmdb: Tmdb) -> tuple[str, dict[str, str]]:
    """Return the URL and the query of the only call, without the key."""
    ((_, url, _, query),) = tmdb.calls
    return url.removeprefix(BASE), {k: v for k, v in query.items() if k != "api_key"}


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("trending", "all", "/trending/all/week"),
        ("trending", "movie", "/trending/movie/week"),
        ("trending", "tv", "/trending/tv/week"),
        ("popular", "movie", "/movie/popular"),
        ("popular", "tv", "/tv/popular"),
        ("upcoming", "movie", "/movie/upcoming"),
    ],
)
def test_list_is_asked_for_by_its_path(
    tmdb: Tmdb, client: TmdbClient, name: Any, kind: Any, path: str
) -> None:
    assert has_list(name, kind)
    client.list_titles(name, kind, 7)
    assert asked(tmdb) == (path, {"language": "en-US", "page": "7"})


def test_upcoming_shows_are_asked_for_by_their_first_day(
    tmdb: Tmdb, client: TmdbClient, clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)
    client.list_titles("upcoming", "tv", 1)
    assert asked(tmdb) == (
        "/discover/tv",
        {
            "first_air_date.gte": "2026-11-28",
            "include_adult": "false",
            "include_null_first_air_dates": "false",
            "language": "en-US",
            "page": "1",
            "sort_by": "popularity.desc",
        },
    )


@pytest.mark.parametrize("name", ["popular", "upcoming"])
def test_tmdb_has_no_such_list_of_all_types(name: Any) -> None:
    assert not has_list(name, "all")


def test_list_has_no_people_and_no_invalid_items(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(MOVIE, PERSON, None, {"media_type": "movie"}, SHOW, total=90)
    found = client.list_titles("trending", "all", 1).value
    assert found == SearchPage([MATRIX, BREAKING_BAD], 1, 90)


def test_list_is_cached_for_an_hour(
    tmdb: Tmdb, client: TmdbClient, cache: MemoryCache, clock: Clock
) -> None:
    tmdb.set_results(MOVIE)
    client.list_titles("popular", "movie", 1)
    assert cache.seconds == [FRESH_LIST + 604_800]
    clock.now = clock.now.replace(minute=59, second=59)
    client.list_titles("popular", "movie", 1)
    assert len(tmdb.calls) == 1
    clock.now = clock.now.replace(hour=1, minute=0, second=0)
    client.list_titles("popular", "movie", 1)
    assert len(tmdb.calls) == 2


@pytest.mark.parametrize("body", [None, [], "x", {}, {"results": None}, {"results": "x"}])
def test_nonsense_is_unavailable_and_not_cached(
    tmdb: Tmdb, client: TmdbClient, cache: MemoryCache, body: Any
) -> None:
    tmdb.body = body
    with pytest.raises(AppError) as caught:
        client.list_titles("trending", "all", 1)
    assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
    assert cache.stored == {}


@pytest.mark.parametrize(
    ("kind", "name"), [("movie", "primary_release_year"), ("tv", "first_air_date_year")]
)
def test_year_is_asked_for_by_the_parameter_of_the_type(
    tmdb: Tmdb, client: TmdbClient, kind: Any, name: str
) -> None:
    client.search("matrix", kind, 1, year=1999)
    path, query = asked(tmdb)
    assert (path, query[name]) == (f"/search/{kind}", "1999")


class TestFindImdb:
    def test_title_is_found_by_its_id(self, tmdb: Tmdb, client: TmdbClient) -> None:
        tmdb.body = {"movie_results": [MOVIE], "tv_results": [SHOW], "person_results": [PERSON]}
        found = client.find_imdb("tt0133093").value
        assert found == SearchPage([MATRIX, BREAKING_BAD], 1, 2)
        assert asked(tmdb) == (
            "/find/tt0133093",
            {"external_source": "imdb_id", "language": "en-US"},
        )

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, {"movie_results": [], "tv_results": []}),
            (404, {"success": False, "status_code": 34, "status_message": "x"}),
        ],
    )
    def test_unknown_id_is_cached_for_a_minute(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock, status: int, body: Any
    ) -> None:
        tmdb.status, tmdb.body = status, body
        for second in (0, 59):
            clock.now = clock.now.replace(second=second)
            assert client.find_imdb("tt0000001").value == SearchPage([], 1, 0)
        assert len(tmdb.calls) == 1
        clock.now = clock.now.replace(minute=1)
        client.find_imdb("tt0000001")
        assert len(tmdb.calls) == 2

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, None),
            (200, {}),
            (200, {"movie_results": []}),
            (200, {"movie_results": "x", "tv_results": []}),
            (401, {"status_code": 7}),
            (404, None),
            (404, {"status_code": 7}),
            (422, {"status_code": 5}),
        ],
    )
    def test_nonsense_is_unavailable_and_not_cached(
        self, tmdb: Tmdb, client: TmdbClient, cache: MemoryCache, status: int, body: Any
    ) -> None:
        tmdb.status, tmdb.body = status, body
        with pytest.raises(AppError) as caught:
            client.find_imdb("tt0133093")
        assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
        assert cache.stored == {}
