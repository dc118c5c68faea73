"""Details of a title, with the state of its requests."""

from typing import Any

import psycopg
import pytest
import redis

from medianest.core.db import fetch_all
from medianest.requests.titles import repository as titles_repository
from tests.support import plex
from tests.support.api import call
from tests.support.catalog import (
    BREAKING_BAD,
    DAY,
    MATRIX,
    Fault,
    age_entries,
    details,
    post_request,
    requests_to,
    search,
)

type Db = psycopg.Connection[tuple[Any, ...]]


class TestDetails:
    def test_details_of_a_film(self, people: dict[str, str]) -> None:
        answer = details(people["bob"], "movie", 603)
        assert answer.status == 200
        assert answer.data == {
            "mediaType": "movie",
            "tmdbId": 603,
            "title": "The Matrix",
            "year": 1999,
            "overview": "A programmer finds out that the world he knows is a simulation.",
            "posterPath": "/matrix-poster.jpg",
            "backdropPath": "/matrix-backdrop.jpg",
            "genres": ["Action", "Science Fiction"],
            "runtime": 136,
        }
        assert "x-catalog-stale" not in answer.headers

    def test_details_of_a_show_have_its_seasons(self, people: dict[str, str]) -> None:
        show = details(people["bob"], "tv", 1396).data
        assert (show["title"], show["year"], show["genres"][0]) == ("Breaking Bad", 2008, "Drama")
        assert [season["number"] for season in show["seasons"]] == [0, 1, 2, 3, 4, 5]
        assert show["seasons"][1] == {
            "number": 1,
            "name": "Season 1",
            "episodeCount": 7,
            "airDate": "2008-01-20",
        }
        assert "airDate" not in show["seasons"][2]
        assert show["posterPath"] == "/tv-1396-poster.svg"
        assert not {"runtime", "request"} & show.keys()

    def test_each_season_shows_the_state_of_its_request(self, people: dict[str, str]) -> None:
        bobs_id = post_request(people["bob"], {**BREAKING_BAD, "seasons": [0, 2]}).data["id"]
        carols_id = post_request(people["carol"], {**BREAKING_BAD, "seasons": [3]}).data["id"]
        approved = call("POST", f"/api/admin/requests/{carols_id}/approve", token=people["alice"])
        assert approved.status == 200
        bobs_request = {"id": bobs_id, "status": "pending"}
        expected_states = {
            "bob": {0: bobs_request, 2: bobs_request, 3: {"status": "approved"}},
            "carol": {
                0: {"status": "pending"},
                2: {"status": "pending"},
                3: {"id": carols_id, "status": "approved"},
            },
            "alice": {
                0: {"status": "pending"},
                2: {"status": "pending"},
                3: {"status": "approved"},
            },
        }
        for name, expected in expected_states.items():
            seasons = details(people[name], "tv", 1396).data["seasons"]
            states = {each["number"]: each["request"] for each in seasons if "request" in each}
            assert states == expected

    @pytest.mark.parametrize("approve", ["bob", "carol", None])
    def test_details_and_search_show_the_same_request(
        self, people: dict[str, str], approve: str | None
    ) -> None:
        ids = {
            name: post_request(people[name], {**BREAKING_BAD, "seasons": seasons}).data["id"]
            for name, seasons in (("bob", [1]), ("carol", [2, 5]))
        }
        if approve is not None:
            path = f"/api/admin/requests/{ids[approve]}/approve"
            assert call("POST", path, token=people["alice"]).status == 200
        for token in people.values():
            result = search(token, "breaking bad").data[0]
            assert details(token, "tv", 1396).data["request"] == result["request"]
        bobs_request = details(people["bob"], "tv", 1396).data["request"]
        assert bobs_request == {
            "id": ids["bob"],
            "status": "approved" if approve == "bob" else "pending",
            "seasons": {"requested": 3, "total": 5},
        }

    def test_film_shows_its_request_until_it_is_declined(self, people: dict[str, str]) -> None:
        created = post_request(people["bob"], MATRIX).data
        bobs_request = {"id": created["id"], "status": "pending"}
        assert details(people["bob"], "movie", 603).data["request"] == bobs_request
        assert details(people["alice"], "movie", 603).data["request"] == {"status": "pending"}
        path = f"/api/admin/requests/{created['id']}/decline"
        call("POST", path, token=people["alice"], body={"reason": "no room"})
        assert "request" not in details(people["bob"], "movie", 603).data

    def test_film_and_show_with_the_same_id_are_separate(self, people: dict[str, str]) -> None:
        post_request(people["bob"], MATRIX)
        assert details(people["bob"], "tv", 603).code == "NOT_FOUND"

    def test_requests_of_a_show_are_read_with_one_query(
        self, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post_request(people["bob"], BREAKING_BAD)
        details(people["bob"], "tv", 1396)
        queries = []

        def counted(*args: Any) -> Any:
            queries.append(args)
            return fetch_all(*args)

        monkeypatch.setattr(titles_repository, "fetch_all", counted)
        show = details(people["bob"], "tv", 1396).data
        assert all("request" in each for each in (show, *show["seasons"][1:]))
        assert len(queries) == 1

    @pytest.mark.parametrize("media_type", ["movie", "tv"])
    def test_unknown_title_gets_404_and_is_cached(
        self, people: dict[str, str], tmdb_url: str, media_type: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        for _ in range(2):
            answer = details(people["bob"], media_type, 999_999_999)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert len(requests_to(tmdb_url)) == 1

    @pytest.mark.parametrize(
        ("media_type", "tmdb_id", "field"),
        [
            ("movie", "0", "path.tmdbId"),
            ("movie", "-1", "path.tmdbId"),
            ("movie", 2**31, "path.tmdbId"),
            ("movie", 2**63, "path.tmdbId"),
            ("tv", "1e3", "path.tmdbId"),
            ("tv", "1.0", "path.tmdbId"),
            ("tv", "+7", "path.tmdbId"),
            ("tv", "1_0", "path.tmdbId"),
            ("tv", "\u0667", "path.tmdbId"),
            ("tv", "9" * 5000, "path.tmdbId"),
            ("tv", "abc", "path.tmdbId"),
            ("person", 6384, "path.mediaType"),
            ("Movie", 603, "path.mediaType"),
            ("search", 603, "path.mediaType"),
        ],
    )
    def test_invalid_id_or_media_type_is_refused_without_a_call(
        self, people: dict[str, str], tmdb_url: str, media_type: str, tmdb_id: object, field: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        answer = details(people["bob"], media_type, tmdb_id)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == [field]
        assert requests_to(tmdb_url) == []

    def test_largest_id_is_accepted(self, people: dict[str, str]) -> None:
        assert details(people["bob"], "movie", 2**31 - 1).code == "NOT_FOUND"

    def test_query_parameters_are_refused(self, people: dict[str, str]) -> None:
        answer = details(people["bob"], "movie", 603, query={"language": "de"})
        assert [item["field"] for item in answer.details] == ["query.language"]

    def test_details_are_cached_for_all_users_and_for_requests(
        self, people: dict[str, str], tmdb_url: str, keys: redis.Redis
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        for token in people.values():
            details(token, "movie", 603)
        assert post_request(people["bob"], MATRIX).status == 201
        assert [request["path"] for request in requests_to(tmdb_url)] == ["/3/movie/603"]
        (shard,) = keys.scan_iter("{tmdb:*}:values")
        assert 0 < keys.ttl(shard) - 7 * DAY <= 21_600

    def test_stale_details_are_served_for_a_week(
        self, people: dict[str, str], keys: redis.Redis, fault: Fault
    ) -> None:
        details(people["bob"], "movie", 603)
        fault(kind="status", status=500)
        age_entries(keys, 7 * DAY + 21_600 - 5)
        assert details(people["bob"], "movie", 603).status == 200
        age_entries(keys, 5)
        assert details(people["bob"], "movie", 603).code == "CATALOG_UNAVAILABLE"
