"""The catalogue while TMDB or the cache fails: stale responses, retries, the breaker."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
import redis
from pydantic import SecretStr

from medianest.catalog import service as catalog
from medianest.catalog.response_cache import RECHECK_SECONDS
from medianest.core.breaker import FAILURES
from medianest.core.cache import Cache
from medianest.core.environment import load
from tests.support import plex
from tests.support.api import call
from tests.support.catalog import (
    BREAKING_BAD,
    DAY,
    FAULT_IDS,
    FAULTS,
    MATRIX,
    Fault,
    age_entries,
    cached_entries,
    details,
    post_request,
    requests_to,
    search,
    store,
)

type Db = psycopg.Connection[tuple[Any, ...]]


def remove_seasons(keys: redis.Redis, last: int, seconds: int) -> None:
    """Make the cached show older, and remove its seasons after `last`."""
    age_entries(keys, seconds)
    for name, entry in cached_entries(keys).items():
        remaining = [season for season in entry["value"]["seasons"] if season["number"] <= last]
        store(name, {**entry, "value": {**entry["value"], "seasons": remaining}})


@pytest.fixture
def no_cache(people: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the catalogue a cache address where nothing listens."""
    unreachable = Cache(SecretStr("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(catalog, "shared_cache", lambda: unreachable)
    catalog.tmdb.cache_clear()
    yield
    catalog.tmdb.cache_clear()


class TestFaultWithoutCachedResponse:
    @pytest.mark.parametrize("options", FAULTS, ids=FAULT_IDS)
    def test_tmdb_fault_gets_503_and_nothing_is_cached(
        self,
        db: Db,
        people: dict[str, str],
        keys: redis.Redis,
        tmdb_url: str,
        fault: Fault,
        options: dict[str, Any],
    ) -> None:
        fault(**options)
        for answer in (
            details(people["bob"], "movie", 603),
            search(people["bob"]),
            post_request(people["bob"], MATRIX),
        ):
            assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) >= 1
            assert "x-catalog-stale" not in answer.headers
        assert cached_entries(keys) == {}
        rows = db.execute("SELECT count(*) FROM media_requests").fetchone()
        assert rows == (0,)
        plex.control(tmdb_url, "DELETE", "fault")
        assert search(people["bob"]).data

    def test_no_redirect_is_followed(
        self, people: dict[str, str], fault: Fault, plex_url: str
    ) -> None:
        plex.control(plex_url, "DELETE", "requests")
        fault(kind="redirect", location=f"{plex_url}/api/v2/user")
        assert details(people["bob"], "movie", 603).code == "CATALOG_UNAVAILABLE"
        assert plex.control(plex_url, "GET", "requests") == []


class TestStale:
    @pytest.mark.parametrize("options", FAULTS, ids=FAULT_IDS)
    def test_stale_response_is_served_while_tmdb_fails(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, options: dict[str, Any]
    ) -> None:
        fresh = details(people["bob"], "tv", 1396), search(people["bob"])
        age_entries(keys, DAY)
        fault(**options)
        for before, stale in zip(
            fresh, (details(people["bob"], "tv", 1396), search(people["bob"])), strict=True
        ):
            assert stale.status == 200
            assert stale.json == before.json
            assert DAY <= int(stale.headers["x-catalog-stale"]) < DAY + 60
            assert "x-catalog-stale" in stale.headers["access-control-expose-headers"].lower()
            assert "x-catalog-stale" not in before.headers
        assert len(cached_entries(keys)) == 2

    def test_fresh_response_is_served_after_tmdb_recovers(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, tmdb_url: str
    ) -> None:
        details(people["bob"], "movie", 603)
        age_entries(keys, DAY)
        fault(kind="status", status=500)
        assert "x-catalog-stale" in details(people["bob"], "movie", 603).headers
        plex.control(tmdb_url, "DELETE", "fault")
        for _ in range(2):
            fresh = details(people["bob"], "movie", 603)
            assert (fresh.status, fresh.headers.get("x-catalog-stale")) == (200, None)
        assert len(requests_to(tmdb_url)) == 2

    def test_stale_details_show_current_request_states(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault
    ) -> None:
        details(people["bob"], "tv", 1396)
        age_entries(keys, DAY)
        fault(kind="close")
        created = post_request(people["bob"], {**BREAKING_BAD, "seasons": [2]})
        assert created.status == 201
        assert (created.data["title"], created.data["seasons"]) == ("Breaking Bad", [2])
        show = details(people["bob"], "tv", 1396)
        assert "x-catalog-stale" in show.headers
        assert show.data["seasons"][2]["request"] == {"id": created.data["id"], "status": "pending"}

    def test_unknown_season_is_refused_by_stale_details(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault
    ) -> None:
        details(people["bob"], "tv", 1396)
        age_entries(keys, DAY)
        fault(kind="close")
        answer = post_request(people["bob"], {**BREAKING_BAD, "seasons": [99]})
        assert [item["field"] for item in answer.details] == ["body.seasons"]

    def test_page_past_the_last_has_the_stale_header(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault
    ) -> None:
        query = {"q": "the", "type": "movie", "page": 501}
        fresh = call("GET", "/api/media/search", token=people["bob"], query=query)
        age_entries(keys, DAY)
        fault(kind="status", status=500)
        stale = call("GET", "/api/media/search", token=people["bob"], query=query)
        assert stale.json == fresh.json
        assert int(stale.headers["x-catalog-stale"]) >= DAY


class TestRecheck:
    """Before a refusal, the catalogue reloads a fresh entry that is old enough to recheck."""

    @pytest.fixture
    def outdated(self, people: dict[str, str], keys: redis.Redis, tmdb_url: str) -> str:
        """Return a token; the cached Breaking Bad has only two seasons."""
        details(people["bob"], "tv", 1396)
        remove_seasons(keys, 2, RECHECK_SECONDS)
        plex.control(tmdb_url, "DELETE", "requests")
        return people["bob"]

    def test_new_season_is_found_by_a_recheck(self, outdated: str, tmdb_url: str) -> None:
        assert post_request(outdated, {**BREAKING_BAD, "seasons": [2]}).status == 201
        assert requests_to(tmdb_url) == []
        created = post_request(outdated, {**BREAKING_BAD, "seasons": [5]})
        assert (created.status, created.data["seasons"]) == (201, [5])
        assert len(requests_to(tmdb_url)) == 1
        assert post_request(outdated, {**BREAKING_BAD, "seasons": [4]}).status == 201
        assert len(requests_to(tmdb_url)) == 1

    def test_unknown_season_is_rechecked_once(self, outdated: str, tmdb_url: str) -> None:
        for _ in range(4):
            answer = post_request(outdated, {**BREAKING_BAD, "seasons": [9, 1]})
            assert answer.details == [
                {
                    "field": "body.seasons",
                    "message": "This show has no season 9. It has seasons 0 to 5.",
                }
            ]
        assert len(requests_to(tmdb_url)) == 1

    def test_cached_seasons_decide_while_tmdb_is_down(
        self, outdated: str, fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="status", status=500)
        for _ in range(4):
            answer = post_request(outdated, {**BREAKING_BAD, "seasons": [5]})
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert len(requests_to(tmdb_url)) == 1
        assert post_request(outdated, {**BREAKING_BAD, "seasons": [2]}).status == 201

    def test_show_cached_without_seasons_is_rechecked(
        self, people: dict[str, str], keys: redis.Redis
    ) -> None:
        details(people["bob"], "tv", 1396)
        remove_seasons(keys, -1, RECHECK_SECONDS)
        assert post_request(people["bob"], BREAKING_BAD).data["seasons"] == [1, 2, 3, 4, 5]

    def test_title_cached_as_not_found_is_rechecked(
        self, people: dict[str, str], keys: redis.Redis
    ) -> None:
        for request in (
            partial(post_request, people["bob"], MATRIX),
            partial(details, people["bob"], "movie", 603),
        ):
            keys.flushdb()
            details(people["bob"], "movie", 603)
            ((name, entry),) = cached_entries(keys).items()
            store(name, {**entry, "value": None, "fresh_seconds": 60})
            assert request().status in {400, 404}
            age_entries(keys, RECHECK_SECONDS)
            assert request().status in {200, 201}

    def test_recheck_uses_the_result_of_a_concurrent_call(
        self, outdated: str, keys: redis.Redis, tmdb_url: str
    ) -> None:
        ((name, entry),) = cached_entries(keys).items()
        entry["at"] += RECHECK_SECONDS
        entry["value"]["seasons"].append({"number": 3, "episode_count": 13})
        keys.set(f"{name}:flight", "another-caller", px=60_000)

        def finish() -> None:
            store(name, entry)
            keys.delete(f"{name}:flight")

        timer = threading.Timer(0.3, finish)
        timer.start()
        created = post_request(outdated, {**BREAKING_BAD, "seasons": [3]})
        timer.join()
        assert created.status == 201
        assert requests_to(tmdb_url) == []

    def test_announced_season_is_requested_only_by_its_number(self, people: dict[str, str]) -> None:
        severance = {"mediaType": "tv", "tmdbId": 95396}
        assert post_request(people["bob"], severance).data["seasons"] == [1, 2]
        created = post_request(people["bob"], {**severance, "seasons": [3]})
        assert (created.status, created.data["seasons"]) == (201, [3])


class TestLanguage:
    @pytest.fixture
    def token(self, people: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """Return a token; the language of the catalogue is German."""
        german = load({**os.environ, "TMDB_LANGUAGE": "de-DE"})
        monkeypatch.setattr(catalog, "environment", lambda: german)
        catalog.tmdb.cache_clear()
        yield people["bob"]
        catalog.tmdb.cache_clear()

    @pytest.mark.parametrize(
        ("media_type", "tmdb_id", "title", "overview"),
        [
            ("movie", 603, "Matrix", "Ein Programmierer erf\u00e4hrt"),
            ("movie", 194, "Die fabelhafte Welt der Am\u00e9lie", "Eine scheue Kellnerin"),
            ("movie", 27205, "Inception", "Ein Dieb"),
            ("movie", 128, "Prinzessin Mononoke", "A cursed prince"),
            ("movie", 129, "Spirited Away", "A girl works"),
            ("movie", 387, "Das Boot", None),
            ("tv", 1399, "Game of Thrones \u2013 Das Lied von Eis und Feuer", "Adelsh\u00e4user"),
            ("tv", 70523, "Dark", "In einer deutschen Kleinstadt"),
            ("tv", 93405, "Squid Game", "People in debt"),
        ],
    )
    def test_missing_translations_fall_back_to_english(
        self,
        token: str,
        tmdb_url: str,
        media_type: str,
        tmdb_id: int,
        title: str,
        overview: str | None,
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        title_details = details(token, media_type, tmdb_id).data
        assert title_details["title"] == title
        assert title_details.get("overview", "").startswith(overview or "")
        assert ("overview" in title_details) == (overview is not None)
        assert len(requests_to(tmdb_url)) == 1

    def test_missing_posters_fall_back_to_english(self, token: str) -> None:
        assert details(token, "movie", 603).data["posterPath"] == "/matrix-poster.jpg"

    def test_search_has_no_fallback_to_english(self, token: str) -> None:
        (result,) = search(token, "spirited away").data
        assert result["title"] == "\u5343\u3068\u5343\u5c0b\u306e\u795e\u96a0\u3057"
        assert "overview" not in result

    def test_request_stores_the_title_of_the_details(self, db: Db, token: str) -> None:
        created = post_request(token, {"mediaType": "movie", "tmdbId": 129})
        assert created.data["title"] == "Spirited Away"
        row = db.execute(
            "SELECT details->>'title' FROM audit_logs WHERE action = 'request.created'"
        ).fetchone()
        assert row == ("Spirited Away",)


class TestSingleFlight:
    """The HTTP responses; test_single_flight.py tests the waiting."""

    def lock_key(self, keys: redis.Redis, token: str) -> str:
        """Return the lock key of a call to TMDB for a film."""
        details(token, "movie", 603)
        (key,) = cached_entries(keys)
        return f"{key}:flight"

    def test_stale_response_is_served_while_another_caller_refreshes_it(
        self, people: dict[str, str], keys: redis.Redis, tmdb_url: str
    ) -> None:
        keys.set(self.lock_key(keys, people["bob"]), "another-caller", px=60_000)
        age_entries(keys, DAY)
        plex.control(tmdb_url, "DELETE", "requests")
        answer = details(people["carol"], "movie", 603)
        assert answer.data["title"] == "The Matrix"
        assert int(answer.headers["x-catalog-stale"]) >= DAY
        assert requests_to(tmdb_url) == []

    def test_waiting_caller_uses_the_response_of_another_caller(
        self, people: dict[str, str], keys: redis.Redis, tmdb_url: str
    ) -> None:
        lock_key = self.lock_key(keys, people["bob"])
        ((name, entry_of_another),) = cached_entries(keys).items()
        keys.delete(*keys.scan_iter("{tmdb:*}:*"))
        keys.set(lock_key, "another-caller", px=60_000)
        plex.control(tmdb_url, "DELETE", "requests")

        def finish() -> None:
            store(name, entry_of_another)
            keys.delete(lock_key)

        timer = threading.Timer(0.3, finish)
        timer.start()
        answer = details(people["carol"], "movie", 603)
        timer.join()
        assert answer.data["title"] == "The Matrix"
        assert "x-catalog-stale" not in answer.headers
        assert requests_to(tmdb_url) == []

    def test_waiting_caller_shares_the_failure_of_another_caller(
        self, people: dict[str, str], keys: redis.Redis, tmdb_url: str
    ) -> None:
        lock_key = self.lock_key(keys, people["bob"])
        keys.delete(*keys.scan_iter("{tmdb:*}:*"))
        keys.set(lock_key, "another-caller", px=60_000)
        plex.control(tmdb_url, "DELETE", "requests")
        timer = threading.Timer(0.3, lambda: keys.set(lock_key, "failed", px=1000))
        timer.start()
        answer = details(people["carol"], "movie", 603)
        timer.join()
        assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        assert requests_to(tmdb_url) == []
        assert details(people["carol"], "movie", 603).status == 200


class TestBreaker:
    def fail(self, token: str) -> None:
        for _ in range(FAILURES):
            assert details(token, "movie", 603).code == "CATALOG_UNAVAILABLE"

    def end_pause(self, keys: redis.Redis) -> None:
        """End the pause of the open breaker."""
        assert keys.delete(*keys.scan_iter("{breaker:*}:state")) == 1

    def test_tmdb_is_not_called_while_the_breaker_is_open(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="status", status=500)
        self.fail(people["bob"])
        assert len(requests_to(tmdb_url)) == FAILURES
        plex.control(tmdb_url, "DELETE", "fault")
        for answer in (details(people["bob"], "movie", 603), search(people["carol"])):
            assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
            assert 20 < int(answer.headers["retry-after"]) <= 30
        assert len(requests_to(tmdb_url)) == FAILURES
        self.end_pause(keys)
        assert details(people["bob"], "movie", 603).status == 200
        assert search(people["carol"]).status == 200

    def test_failed_probe_opens_the_breaker_again(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="close")
        self.fail(people["bob"])
        plex.control(tmdb_url, "DELETE", "requests")
        self.end_pause(keys)
        self.fail(people["bob"])
        assert len(requests_to(tmdb_url)) == 2  # the probe, and its retry on a new connection

    def test_stale_response_is_served_while_the_breaker_is_open(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, tmdb_url: str
    ) -> None:
        fresh = details(people["bob"], "tv", 1396)
        age_entries(keys, DAY)
        fault(kind="html")
        self.fail(people["bob"])
        plex.control(tmdb_url, "DELETE", "requests")
        stale = details(people["bob"], "tv", 1396)
        assert stale.json == fresh.json
        assert int(stale.headers["x-catalog-stale"]) >= DAY
        assert post_request(people["bob"], BREAKING_BAD).status == 201
        assert requests_to(tmdb_url) == []

    def test_tmdb_is_not_called_before_its_retry_after_has_passed(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="status", status=429, retryAfter=20, count=1)
        for _ in range(3):
            answer = details(people["bob"], "movie", 603)
            assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
            assert 15 < int(answer.headers["retry-after"]) <= 20
        assert len(requests_to(tmdb_url)) == 1
        self.end_pause(keys)
        assert details(people["bob"], "movie", 603).status == 200

    def test_calls_refused_with_422_do_not_open_the_breaker(
        self, people: dict[str, str], fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="status", status=422)
        for _ in range(2):
            self.fail(people["bob"])
        plex.control(tmdb_url, "DELETE", "fault")
        assert details(people["carol"], "movie", 603).status == 200

    def test_unknown_titles_do_not_open_the_breaker(self, people: dict[str, str]) -> None:
        for number in range(2 * FAILURES):
            assert details(people["bob"], "movie", 900_000_000 + number).code == "NOT_FOUND"
        assert details(people["bob"], "movie", 603).status == 200


class TestWithoutCache:
    def test_every_call_reaches_tmdb_without_a_cache(
        self, people: dict[str, str], no_cache: None, tmdb_url: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        for _ in range(2):
            assert details(people["bob"], "movie", 603).data["title"] == "The Matrix"
            assert search(people["bob"]).data[0]["title"] == "The Matrix"
        assert post_request(people["bob"], MATRIX).status == 201
        assert details(people["bob"], "movie", 999_999_999).code == "NOT_FOUND"
        assert len(requests_to(tmdb_url)) == 6

    def test_local_breaker_opens_after_failures_without_a_cache(
        self, people: dict[str, str], no_cache: None, fault: Fault, tmdb_url: str
    ) -> None:
        fault(kind="status", status=500)
        for _ in range(2 * FAILURES):
            answer = search(people["bob"])
            assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
        assert len(requests_to(tmdb_url)) == FAILURES


def test_tmdb_gets_its_key_and_no_other_secret(
    people: dict[str, str], tmdb_url: str, plex_url: str, environment: dict[str, str]
) -> None:
    for url in (tmdb_url, plex_url):
        plex.control(url, "DELETE", "requests")
    search(people["bob"])
    details(people["bob"], "movie", 603)
    post_request(people["bob"], BREAKING_BAD)
    plex.sign_in(plex_url, "carol")
    to_tmdb, to_plex = requests_to(tmdb_url), requests_to(plex_url)
    assert len(to_tmdb) == 3
    for request in to_tmdb:
        assert f"api_key={environment['TMDB_API_KEY']}" in request["query"]
        names = {name.lower() for name in request["headers"]}
        assert names <= {"host", "accept", "accept-encoding", "user-agent"}
    assert any("X-Plex-Token" in request["headers"] for request in to_plex)
    for request in to_plex:
        assert environment["TMDB_API_KEY"] not in str(request)
        assert all(token not in str(request) for token in people.values())
