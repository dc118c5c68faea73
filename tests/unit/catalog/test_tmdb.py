"""The TMDB client: the requests that it sends, its cache, and its errors."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from medianest.catalog.models import CachedValue, SearchPage, TitleDetails
from medianest.catalog.response_cache import RECHECK_SECONDS
from medianest.catalog.tmdb import MISSING_CACHE_SECONDS, TmdbClient
from medianest.catalog.tmdb_wire import MAX_TITLE_BYTES
from medianest.core import http
from medianest.core.breaker import FAILURES
from medianest.core.environment import ConfigurationError
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.variables import Environment
from tests.support.canned import ABSENT, changed
from tests.support.tmdb import (
    FRESH_DETAILS,
    FRESH_SEARCH,
    MOVIE,
    PERSON,
    SHOW,
    STALE,
    V3_KEY,
    V4_TOKEN,
    Clock,
    MemoryCache,
    Tmdb,
    assert_unavailable,
    client_of,
    details_of,
    titles_of,
)


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


class TestPagesOfPeople:
    """A search of all types also finds people, which the client skips."""

    @pytest.fixture
    def pages(self, monkeypatch: pytest.MonkeyPatch, tmdb: Tmdb) -> dict[str, list[Any]]:
        """Return the results by TMDB page; of five pages, the absent ones contain only people."""
        results: dict[str, list[Any]] = {}

        def request_json(method: str, url: str, **options: Any) -> tuple[int, Any]:
            tmdb.set_results(*results.get(options["query"]["page"], [PERSON] * 20), total=100)
            return tmdb(method, url, **options)

        monkeypatch.setattr(http, "request_json", request_json)
        return results

    def search(self, client: TmdbClient, page: int) -> tuple[list[int], int, int]:
        result = client.search("x", "all", page).value
        return [title.tmdb_id for title in result.titles], result.page, result.total

    @pytest.mark.parametrize("first", [1, 2, 3])
    def test_pages_of_people_are_skipped(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]], first: int
    ) -> None:
        pages[str(first)] = [PERSON, MOVIE]
        assert self.search(client, 1) == ([603], first, 100)
        assert len(tmdb.calls) == first
        assert self.search(client, 1) == ([603], first, 100), "the cached page differs"
        assert len(tmdb.calls) == first

    def test_skipping_pages_of_people_is_bounded(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]]
    ) -> None:
        pages["4"] = [MOVIE]
        # The client goes on at page 4.
        assert self.search(client, 1) == ([], 3, 100)
        assert self.search(client, 4) == ([603], 4, 100)
        assert [call[3]["page"] for call in tmdb.calls] == ["1", "2", "3", "4"]

    def test_a_search_that_finds_only_people_has_no_titles(
        self, tmdb: Tmdb, client: TmdbClient, pages: dict[str, list[Any]]
    ) -> None:
        pages["1"] = pages["3"] = [MOVIE]
        assert self.search(client, 2) == ([603], 3, 100)
        tmdb.calls.clear()
        assert self.search(client, 4) == ([], 4, 60)
        assert [call[3]["page"] for call in tmdb.calls] == ["4", "5"]

    def test_skipped_pages_share_the_time_of_one_call(
        self, tmdb: Tmdb, client: TmdbClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remaining = [3.0, 2.0, 1.0]
        timeouts = []

        def request_json(method: str, url: str, **options: Any) -> tuple[int, Any]:
            timeouts.append(options["total_seconds"])
            tmdb.set_results(PERSON, total=100)
            return tmdb(method, url, **options)

        monkeypatch.setattr(
            http.Budget, "seconds_left", property(lambda _: remaining[len(timeouts)])
        )
        monkeypatch.setattr(http, "request_json", request_json)
        client.search("x", "all", 1)
        assert timeouts == [3.0, 2.0, 1.0]


def test_the_total_of_a_single_page_counts_its_titles(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(PERSON, MOVIE, PERSON, SHOW, None, total=5)
    assert client.search("x", "all", 1).value.total == 2
    tmdb.set_results(PERSON, MOVIE, total=21)
    assert client.search("y", "all", 1).value.total == 21


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


@pytest.mark.parametrize("changes", [{"id": 604}, {"title": " ", "original_title": None}], ids=str)
@pytest.mark.parametrize("call", [TmdbClient.details, TmdbClient.routing_facts])
def test_another_title_and_one_without_a_name_are_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, call: Any, changes: dict[str, Any]
) -> None:
    tmdb.body = MOVIE | changes
    with pytest.raises(AppError) as caught:
        call(client, "movie", 603)
    assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
    assert cache.stored == {}


@pytest.mark.parametrize("language", [None, "", 7, "\ud800"])
def test_facts_have_no_invalid_language(tmdb: Tmdb, client: TmdbClient, language: Any) -> None:
    tmdb.body = MOVIE | {"original_language": language}
    facts = client.routing_facts("movie", 603).value
    assert facts is not None
    assert facts.languages == frozenset()


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 404, 422])
def test_a_search_with_an_error_status_is_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, status: int
) -> None:
    tmdb.status = status
    assert_unavailable(client)
    assert cache.stored == {}


@pytest.mark.parametrize("details", [False, True])
def test_a_failed_call_is_catalog_unavailable(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, *, details: bool
) -> None:
    tmdb.error = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
    assert_unavailable(client, details=details)
    assert cache.stored == {}
    tmdb.error = None
    assert titles_of(client) == []


@pytest.mark.parametrize("code", [6, 34])
def test_an_unknown_title_is_none(
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
def test_a_404_means_not_found_only_with_the_body_of_tmdb(
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
        changed(MOVIE, id=ABSENT),
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
    tmdb.set_results(MOVIE, SHOW)
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
def test_a_cache_entry_with_another_schema_is_a_miss(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient, stored: str
) -> None:
    tmdb.set_results(MOVIE)
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
    show = client.details("tv", 603).value
    assert show is not None
    assert (show.media_type, show.tmdb_id, show.title) == ("tv", 603, "Breaking Bad")


def test_each_language_has_its_own_cache_entry(tmdb: Tmdb, cache: MemoryCache) -> None:
    for language in ("en-US", "de-DE"):
        environment = Environment(tmdb_api_key=SecretStr(V3_KEY), tmdb_language=language)
        TmdbClient(environment, cache).search("x", "all", 1)
        assert tmdb.calls[-1][3]["language"] == language
    assert len(tmdb.calls) == len(cache.stored) == 2


def test_only_parsed_responses_are_cached(
    tmdb: Tmdb, cache: MemoryCache, client: TmdbClient
) -> None:
    tmdb.set_results(
        MOVIE | {"surprise": "canary"}, {"media_type": "movie", "title": "canary"}, "canary"
    )
    titles_of(client)
    tmdb.body = SHOW | {"surprise": "canary", "genres": [{"name": {"canary": 1}}]}
    details_of(client, "tv")
    assert len(cache.stored) == 2
    assert "canary" not in str(cache.stored)


@pytest.mark.parametrize(
    ("error", "status", "body"),
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
    error: Exception | None,
    status: int,
    body: Any,
    *,
    details: bool,
) -> None:
    def read() -> CachedValue[Any]:
        return client.details("tv", 1396) if details else client.search("x", "all", 1)

    fresh_seconds = FRESH_DETAILS if details else FRESH_SEARCH
    tmdb.body = SHOW | {"results": [SHOW], "total_results": 1, "seasons": [{"season_number": 1}]}
    fresh = read()
    tmdb.error, tmdb.status, tmdb.body = error, status, body
    clock.now += timedelta(seconds=fresh_seconds - 1)
    assert read() == fresh
    assert len(tmdb.calls) == 1, "a fresh value must not call TMDB"
    clock.now += timedelta(seconds=1)
    assert read() == CachedValue(fresh.value, fresh_seconds)
    clock.now += timedelta(days=6)
    assert read() == CachedValue(fresh.value, fresh_seconds + 6 * 86_400)
    assert len(tmdb.calls) == 3


class TestRecheck:
    """Before a request is refused, the client asks TMDB for newer details."""

    @pytest.fixture
    def cached_show(self, tmdb: Tmdb, client: TmdbClient, clock: Clock) -> None:
        tmdb.body = SHOW | {"seasons": [{"season_number": 1}]}
        details_of(client, "tv")
        clock.now += timedelta(seconds=RECHECK_SECONDS)
        tmdb.body = SHOW | {"seasons": [{"season_number": 1}, {"season_number": 2}]}

    def seasons(self, client: TmdbClient, number: int) -> tuple[int, ...]:
        def suffices(title: TitleDetails | None) -> bool:
            return title is not None and number in [season.number for season in title.seasons]

        show = client.details("tv", 1396, suffices=suffices).value
        assert show is not None
        return tuple(season.number for season in show.seasons)

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

    def test_a_title_that_was_just_fetched_is_not_fetched_again(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        tmdb.body = dict(SHOW)
        assert self.seasons(client, 9) == self.seasons(client, 9) == ()
        assert len(tmdb.calls) == 1

    @pytest.mark.usefixtures("cached_show")
    def test_the_cached_title_is_used_while_tmdb_is_down(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        tmdb.error = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
        for _ in range(5):
            assert self.seasons(client, 2) == (1,)
        assert len(tmdb.calls) == 2

    def test_a_cached_not_found_is_fetched_again(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock
    ) -> None:
        tmdb.status, tmdb.body = 404, {"success": False, "status_code": 34}
        assert client.details("movie", 603).value is None
        tmdb.status, tmdb.body = 200, MOVIE
        for _ in range(2):
            movie = client.details("movie", 603, suffices=lambda title: title is not None)
            assert movie.value is None
        clock.now += timedelta(seconds=RECHECK_SECONDS)
        movie = client.details("movie", 603, suffices=lambda title: title is not None)
        assert movie.value is not None

    def test_a_stale_title_is_rechecked_once_while_tmdb_fails(
        self, tmdb: Tmdb, client: TmdbClient, clock: Clock
    ) -> None:
        tmdb.body = dict(SHOW)
        details_of(client, "tv")
        clock.now += timedelta(seconds=FRESH_DETAILS)
        tmdb.error = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
        for _ in range(3):
            assert self.seasons(client, 1) == ()
        assert len(tmdb.calls) == 2


@pytest.mark.parametrize("language", ["en", "en-US"])
def test_translations_are_not_requested_in_english(
    tmdb: Tmdb, cache: MemoryCache, language: str
) -> None:
    environment = Environment(tmdb_api_key=SecretStr(V3_KEY), tmdb_language=language)
    tmdb.body = dict(MOVIE)
    TmdbClient(environment, cache).details("movie", 603)
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
    tmdb.set_results(SHOW)
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
    tmdb.set_results(MOVIE)
    clock.now += timedelta(seconds=FRESH_SEARCH)
    fetched = client.search("x", "all", 1)
    assert (fetched.value.titles[0].tmdb_id, fetched.stale_seconds) == (603, None)
    assert client.search("x", "all", 1) == fetched
    assert len(tmdb.calls) == 2


def test_a_deleted_title_is_not_served_stale(tmdb: Tmdb, client: TmdbClient, clock: Clock) -> None:
    tmdb.body = dict(MOVIE)
    details_of(client)
    clock.now += timedelta(seconds=FRESH_DETAILS)
    tmdb.status, tmdb.body = 404, {"success": False, "status_code": 34}
    assert client.details("movie", 603) == CachedValue(None)


def test_an_age_is_not_negative_after_the_clock_is_set_back(
    tmdb: Tmdb, client: TmdbClient, clock: Clock
) -> None:
    titles_of(client)
    clock.now -= timedelta(seconds=30)
    assert client.search("x", "all", 1).stale_seconds is None
    assert len(tmdb.calls) == 1


def test_failed_calls_open_the_breaker_and_error_responses_do_not(
    tmdb: Tmdb, client: TmdbClient
) -> None:
    # A query that TMDB rejects must not open the circuit for other users.
    tmdb.status = 422
    for _ in range(2 * FAILURES):
        assert_unavailable(client)
    tmdb.status, tmdb.body = 200, "nonsense"
    for _ in range(2 * FAILURES):
        assert_unavailable(client)
    assert len(tmdb.calls) == 4 * FAILURES
    tmdb.error = http.UpstreamError("tmdb.example.org: ReadTimeoutError")
    for _ in range(FAILURES):
        assert_unavailable(client)
    tmdb.error = None
    with pytest.raises(AppError) as caught:
        client.search("x", "all", 1)
    assert caught.value.code == ErrorCode.CATALOG_UNAVAILABLE
    assert 25 < int(caught.value.headers["Retry-After"]) <= 30
    assert len(tmdb.calls) == 5 * FAILURES


@pytest.mark.parametrize(
    ("retry_after", "expected"), [(None, "5"), (1, "5"), (20, "20"), (3600, "60")]
)
def test_retry_after_of_tmdb_reaches_the_caller(
    tmdb: Tmdb, client: TmdbClient, retry_after: int | None, expected: str
) -> None:
    tmdb.error = http.UpstreamError("tmdb.example.org answered 429", retry_after=retry_after)
    with pytest.raises(AppError) as caught:
        client.search("x", "all", 1)
    assert caught.value.headers == {"Retry-After": expected}


@pytest.mark.parametrize("letter", ["x", "\u96ea", "\u0130"])
def test_a_title_fits_into_the_indexes_of_requests(
    tmdb: Tmdb, client: TmdbClient, letter: str
) -> None:
    tmdb.body = MOVIE | {"title": letter * 2000}
    found = client.details("movie", 603).value
    assert found is not None
    title = found.title
    assert 0 < len(title.encode()) <= MAX_TITLE_BYTES
    # An entry of the index has both, and 2,704 bytes at most.
    assert len(title.encode()) + len(title.lower().encode()) < 2600
