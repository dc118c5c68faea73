"""Lists of titles: TMDB's trending, popular and upcoming ones, and those requested here."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
import pytest
import redis

from medianest.catalog import service as catalog
from medianest.catalog import tmdb
from medianest.core import http
from medianest.requests.titles import repository as titles_repository
from tests.support import plex
from tests.support.api import Answer, call, id_of
from tests.support.catalog import (
    DAY,
    FAULT_IDS,
    FAULTS,
    Fault,
    age_entries,
    cached_entries,
    requests_to,
)

type Db = psycopg.Connection[tuple[Any, ...]]

LISTS = ("trending", "popular", "upcoming")
TYPES = ("all", "movie", "tv")
MATRIX = {"mediaType": "movie", "tmdbId": 603}
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396}


def discover(token: str, name: str, **query: Any) -> Answer:
    return call("GET", "/api/media/discover", token=token, query={"list": name, **query})


def post_request(token: str, body: dict[str, Any]) -> Any:
    answer = call("POST", "/api/media/request", token=token, body=body)
    assert answer.status == 201, answer.text
    return answer.data


def titles_of(answer: Answer) -> list[tuple[str, int]]:
    return [(item["mediaType"], item["tmdbId"]) for item in answer.data]


class TestLists:
    @pytest.mark.parametrize("name", LISTS)
    @pytest.mark.parametrize("kind", TYPES)
    def test_list_has_titles_of_the_type_and_no_people(
        self, people: dict[str, str], name: str, kind: str
    ) -> None:
        answer = discover(people["bob"], name, type=kind)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        kinds = {media_type for media_type, _ in titles_of(answer)}
        assert kinds == ({"movie", "tv"} if kind == "all" else {kind})
        assert all(item["title"] and item["year"] for item in answer.data)
        assert answer.json["pagination"]["page"] == 1

    @pytest.mark.parametrize("name", LISTS)
    def test_pages_do_not_overlap_and_end_empty(self, people: dict[str, str], name: str) -> None:
        found: list[tuple[str, int]] = []
        page, has_next = 1, True
        while has_next:
            answer = discover(people["bob"], name, page=page)
            found += titles_of(answer)
            pagination = answer.json["pagination"]
            assert pagination["limit"] == 20
            page, has_next = pagination["page"] + 1, pagination["hasNext"]
        assert len(found) == len(set(found))
        # Everything that is trending includes people, which `total` counts.
        people_in_list = pagination["total"] - len(found)
        assert people_in_list == (5 if name == "trending" else 0)
        assert discover(people["bob"], name, page=page).data == []

    @pytest.mark.parametrize("name", ["popular", "upcoming"])
    def test_list_of_all_types_has_films_and_shows_in_turn(
        self, people: dict[str, str], name: str
    ) -> None:
        bob = people["bob"]
        films, shows = (discover(bob, name, type=kind) for kind in ("movie", "tv"))
        both = discover(bob, name)
        assert titles_of(both)[:12] == [
            each
            for pair in zip(titles_of(films)[:6], titles_of(shows)[:6], strict=True)
            for each in pair
        ]
        totals = [each.json["pagination"]["total"] for each in (films, shows, both)]
        assert totals[0] + totals[1] == totals[2]

    def test_upcoming_shows_begin_today_or_later(
        self, people: dict[str, str], tmdb_url: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        discover(people["bob"], "upcoming", type="tv")
        (sent,) = requests_to(tmdb_url)
        assert sent["path"] == "/3/discover/tv"
        assert f"first_air_date.gte={datetime.now(UTC).date()}" in sent["query"]
        discover(people["bob"], "upcoming", type="movie")
        assert requests_to(tmdb_url)[1]["path"] == "/3/movie/upcoming"

    def test_item_has_the_state_of_its_request(self, people: dict[str, str]) -> None:
        created = post_request(people["bob"], MATRIX)
        popular: dict[tuple[str, int], Any] = {}
        for page in range(1, 4):
            answer = discover(people["bob"], "popular", type="movie", page=page)
            popular |= dict(zip(titles_of(answer), answer.data, strict=True))
        assert popular["movie", 603]["request"] == {"id": created["id"], "status": "pending"}
        assert sum("request" in item for item in popular.values()) == 1

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({}, "query.list"),
            ({"list": "best"}, "query.list"),
            ({"list": "popular", "type": "person"}, "query.type"),
            ({"list": "popular", "page": 0}, "query.page"),
            ({"list": "popular", "page": "x"}, "query.page"),
            ({"list": "popular", "limit": 5}, "query.limit"),
            ({"list": ["popular", "trending"]}, "query.list"),
        ],
    )
    def test_invalid_query_is_refused_without_a_call(
        self, people: dict[str, str], tmdb_url: str, query: dict[str, Any], field: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        answer = call("GET", "/api/media/discover", token=people["bob"], query=query)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == [field]
        assert requests_to(tmdb_url) == []

    @pytest.mark.parametrize("kind", ["movie", "all"])
    @pytest.mark.parametrize("page", [501, 1001, 1_000_000])
    def test_page_after_the_last_page_of_tmdb_is_empty(
        self, people: dict[str, str], tmdb_url: str, kind: str, page: int
    ) -> None:
        total = discover(people["bob"], "popular", type=kind).json["pagination"]["total"]
        plex.control(tmdb_url, "DELETE", "requests")
        answer = discover(people["bob"], "popular", type=kind, page=page)
        assert (answer.data, answer.json["pagination"]["total"]) == ([], total)
        assert requests_to(tmdb_url) == []


class TestCaching:
    def test_list_is_fresh_for_an_hour_for_all_users(
        self, people: dict[str, str], keys: redis.Redis, tmdb_url: str
    ) -> None:
        discover(people["bob"], "trending")
        plex.control(tmdb_url, "DELETE", "requests")
        age_entries(keys, 3590)
        assert "x-catalog-stale" not in discover(people["carol"], "trending").headers
        assert requests_to(tmdb_url) == []
        age_entries(keys, 10)
        assert "x-catalog-stale" not in discover(people["carol"], "trending").headers
        assert len(requests_to(tmdb_url)) == 1

    def test_list_of_all_types_shares_the_cached_lists_of_films_and_shows(
        self, people: dict[str, str], tmdb_url: str
    ) -> None:
        for kind in ("movie", "tv"):
            discover(people["bob"], "popular", type=kind)
        plex.control(tmdb_url, "DELETE", "requests")
        for page in (1, 2):
            assert len(discover(people["bob"], "popular", page=page).data) == 20
        assert requests_to(tmdb_url) == []

    @pytest.mark.parametrize("name", LISTS)
    @pytest.mark.parametrize("kind", TYPES)
    def test_stale_list_is_served_for_a_week_while_tmdb_is_down(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, name: str, kind: str
    ) -> None:
        fresh = discover(people["bob"], name, type=kind)
        fault(kind="status", status=500)
        age_entries(keys, 7 * DAY + 3600 - 5)
        stale = discover(people["bob"], name, type=kind)
        assert stale.json == fresh.json
        assert int(stale.headers["x-catalog-stale"]) >= 7 * DAY
        age_entries(keys, 10)
        assert discover(people["bob"], name, type=kind).code == "CATALOG_UNAVAILABLE"

    def test_stale_upcoming_shows_are_served_on_a_later_day(
        self,
        people: dict[str, str],
        keys: redis.Redis,
        fault: Fault,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        fresh = discover(people["bob"], "upcoming", type="tv")
        age_entries(keys, DAY)
        tomorrow = {"first_air_date.gte": "2999-01-01"}
        monkeypatch.setattr(tmdb, "_from_today", lambda: tomorrow)
        fault(kind="close")
        assert discover(people["bob"], "upcoming", type="tv").json == fresh.json


class TestFaults:
    @pytest.mark.parametrize("options", FAULTS, ids=FAULT_IDS)
    def test_tmdb_fault_gets_503_for_each_list_and_nothing_is_cached(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault, options: dict[str, Any]
    ) -> None:
        fault(**options)
        for name in LISTS:
            for kind in TYPES:
                answer = discover(people["bob"], name, type=kind)
                assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
                assert int(answer.headers["retry-after"]) >= 1
        assert cached_entries(keys) == {}
        assert discover(people["bob"], "requested").status == 200

    @pytest.mark.parametrize("path", ["/3/movie/popular", "/3/tv/popular"])
    def test_list_of_all_types_needs_both_lists(
        self, people: dict[str, str], fault: Fault, path: str
    ) -> None:
        fault(kind="html", path=path)
        assert discover(people["bob"], "popular").code == "CATALOG_UNAVAILABLE"

    def test_two_slow_lists_share_the_time_of_one_response(
        self, people: dict[str, str], fault: Fault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(catalog.tmdb(), "budget", lambda: http.Budget(1.5))
        fault(kind="slow", seconds=1)
        assert discover(people["bob"], "popular").code == "CATALOG_UNAVAILABLE"
        # The first list was in time and is in the cache.
        assert len(discover(people["bob"], "popular").data) == 20

    def test_invalid_items_are_left_out(
        self, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        film = {"id": 5, "title": "Low Tide", "release_date": "2027-01-01", "media_type": "movie"}
        items = [{"id": "x"}, None, 7, film, {"media_type": "person", "id": 1, "name": "A"}]
        body = {"page": 1, "results": items, "total_pages": 1, "total_results": 5}
        monkeypatch.setattr(http, "request_json", lambda *_, **__: (200, body))
        for name, kind in (("trending", "all"), ("popular", "movie"), ("upcoming", "movie")):
            answer = discover(people["bob"], name, type=kind)
            assert answer.data[0] == {
                "mediaType": "movie",
                "tmdbId": 5,
                "title": "Low Tide",
                "year": 2027,
            }


class TestRequested:
    def test_requested_titles_are_listed_once_newest_first(self, people: dict[str, str]) -> None:
        created = post_request(people["bob"], {**BREAKING_BAD, "seasons": [1]})
        post_request(people["bob"], MATRIX)
        post_request(people["carol"], {**BREAKING_BAD, "seasons": [2]})
        answer = discover(people["bob"], "requested")
        assert answer.data == [
            {
                "mediaType": "tv",
                "tmdbId": 1396,
                "title": "Breaking Bad",
                "year": 2008,
                "posterPath": "/tv-1396-poster.svg",
                "request": {
                    "id": created["id"],
                    "status": "pending",
                    "seasons": {"requested": 2, "total": 5},
                },
            },
            {
                "mediaType": "movie",
                "tmdbId": 603,
                "title": "The Matrix",
                "year": 1999,
                "posterPath": "/matrix-poster.jpg",
                "request": answer.data[1]["request"],
            },
        ]
        assert answer.json["pagination"]["total"] == 2
        assert [item["title"] for item in discover(people["carol"], "requested", type="movie").data]
        for_alice = discover(people["alice"], "requested").text
        assert not any(word in for_alice for word in ("bob", "carol", created["id"]))

    def test_declined_and_cancelled_requests_are_not_listed(self, people: dict[str, str]) -> None:
        film = post_request(people["bob"], MATRIX)
        show = post_request(people["bob"], BREAKING_BAD)
        path = f"/api/admin/requests/{film['id']}/decline"
        call("POST", path, token=people["alice"], body={"reason": "no room"})
        assert titles_of(discover(people["bob"], "requested")) == [("tv", 1396)]
        call("DELETE", f"/api/media/requests/{show['id']}", token=people["bob"])
        assert discover(people["bob"], "requested").data == []

    def test_list_needs_neither_tmdb_nor_the_cache_of_its_responses(
        self, people: dict[str, str], fault: Fault, tmdb_url: str
    ) -> None:
        post_request(people["bob"], MATRIX)
        fault(kind="hang")
        answer = discover(people["bob"], "requested")
        assert titles_of(answer) == [("movie", 603)]
        assert "x-catalog-stale" not in answer.headers
        assert requests_to(tmdb_url) == []

    @pytest.fixture
    def many(self, people: dict[str, str], db: Db) -> None:
        """Add 250 requests of films and 3 of shows, one in five declined."""
        db.execute(
            "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, status,"
            " requested_at, processed_at) SELECT %s, CASE WHEN n > 250 THEN 'tv' ELSE 'movie' END,"
            " n, 'Title ' || n, CASE WHEN n %% 5 = 0 THEN 'declined' ELSE 'approved' END,"
            " now() - n * interval '1 minute', now() FROM generate_series(1, 253) AS n",
            (id_of(people["bob"]),),
        )
        db.execute(
            "INSERT INTO request_items (request_id, media_type, tmdb_id, season, active)"
            " SELECT id, media_type, tmdb_id, CASE WHEN media_type = 'tv' THEN 1 END,"
            " status <> 'declined' FROM media_requests"
        )

    @pytest.mark.usefixtures("many")
    def test_list_has_the_titles_of_the_newest_requests(self, people: dict[str, str]) -> None:
        pages = [discover(people["bob"], "requested", page=page) for page in range(1, 12)]
        ids = [tmdb_id for page in pages for _, tmdb_id in titles_of(page)]
        expected = [n for n in range(1, 251) if n % 5]
        assert ids == expected[: titles_repository.NEWEST_REQUESTS] == expected[:200]
        assert {page.json["pagination"]["total"] for page in pages} == {200}
        assert [page.json["pagination"]["hasNext"] for page in pages] == [True] * 9 + [False] * 2
        assert titles_of(discover(people["bob"], "requested", type="tv")) == [
            ("tv", 251),
            ("tv", 252),
            ("tv", 253),
        ]

    @pytest.mark.usefixtures("many")
    def test_total_is_the_same_on_an_empty_page(self, people: dict[str, str]) -> None:
        answer = discover(people["bob"], "requested", type="tv", page=1_000_000)
        assert (answer.data, answer.json["pagination"]["total"]) == ([], 3)


class TestPartlyRequestedShows:
    """The state of a show as a whole, in a search, a list and its details."""

    def states(self, token: str) -> list[Any]:
        found = call("GET", "/api/media/search", token=token, query={"q": "tmdb:1396"}).data
        listed = discover(token, "requested", type="tv").data
        details = call("GET", "/api/media/tv/1396", token=token).data
        return [each.get("request") for each in (found[0], *listed, details)]

    def test_seasons_of_all_requests_count(self, people: dict[str, str]) -> None:
        post_request(people["bob"], {**BREAKING_BAD, "seasons": [1]})
        post_request(people["carol"], {**BREAKING_BAD, "seasons": [0, 4]})
        seasons = {"requested": 2, "total": 5}
        for state in self.states(people["alice"]):
            assert state == {"status": "pending", "seasons": seasons}
        post_request(people["carol"], BREAKING_BAD)
        for state in self.states(people["alice"]):
            assert state == {"status": "pending"}

    def test_request_of_the_previous_release_has_no_total(
        self, people: dict[str, str], db: Db
    ) -> None:
        post_request(people["bob"], {**BREAKING_BAD, "seasons": [1]})
        db.execute("UPDATE media_requests SET started_seasons = NULL")
        search, listed, details = self.states(people["alice"])
        assert search == listed == {"status": "pending", "seasons": {"requested": 1}}
        assert details == {"status": "pending", "seasons": {"requested": 1, "total": 5}}

    def test_newest_known_number_of_seasons_counts(self, people: dict[str, str], db: Db) -> None:
        for season in (1, 2, 3):
            post_request(people["bob"], {**BREAKING_BAD, "seasons": [season]})
        for number, started in ((1, "{1,2}"), (2, "{1,2,3,4}"), (3, None)):
            db.execute(
                "UPDATE media_requests SET started_seasons = %s WHERE id = (SELECT id"
                " FROM media_requests ORDER BY requested_at OFFSET %s LIMIT 1)",
                (started, number - 1),
            )
        assert self.states(people["alice"])[0]["seasons"] == {"requested": 3, "total": 4}

    def test_film_has_no_seasons(self, people: dict[str, str]) -> None:
        post_request(people["bob"], MATRIX)
        (item,) = discover(people["alice"], "requested").data
        assert item["request"] == {"status": "pending"}


def test_order_of_the_newest_requests_is_stable(people: dict[str, str], db: Db) -> None:
    for tmdb_id in (603, 27205, 157336):
        post_request(people["bob"], {"mediaType": "movie", "tmdbId": tmdb_id})
    db.execute("UPDATE media_requests SET requested_at = now()")
    pages = [titles_of(discover(people["bob"], "requested")) for _ in range(3)]
    assert all(before == after for before, after in pairwise(pages))
