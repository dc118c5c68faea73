"""The TMDB client: parsing of responses, the requests it sends, and its cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from medianest.catalog import tmdb as tmdb_module
from medianest.catalog.models import CachedValue, SearchPage, Season, Title, TitleDetails
from medianest.catalog.tmdb import MISSING_CACHE_SECONDS, RECHECK_SECONDS, TmdbClient
from medianest.core import http
from medianest.core.breaker import FAILURES
from medianest.core.cache import Cache
from medianest.core.environment import ConfigurationError
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.variables import Environment
from tests.support.canned import GONE, changed

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
    """A cache in memory that stores values and ignores all other scripts."""

    def __init__(self) -> None:
        super().__init__(SecretStr("redis://cache.invalid"))
        self.stored: dict[str, str] = {}
        self.seconds: list[int] = []
        self._others: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self._others.get(key)

    def set(self, key: str, value: str, *, seconds: int) -> None:
        self._others[key] = value

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
    """A fake TMDB with one fixed response; records the calls."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"results": [], "total_results": 0}
        self.trouble: Exception | None = None
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
        if self.trouble is not None:
            raise self.trouble
        return self.status, self.body

    def finds(self, *items: Any, total: Any = 1) -> None:
        self.body = {"page": 1, "results": list(items), "total_results": total, "total_pages": 1}


@pytest.fixture
def tmdb(monkeypatch: pytest.MonkeyPatch) -> Tmdb:
    tmdb = Tmdb()
    monkeypatch.setattr(http, "request_json", tmdb)
    return tmdb


@pytest.fixture
def cache() -> MemoryCache:
    return MemoryCache()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tmdb_module, "now", clock)
    return clock


@pytest.fixture
def client(tmdb: Tmdb, cache: MemoryCache) -> TmdbClient:
    assert tmdb.calls == []
    return client_of(V3_KEY, cache)


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
    found = client.details(media_type, 603 if media_type == "movie" else 1396).value
    assert found is not None
    return found


def test_films_and_shows_are_found(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.finds(MOVIE, SHOW, total=2)
    page = SearchPage(
        [
            Title("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg"),
            Title("tv", 1396, "Breaking Bad", 2008, "A teacher.", "/b.jpg"),
        ],
        page=1,
        total=2,
    )
    assert client.search("x", "all", 1) == CachedValue(page)


def test_people_are_left_out(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.finds(PERSON, MOVIE, PERSON, total=3)
    assert [title.tmdb_id for title in titles_of(client)] == [603]


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"media_type": "movie"},
        changed(MOVIE, media_type="collection"),
        changed(MOVIE, media_type=None),
        changed(MOVIE, media_type=["movie"]),
        changed(MOVIE, media_type=GONE),
        changed(MOVIE, id=GONE),
        changed(MOVIE, id="603"),
        changed(MOVIE, id=603.0),
        changed(MOVIE, id=True),
        changed(MOVIE, id=0),
        changed(MOVIE, id=-1),
        changed(MOVIE, id=2**31),
        changed(MOVIE, id=10**400),
        changed(MOVIE, title=GONE),
        changed(MOVIE, title=None),
        changed(MOVIE, title=" \u200b ", original_title=""),
        changed(MOVIE, title=["The Matrix"]),
        changed(MOVIE, title="\ud800", original_title=5),
        changed(SHOW, name=GONE),
        changed(SHOW, media_type="movie"),
        None,
        "The Matrix",
        603,
        [MOVIE],
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_invalid_item_is_left_out(tmdb: Tmdb, client: TmdbClient, junk: Any) -> None:
    tmdb.finds(junk, SHOW, junk)
    assert [title.tmdb_id for title in titles_of(client)] == [1396]


@pytest.mark.parametrize(
    ("field", "odd", "attribute"),
    [
        ("overview", 1, "overview"),
        ("overview", ["x"], "overview"),
        ("overview", "\ud800", "overview"),
        ("overview", " \n ", "overview"),
        ("poster_path", {}, "poster_path"),
        ("poster_path", True, "poster_path"),
        ("release_date", 1999, "year"),
        ("backdrop_path", 5, "year"),
        ("genres", "x", "year"),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_an_item_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, odd: Any, attribute: str
) -> None:
    tmdb.finds(changed(MOVIE, **{field: odd}), SHOW, total=2)
    found, other = titles_of(client)
    expected = Title("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg")
    if field not in {"backdrop_path", "genres"}:
        expected = replace(expected, **cast("Any", {attribute: None}))
    assert found == expected
    assert other.tmdb_id == 1396


@pytest.mark.parametrize("title", [None, "", "  ", "\u200b\n", 5, ["x"], "\ud800", GONE], ids=repr)
@pytest.mark.parametrize(
    ("item", "name", "original"),
    [(MOVIE, "title", "original_title"), (SHOW, "name", "original_name")],
    ids=["movie", "tv"],
)
def test_a_missing_title_falls_back_to_the_original_title(
    tmdb: Tmdb, client: TmdbClient, item: dict[str, Any], name: str, original: str, title: Any
) -> None:
    tmdb.finds(changed(item, **{name: title, original: " \u5343\u3068\u5343\u5c0b "}))
    assert [found.title for found in titles_of(client)] == ["\u5343\u3068\u5343\u5c0b"]
    tmdb.body = changed(item, **{name: title, original: "Original"})
    assert details_of(client, item["media_type"]).title == "Original"


@pytest.mark.parametrize(
    ("title", "stored"),
    [
        (" The Matrix\u00a0", "The Matrix"),
        ("The\u00a0Matrix", "The Matrix"),
        ("The\tMat\0rix\u202e", "The Matrix"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("x" * 3000, "x" * 2000),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_titles_have_no_control_characters_or_outer_spaces(
    tmdb: Tmdb, client: TmdbClient, title: str, stored: str
) -> None:
    tmdb.finds(changed(MOVIE, title=title))
    assert titles_of(client)[0].title == stored
    tmdb.body = changed(MOVIE, title=title)
    assert details_of(client).title == stored


def test_an_overview_keeps_its_paragraphs(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = changed(MOVIE, overview=" One.\r\n\r\nTwo\0.\u202e \n")
    assert details_of(client).overview == "One.\n\nTwo."


def test_a_dropped_field_is_logged_without_its_value(
    tmdb: Tmdb, client: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.finds(
        changed(MOVIE, overview=["canary"]),
        changed(SHOW, id="canary-id", name=5),
        changed(SHOW, name=None),
        changed(MOVIE, media_type="canary"),
        PERSON,
        "canary",
    )
    titles_of(client)
    logged = [
        tuple(getattr(line, key) for key in ("message", "host", "path", "item", "cause"))
        for line in caplog.records
    ]
    place = ("tmdb.example.org", "/search/multi")
    assert logged == [
        ("upstream_field_dropped", *place, 603, "overview: string_type"),
        ("upstream_item_dropped", *place, "canary-id", "id: int_type, name: string_type"),
        ("upstream_item_dropped", *place, 1396, "title: missing"),
        ("upstream_item_dropped", *place, 603, "media_type: unknown"),
        ("upstream_item_dropped", *place, None, "media_type: unknown"),
    ]


def test_an_answer_with_many_invalid_items_writes_a_bounded_log(
    tmdb: Tmdb, client: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.finds(*[None] * 500, total=500)
    client.search("x", "movie", 1)
    assert len(caplog.records) == 20


def test_a_search_of_one_kind_reads_items_without_a_kind(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.finds(changed(MOVIE, media_type=GONE))
    assert client.search("x", "movie", 1).value.titles[0].media_type == "movie"
    tmdb.finds(changed(SHOW, media_type=GONE))
    assert client.search("x", "tv", 1).value.titles[0].media_type == "tv"


@pytest.mark.parametrize(
    ("search_type", "path"),
    [("all", "/3/search/multi"), ("movie", "/3/search/movie"), ("tv", "/3/search/tv")],
)
def test_a_search_sends_its_query_to_tmdb(
    tmdb: Tmdb, client: TmdbClient, search_type: Any, path: str
) -> None:
    client.search("a&b=c é", search_type, 7)
    (method, url, _, query), *rest = tmdb.calls
    assert rest == []
    assert (method, url) == ("GET", f"https://tmdb.example.org{path}")
    assert query["query"] == "a&b=c é"
    assert query["page"] == "7"
    assert query["include_adult"] == "false"


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1999-03-31", 1999),
        ("1999", 1999),
        ("0999-01-01", 999),
        ("0000-00-00", None),
        ("0000", None),
        ("1999-00-00", None),
        ("1999-13-01", None),
        ("1999-02-30", None),
        ("19990331", None),
        ("1999-03-31T00:00:00Z", None),
        ("19999", None),
        (GONE, None),
        (None, None),
        ("", None),
        ("99", None),
        ("199", None),
        ("-1999", None),
        ("19 99", None),
        ("+199-01-01", None),
        ("1e10", None),
        ("1_99", None),
        ("٢٠٢٤-01-01", None),
        ("²⁰²⁴", None),
        ("soon", None),
        ("\0\0\0\0", None),
    ],
)
@pytest.mark.parametrize(
    ("item", "field"), [(MOVIE, "release_date"), (SHOW, "first_air_date")], ids=["movie", "tv"]
)
def test_the_year_comes_from_a_valid_date_only(
    tmdb: Tmdb,
    client: TmdbClient,
    item: dict[str, Any],
    field: str,
    date: Any,
    year: int | None,
) -> None:
    tmdb.finds(changed(item, **{field: date}))
    (title,) = titles_of(client)
    assert title.year == year


@pytest.mark.parametrize("value", [None, "", GONE], ids=["null", "empty", "missing"])
@pytest.mark.parametrize("field", ["overview", "poster_path"])
def test_an_empty_text_field_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, value: Any
) -> None:
    tmdb.finds(changed(MOVIE, **{field: value}))
    (title,) = titles_of(client)
    assert getattr(title, field) is None
    assert title.title == "The Matrix"


@pytest.mark.parametrize(
    ("total", "capped"),
    [(0, 0), (1, 1), (9_999, 9_999), (10_000, 10_000), (10_001, 10_000), (10**12, 10_000)],
)
def test_the_total_counts_what_can_be_paged_to(
    tmdb: Tmdb, client: TmdbClient, total: int, capped: int
) -> None:
    tmdb.finds(total=total)
    assert client.search("x", "movie", 1).value.total == capped


@pytest.mark.parametrize("odd", ["1", -1, 1.5, None, True, GONE, []], ids=repr)
def test_an_invalid_total_is_replaced_by_the_number_of_results(
    tmdb: Tmdb, client: TmdbClient, odd: Any
) -> None:
    tmdb.body = changed({"results": [SHOW, MOVIE]}, total_results=odd)
    assert client.search("x", "all", 1).value.total == 2
    tmdb.body = changed({"results": [changed(MOVIE)]}, total_results=odd)
    assert client.search("x", "movie", 3).value.total == 41


class TestPagesOfPeople:
    """A search of all types also finds people, which the client skips."""

    @pytest.fixture
    def pages(self, monkeypatch: pytest.MonkeyPatch, tmdb: Tmdb) -> dict[str, list[Any]]:
        """Return the results by TMDB page; of five pages, the absent ones contain only people."""
        found: dict[str, list[Any]] = {}

        def answer(method: str, url: str, **options: Any) -> tuple[int, Any]:
            tmdb.finds(*found.get(options["query"]["page"], [PERSON] * 20), total=100)
            return tmdb(method, url, **options)

        monkeypatch.setattr(http, "request_json", answer)
        return found

    def shown(self, client: TmdbClient, page: int) -> tuple[list[int], int, int]:
        found = client.search("x", "all", page).value
        return [title.tmdb_id for title in found.titles], found.page, found.total

    @pytest.mark.parametrize("first", [1, 2, 3])
    def test_pages_of_people_are_skipped(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]], first: int
    ) -> None:
        pages[str(first)] = [PERSON, MOVIE]
        assert self.shown(client, 1) == ([603], first, 100)
        assert len(tmdb.calls) == first
        assert self.shown(client, 1) == ([603], first, 100), "the cached page differs"
        assert len(tmdb.calls) == first

    def test_skipping_pages_of_people_is_bounded(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]]
    ) -> None:
        pages["4"] = [MOVIE]
        assert self.shown(client, 1) == ([], 1, 0)
        assert [call[3]["page"] for call in tmdb.calls] == ["1", "2", "3"]

    def test_a_search_that_finds_only_people_finds_nothing(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]]
    ) -> None:
        pages["1"] = pages["3"] = [MOVIE]
        assert self.shown(client, 2) == ([603], 3, 100)
        tmdb.calls.clear()
        assert self.shown(client, 4) == ([], 4, 60)
        assert [call[3]["page"] for call in tmdb.calls] == ["4", "5"]

    def test_skipped_pages_share_the_time_of_one_call(
        self, tmdb: Tmdb, client: TmdbClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left = [3.0, 2.0, 1.0]
        seconds = []

        def answer(method: str, url: str, **options: Any) -> tuple[int, Any]:
            seconds.append(options["total_seconds"])
            tmdb.finds(PERSON, total=100)
            return tmdb(method, url, **options)

        monkeypatch.setattr(http.Budget, "seconds_left", property(lambda _: left[len(seconds)]))
        monkeypatch.setattr(http, "request_json", answer)
        client.search("x", "all", 1)
        assert seconds == [3.0, 2.0, 1.0]


def test_a_search_that_fits_on_one_page_counts_its_titles(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.finds(PERSON, MOVIE, PERSON, SHOW, None, total=5)
    assert client.search("x", "all", 1).value.total == 2
    tmdb.finds(PERSON, MOVIE, total=21)
    assert client.search("y", "all", 1).value.total == 21


def test_a_page_has_no_more_titles_than_a_page_has(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.finds(*[MOVIE] * 30, total=30)
    assert len(titles_of(client)) == 20


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        1,
        {},
        {"total_results": 1},
        {"results": None, "total_results": 1},
        {"results": {}, "total_results": 1},
        {"results": "x", "total_results": 1},
    ],
    ids=str,
)
def test_an_invalid_page_is_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, body: Any
) -> None:
    tmdb.body = body
    assert_unavailable(client)
    assert cache.stored == {}, "an invalid response was cached"


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 404, 422])
def test_a_search_that_is_refused_is_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, status: int
) -> None:
    tmdb.status = status
    assert_unavailable(client)
    assert cache.stored == {}


@pytest.mark.parametrize("details", [False, True])
def test_an_upstream_that_fails_is_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, *, details: bool
) -> None:
    tmdb.trouble = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
    assert_unavailable(client, details=details)
    assert cache.stored == {}
    tmdb.trouble = None
    assert titles_of(client) == []


def test_details_of_a_film_have_its_fields(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = changed(
        MOVIE,
        media_type=GONE,
        genres=[{"id": 28, "name": "Action"}, {"id": 878, "name": " Science Fiction "}],
        runtime=136,
        backdrop_path="/w.jpg",
        seasons=[{"season_number": 1}],
    )
    assert client.details("movie", 603) == CachedValue(
        TitleDetails(
            "movie",
            603,
            "The Matrix",
            1999,
            "A hacker.",
            "/m.jpg",
            backdrop_path="/w.jpg",
            genres=("Action", "Science Fiction"),
            runtime=136,
        )
    )
    assert tmdb.calls[0][1] == "https://tmdb.example.org/3/movie/603"


def test_details_of_a_show_have_its_seasons_in_order_with_specials(
    tmdb: Tmdb, client: TmdbClient
) -> None:
    tmdb.body = SHOW | {
        "runtime": 50,
        "seasons": [
            {"season_number": 2, "name": "  Season 2 ", "episode_count": 13, "air_date": None},
            {"season_number": 0},
            {
                "season_number": 1,
                "name": "Season 1",
                "episode_count": 7,
                "air_date": "2008-01-20",
                "poster_path": 5,
            },
        ],
    }
    found = details_of(client, "tv")
    assert found.seasons == (
        Season(0),
        Season(1, "Season 1", 7, date(2008, 1, 20)),
        Season(2, "Season 2", 13),
    )
    assert (found.title, found.year, found.runtime) == ("Breaking Bad", 2008, None)
    assert tmdb.calls[0][1] == "https://tmdb.example.org/3/tv/1396"


def test_a_season_that_tmdb_lists_twice_is_one_season(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = SHOW | {"seasons": [{"season_number": number} for number in (3, 0, 1, 2, 1)]}
    assert details_of(client, "tv").seasons == tuple(map(Season, range(4)))


def test_a_show_may_have_no_seasons_yet(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = dict(SHOW)
    assert details_of(client, "tv").seasons == ()


@pytest.mark.parametrize(
    ("field", "junk"),
    [
        ("genres", None),
        ("genres", "Action"),
        ("genres", [None, {}, "Action", {"name": None}, {"name": 5}, {"name": " "}]),
        ("runtime", None),
        ("runtime", 0),
        ("runtime", -5),
        ("runtime", "136"),
        ("runtime", 136.5),
        ("runtime", True),
        ("runtime", 10**9),
        ("backdrop_path", None),
        ("backdrop_path", ""),
        ("backdrop_path", {"url": "/w.jpg"}),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_a_title_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, junk: Any
) -> None:
    tmdb.body = changed(MOVIE, **{field: junk})
    found = details_of(client)
    assert found == TitleDetails("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg")


@pytest.mark.parametrize(
    ("field", "junk"),
    [
        ("name", None),
        ("name", 1),
        ("name", "   "),
        ("name", "\0"),
        ("episode_count", "7"),
        ("episode_count", -1),
        ("episode_count", 10**6),
        ("air_date", ""),
        ("air_date", 2008),
        ("air_date", "soon"),
        ("air_date", "2008"),
        ("air_date", "2008-13-01"),
        ("air_date", "2008-02-30"),
        ("air_date", "20080120"),
        ("air_date", "2008-W03-7"),
        ("air_date", "2008-01-20T00:00:00Z"),
        ("air_date", " 2008-01-20"),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_a_season_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, junk: Any
) -> None:
    tmdb.body = SHOW | {"seasons": [{"season_number": 1, field: junk}]}
    assert details_of(client, "tv").seasons == (Season(1),)


@pytest.mark.parametrize("code", [6, 34])
def test_a_title_that_does_not_exist_is_none(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, code: int
) -> None:
    tmdb.status, tmdb.body = 404, {"success": False, "status_code": code}
    assert client.details("movie", 1) == client.details("movie", 1) == CachedValue(None)
    assert len(tmdb.calls) == 1
    assert cache.seconds == [MISSING_CACHE_SECONDS], (
        "a missing title must be cached for a short time only"
    )


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {}, {"status_code": 7}, {"status_code": "34"}, {"status_code": [34]}],
    ids=str,
)
def test_a_404_counts_as_missing_only_in_tmdbs_own_format(
    tmdb: Tmdb, cache: MemoryCache, clock: Clock, client: TmdbClient, body: Any
) -> None:
    tmdb.status, tmdb.body = 404, body
    assert_unavailable(client, details=True)
    tmdb.status, tmdb.body = 200, MOVIE
    title = client.details("movie", 603).value
    stored = dict(cache.stored)
    clock.now += timedelta(seconds=FRESH_DETAILS)
    tmdb.status, tmdb.body = 404, body
    assert client.details("movie", 603) == CachedValue(title, FRESH_DETAILS)
    assert cache.stored == stored, "a 404 that is not TMDB's replaced the cached title"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        changed(MOVIE, id=GONE),
        changed(MOVIE, id="603"),
        changed(MOVIE, title=None),
        changed(MOVIE, title="", original_title="\u200b"),
        changed(MOVIE, title="\ud800"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_invalid_details_are_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, body: Any
) -> None:
    tmdb.body = body
    assert_unavailable(client, details=True)
    assert cache.stored == {}, "an invalid response was cached"


@pytest.mark.parametrize("seasons", [None, "x", 5, {}, [], GONE], ids=repr)
def test_seasons_that_are_no_list_are_none(tmdb: Tmdb, client: TmdbClient, seasons: Any) -> None:
    tmdb.body = changed(SHOW, seasons=seasons)
    assert details_of(client, "tv").seasons == ()


@pytest.mark.parametrize(
    "odd",
    [
        1,
        None,
        "x",
        [],
        {},
        {"season_number": "1"},
        {"season_number": -1},
        {"season_number": 10_000},
        {"season_number": None, "name": "Season 9"},
        {"season_number": True},
    ],
    ids=str,
)
def test_an_invalid_season_is_dropped_alone(tmdb: Tmdb, client: TmdbClient, odd: Any) -> None:
    tmdb.body = SHOW | {"seasons": [odd, {"season_number": 1}, odd, {"season_number": 2}]}
    assert details_of(client, "tv").seasons == (Season(1), Season(2))


def test_a_title_with_nul_is_cleaned_or_catalog_unavailable(tmdb: Tmdb, client: TmdbClient) -> None:
    # PostgreSQL stores no NUL, so the invalid text would become a 500.
    tmdb.body = changed(MOVIE, title="The \0Matrix")
    try:
        found = details_of(client)
    except AppError as error:
        assert error.code == ErrorCode.CATALOG_UNAVAILABLE
    else:
        assert "\0" not in found.title


def test_a_text_with_lone_surrogates_is_not_returned(tmdb: Tmdb, client: TmdbClient) -> None:
    # JSON can escape a lone surrogate, UTF-8 cannot encode it, so it would become a 500.
    tmdb.finds(changed(MOVIE, overview="\ud800", poster_path="/\udfff.jpg"), SHOW)
    found = titles_of(client)
    assert found[-1].tmdb_id == 1396
    for title in found:
        assert f"{title.title}{title.overview}{title.poster_path}".encode()


def test_a_v3_key_goes_into_the_query_only(tmdb: Tmdb, cache: MemoryCache) -> None:
    client_of(V3_KEY, cache).search("x", "all", 1)
    _, url, headers, query = tmdb.calls[0]
    assert query["api_key"] == V3_KEY
    assert V3_KEY not in url + str(headers)


def test_a_v4_token_goes_into_the_header_only(tmdb: Tmdb, cache: MemoryCache) -> None:
    client_of(V4_TOKEN, cache).search("x", "all", 1)
    _, url, headers, query = tmdb.calls[0]
    assert headers["Authorization"] == f"Bearer {V4_TOKEN}"
    assert V4_TOKEN not in url + str(query)
    assert "api_key" not in query


def test_without_an_api_key_no_call_is_made(tmdb: Tmdb, cache: MemoryCache) -> None:
    with pytest.raises(ConfigurationError, match="TMDB_API_KEY is required"):
        TmdbClient(Environment(), cache).search("x", "all", 1)
    assert tmdb.calls == []


@pytest.mark.parametrize("key", [V3_KEY, V4_TOKEN])
def test_a_cache_hit_makes_no_call_and_its_key_has_no_api_key(
    tmdb: Tmdb, cache: MemoryCache, key: str
) -> None:
    client = client_of(key, cache)
    tmdb.finds(MOVIE, SHOW)
    first = client.search("x", "all", 1)
    assert client.search("x", "all", 1) == first
    tmdb.body = dict(SHOW)
    assert client.details("tv", 1396) == client.details("tv", 1396)
    assert len(tmdb.calls) == 2
    assert len(cache.stored) == 2
    assert key not in str(cache.stored)
    assert cache.seconds == [FRESH_SEARCH + STALE, FRESH_DETAILS + STALE]


@pytest.mark.parametrize(
    "stored",
    ["", "{", "null", "{}", '{"results": 5, "total_results": 1}', '[{"older": "shape"}]'],
)
def test_a_cache_entry_of_another_shape_is_a_miss(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, stored: str
) -> None:
    tmdb.finds(MOVIE)
    expected = client.search("x", "all", 1)
    (key,) = cache.stored
    cache.stored[key] = stored
    assert client.search("x", "all", 1) == expected
    assert len(tmdb.calls) == 2
    assert client.search("x", "all", 1) == expected
    assert len(tmdb.calls) == 2


def test_different_searches_have_different_cache_entries(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient
) -> None:
    client.search("x", "all", 1)
    client.search("x", "all", 2)
    client.search("x", "movie", 1)
    client.search("y", "all", 1)
    assert len(tmdb.calls) == len(cache.stored) == 4
    tmdb.body = dict(MOVIE)
    client.details("movie", 603)
    tmdb.body = changed(SHOW, id=603)
    found = client.details("tv", 603).value
    assert found is not None
    assert (found.media_type, found.tmdb_id, found.title) == ("tv", 603, "Breaking Bad")


def test_each_language_has_its_own_cache_entry(tmdb: Tmdb, cache: MemoryCache) -> None:
    for language in ("en-US", "de-DE"):
        settings = Environment(tmdb_api_key=SecretStr(V3_KEY), tmdb_language=language)
        TmdbClient(settings, cache).search("x", "all", 1)
        assert tmdb.calls[-1][3]["language"] == language
    assert len(tmdb.calls) == len(cache.stored) == 2


def test_only_parsed_answers_are_cached(tmdb: Tmdb, cache: MemoryCache, client: TmdbClient) -> None:
    tmdb.finds(MOVIE | {"surprise": "canary"}, {"media_type": "movie", "title": "canary"}, "canary")
    titles_of(client)
    tmdb.body = SHOW | {"surprise": "canary", "genres": [{"name": {"canary": 1}}]}
    details_of(client, "tv")
    assert len(cache.stored) == 2
    assert "canary" not in str(cache.stored)


@pytest.mark.parametrize(
    ("trouble", "status", "body"),
    [
        (http.UpstreamError("tmdb.example.org: ReadTimeoutError"), 200, None),
        (None, 500, {}),
        (None, 401, {}),
        (None, 200, "nonsense"),
    ],
    ids=str,
)
@pytest.mark.parametrize("details", [False, True])
def test_a_stale_entry_is_served_while_tmdb_fails(
    tmdb: Tmdb,
    client: TmdbClient,
    clock: Clock,
    trouble: Exception | None,
    status: int,
    body: Any,
    *,
    details: bool,
) -> None:
    def ask() -> CachedValue[Any]:
        return client.details("tv", 1396) if details else client.search("x", "all", 1)

    fresh_seconds = FRESH_DETAILS if details else FRESH_SEARCH
    tmdb.body = SHOW | {"results": [SHOW], "total_results": 1, "seasons": [{"season_number": 1}]}
    first = ask()
    tmdb.trouble, tmdb.status, tmdb.body = trouble, status, body
    clock.now += timedelta(seconds=fresh_seconds - 1)
    assert ask() == first
    assert len(tmdb.calls) == 1, "a fresh value must not call TMDB"
    clock.now += timedelta(seconds=1)
    assert ask() == CachedValue(first.value, fresh_seconds)
    clock.now += timedelta(days=6)
    assert ask() == CachedValue(first.value, fresh_seconds + 6 * 86_400)
    assert len(tmdb.calls) == 3


class TestRecheck:
    """Before a request is refused, the client asks TMDB for newer details."""

    @pytest.fixture
    def cached_show(self, tmdb: Tmdb, client: TmdbClient, clock: Clock) -> None:
        tmdb.body = SHOW | {"seasons": [{"season_number": 1}]}
        details_of(client, "tv")
        clock.now += timedelta(seconds=RECHECK_SECONDS)
        tmdb.body = SHOW | {"seasons": [{"season_number": 1}, {"season_number": 2}]}

    def seasons(self, client: TmdbClient, wanted: int) -> tuple[int, ...]:
        def suffices(title: TitleDetails | None) -> bool:
            return title is not None and wanted in [each.number for each in title.seasons]

        found = client.details("tv", 1396, suffices=suffices).value
        assert found is not None
        return tuple(each.number for each in found.seasons)

    @pytest.mark.usefixtures("cached_show")
    def test_an_insufficient_title_is_fetched_again(self, tmdb: Tmdb, client: TmdbClient) -> None:
        assert self.seasons(client, 1) == (1,)
        assert len(tmdb.calls) == 1
        assert self.seasons(client, 2) == (1, 2)
        assert self.seasons(client, 1) == (1, 2), "the new details must be cached"
        assert len(tmdb.calls) == 2

    @pytest.mark.usefixtures("cached_show")
    def test_an_insufficient_title_is_fetched_again_at_most_every_half_minute(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock
    ) -> None:
        for _ in range(5):
            assert self.seasons(client, 9) == (1, 2)
        assert len(tmdb.calls) == 2
        clock.now += timedelta(seconds=RECHECK_SECONDS - 1)
        self.seasons(client, 9)
        assert len(tmdb.calls) == 2

    def test_a_title_that_was_just_read_is_not_fetched_again(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        tmdb.body = dict(SHOW)
        assert self.seasons(client, 9) == self.seasons(client, 9) == ()
        assert len(tmdb.calls) == 1

    @pytest.mark.usefixtures("cached_show")
    def test_while_tmdb_is_down_the_cached_title_decides(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        tmdb.trouble = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
        for _ in range(5):
            assert self.seasons(client, 2) == (1,)
        assert len(tmdb.calls) == 2

    def test_a_cached_not_found_is_checked_again(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock
    ) -> None:
        tmdb.status, tmdb.body = 404, {"success": False, "status_code": 34}
        assert client.details("movie", 603).value is None
        tmdb.status, tmdb.body = 200, MOVIE
        for _ in range(2):
            found = client.details("movie", 603, suffices=lambda title: title is not None)
            assert found.value is None
        clock.now += timedelta(seconds=RECHECK_SECONDS)
        found = client.details("movie", 603, suffices=lambda title: title is not None)
        assert found.value is not None

    def test_a_stale_title_is_rechecked_once_while_tmdb_fails(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock
    ) -> None:
        tmdb.body = dict(SHOW)
        details_of(client, "tv")
        clock.now += timedelta(seconds=FRESH_DETAILS)
        tmdb.trouble = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
        for _ in range(3):
            assert self.seasons(client, 1) == ()
        assert len(tmdb.calls) == 2


class TestLanguage:
    """Each field that TMDB lacks in the configured language is returned in English."""

    GERMAN: ClassVar[dict[str, Any]] = {
        "iso_639_1": "de",
        "iso_3166_1": "DE",
        "data": {"title": "Die Matrix", "overview": "Ein Hacker."},
    }
    ENGLISH: ClassVar[dict[str, Any]] = {
        "iso_639_1": "en",
        "iso_3166_1": "US",
        "data": {"title": "Spirited Away", "name": "Spirited Away", "overview": "A girl."},
    }
    BRITISH: ClassVar[dict[str, Any]] = changed(
        ENGLISH, iso_3166_1="GB", data={"title": "X", "name": "X", "overview": "X."}
    )

    @pytest.fixture
    def client(self, cache: MemoryCache) -> TmdbClient:
        return TmdbClient(
            Environment(
                tmdb_api_key=SecretStr(V3_KEY),
                tmdb_api_url="https://tmdb.example.org/3",
                tmdb_language="de-DE",
            ),
            cache,
        )

    def body(self, **changes: Any) -> dict[str, Any]:
        untranslated = {
            "id": 129,
            "title": "Sen",
            "original_title": "Sen",
            "name": "Sen",
            "original_name": "Sen",
            "original_language": "ja",
            "overview": "",
            "poster_path": None,
            "translations": {"translations": [self.BRITISH, self.ENGLISH]},
            "images": {
                "posters": [
                    {"file_path": "/plain.jpg", "iso_639_1": None},
                    {"file_path": "/en.jpg", "iso_639_1": "en"},
                ]
            },
        }
        return changed(untranslated, **changes)

    @pytest.mark.parametrize("media_type", ["movie", "tv"])
    def test_a_title_without_translation_is_in_english(
        self, tmdb: Tmdb, client: TmdbClient, media_type: Any
    ) -> None:
        tmdb.body = self.body()
        found = details_of(client, media_type)
        assert (found.title, found.overview, found.poster_path) == (
            "Spirited Away",
            "A girl.",
            "/en.jpg",
        )
        (call,) = tmdb.calls
        assert call[3]["append_to_response"] == "translations,images"
        assert call[3]["include_image_language"] == "en,null"

    @pytest.mark.parametrize(
        ("changes", "shown"),
        [
            ({"title": "Chihiro"}, ("Chihiro", "A girl.", "/en.jpg")),
            ({"overview": "Ein M\u00e4dchen."}, ("Spirited Away", "Ein M\u00e4dchen.", "/en.jpg")),
            ({"poster_path": "/de.jpg"}, ("Spirited Away", "A girl.", "/de.jpg")),
            ({"original_language": "de"}, ("Sen", "A girl.", "/en.jpg")),
            ({"title": None, "original_title": None}, ("Spirited Away", "A girl.", "/en.jpg")),
            (
                {"images": {"posters": [{"file_path": "/x.jpg"}]}},
                ("Spirited Away", "A girl.", "/x.jpg"),
            ),
        ],
        ids=str,
    )
    def test_each_field_falls_back_to_english_by_itself(
        self,
        tmdb: Tmdb,
        client: TmdbClient,
        changes: dict[str, Any],
        shown: tuple[str, str, str],
    ) -> None:
        tmdb.body = self.body(**changes)
        found = details_of(client)
        assert (found.title, found.overview, found.poster_path) == shown

    def test_a_translation_equal_to_the_original_title_counts(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        german = changed(self.GERMAN, data={"title": "Sen", "overview": None})
        tmdb.body = self.body(translations={"translations": [self.ENGLISH, german]})
        assert details_of(client).title == "Sen"

    def test_an_english_title_is_not_repeated_in_its_translation(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        english = changed(self.ENGLISH, data={"title": "", "overview": "A girl."})
        tmdb.body = self.body(original_language="en", translations={"translations": [english]})
        assert details_of(client).title == "Sen"

    @pytest.mark.parametrize(
        "odd",
        [None, 5, "x", [], {}, {"translations": None}, {"translations": [None, {}, 5]}],
        ids=str,
    )
    def test_invalid_translations_and_pictures_are_ignored(
        self, tmdb: Tmdb, client: TmdbClient, odd: Any
    ) -> None:
        tmdb.body = self.body(translations=odd, images=odd)
        found = details_of(client)
        assert (found.title, found.overview, found.poster_path) == ("Sen", None, None)

    def test_an_invalid_translation_is_dropped_alone(self, tmdb: Tmdb, client: TmdbClient) -> None:
        odd = changed(self.ENGLISH, data=None)
        tmdb.body = self.body(translations={"translations": [odd, None, self.ENGLISH]})
        assert details_of(client).title == "Spirited Away"

    @pytest.mark.parametrize("language", ["en", "en-US"])
    def test_english_asks_for_no_translations(
        self, tmdb: Tmdb, cache: MemoryCache, language: str
    ) -> None:
        settings = Environment(tmdb_api_key=SecretStr(V3_KEY), tmdb_language=language)
        tmdb.body = dict(MOVIE)
        TmdbClient(settings, cache).details("movie", 603)
        assert not {"append_to_response", "include_image_language"} & tmdb.calls[0][3].keys()


@pytest.mark.parametrize(
    "spelling",
    [
        "Breaking Bad",
        " BREAKING\u00a0 bad",
        "\uff42reaking bad",
        "break\u200bing bad",
        "breaking\tbad",
    ],
)
def test_spellings_of_one_search_share_a_cache_entry(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, spelling: str
) -> None:
    tmdb.finds(SHOW)
    client.search(spelling, "all", 1)
    client.search("breaking bad", "all", 1)
    assert [call[3]["query"] for call in tmdb.calls] == ["breaking bad"]
    assert len(cache.stored) == 1


@pytest.mark.parametrize("text", [" ", "\u200b", "\x1c", "\ud800"])
def test_an_empty_search_finds_nothing_and_makes_no_call(
    tmdb: Tmdb, client: TmdbClient, text: str
) -> None:
    assert client.search(text, "all", 3).value == SearchPage([], 3, 0)
    assert tmdb.calls == []


def test_a_stale_entry_is_fetched_again(tmdb: Tmdb, client: TmdbClient, clock: Clock) -> None:
    titles_of(client)
    tmdb.finds(MOVIE)
    clock.now += timedelta(seconds=FRESH_SEARCH)
    found = client.search("x", "all", 1)
    assert (found.value.titles[0].tmdb_id, found.stale_seconds) == (603, None)
    assert client.search("x", "all", 1) == found
    assert len(tmdb.calls) == 2


def test_a_deleted_title_is_not_served_stale(tmdb: Tmdb, client: TmdbClient, clock: Clock) -> None:
    tmdb.body = dict(MOVIE)
    details_of(client)
    clock.now += timedelta(seconds=FRESH_DETAILS)
    tmdb.status, tmdb.body = 404, {"success": False, "status_code": 34}
    assert client.details("movie", 603) == CachedValue(None)


def test_a_clock_that_is_behind_gives_no_negative_age(
    tmdb: Tmdb, client: TmdbClient, clock: Clock
) -> None:
    titles_of(client)
    clock.now -= timedelta(seconds=30)
    assert client.search("x", "all", 1).stale_seconds is None
    assert len(tmdb.calls) == 1


def test_failures_open_the_breaker_and_refusals_do_not(tmdb: Tmdb, client: TmdbClient) -> None:
    # A query that TMDB rejects must not open the circuit for other users.
    tmdb.status = 422
    for _ in range(2 * FAILURES):
        assert_unavailable(client)
    tmdb.status, tmdb.body = 200, "nonsense"
    for _ in range(2 * FAILURES):
        assert_unavailable(client)
    assert len(tmdb.calls) == 4 * FAILURES
    tmdb.trouble = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
    for _ in range(FAILURES):
        assert_unavailable(client)
    tmdb.trouble = None
    with pytest.raises(AppError) as caught:
        client.search("x", "all", 1)
    assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
    assert 25 < int(caught.value.headers["Retry-After"]) <= 30
    assert len(tmdb.calls) == 5 * FAILURES


@pytest.mark.parametrize(("retry_after", "told"), [(None, "5"), (1, "5"), (20, "20"), (3600, "60")])
def test_retry_after_of_tmdb_reaches_the_caller(
    tmdb: Tmdb, client: TmdbClient, retry_after: int | None, told: str
) -> None:
    tmdb.trouble = http.UpstreamError("tmdb.example.org answered 429", retry_after=retry_after)
    with pytest.raises(AppError) as caught:
        client.search("x", "all", 1)
    assert caught.value.headers == {"Retry-After": told}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_EXTRA = ("original_title", "original_name", "translations", "images", "original_language")
_FIELDS = st.sampled_from(sorted({*MOVIE, *SHOW, *_EXTRA}))


@given(items=st.lists(st.dictionaries(_FIELDS, _JSON) | _JSON, max_size=5))
def test_any_items_give_titles_or_catalog_unavailable(items: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        tmdb = Tmdb()
        patched.setattr(http, "request_json", tmdb)
        tmdb.finds(MOVIE, *items)
        found = titles_of(client_of(V3_KEY, MemoryCache()))
    assert found[0].tmdb_id == 603
    for title in found:
        assert 0 < title.tmdb_id < 2**31
        assert title.title
        assert f"{title.title}{title.overview}{title.poster_path}".encode()


@given(
    body=st.dictionaries(
        st.sampled_from([*MOVIE, *SHOW, *_EXTRA, "genres", "runtime", "seasons"]), _JSON
    )
)
def test_any_details_give_a_title_or_catalog_unavailable(body: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        tmdb = Tmdb()
        patched.setattr(http, "request_json", tmdb)
        for media_type, basis in (("movie", MOVIE), ("tv", SHOW)):
            tmdb.body = basis | body
            cache = MemoryCache()
            try:
                found = details_of(client_of(V3_KEY, cache), media_type)
            except AppError as error:
                assert error.code == ErrorCode.CATALOG_UNAVAILABLE
                assert cache.stored == {}
                continue
            assert f"{found.title}{found.overview}{found.genres}{found.seasons}".encode()
            assert details_of(client_of(V3_KEY, cache), media_type) == found, (
                "the cached details differ"
            )
