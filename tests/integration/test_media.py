"""Search, media requests, idempotency keys, and the list of the caller's requests."""

import itertools
from typing import Any

import psycopg
import pytest

from tests.support import plex
from tests.support.api import call
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396}
REQUEST_KEYS = {"id", "userId", "mediaType", "tmdbId", "title", "status", "requestedAt"}


def search(token: str, **query: Any) -> Any:
    answer = call("GET", "/api/media/search", token=token, query=query)
    assert answer.status == 200, answer.text
    return answer.json


class TestSearch:
    def test_finds_films_and_shows(self, people: dict[str, str]) -> None:
        results = search(people["bob"], q="matrix")
        first = results["data"][0]
        assert first["title"] == "The Matrix"
        assert (first["mediaType"], first["tmdbId"], first["year"]) == ("movie", 603, 1999)
        assert results["pagination"]["page"] == 1
        assert results["pagination"]["limit"] == 20
        assert results["pagination"]["hasPrev"] is False
        assert all("request" not in item for item in results["data"])

    def test_type_filter_returns_only_that_type(self, people: dict[str, str]) -> None:
        films = search(people["bob"], q="the", type="movie")["data"]
        shows = search(people["bob"], q="the", type="tv")["data"]
        assert {item["mediaType"] for item in films} == {"movie"}
        assert {item["mediaType"] for item in shows} == {"tv"}

    def test_pages_do_not_overlap_and_end_empty(self, people: dict[str, str]) -> None:
        first = search(people["bob"], q="the", type="movie")
        second = search(people["bob"], q="the", type="movie", page=2)
        assert first["pagination"]["hasNext"] is True
        assert second["pagination"]["hasPrev"] is True
        ids = [item["tmdbId"] for page in (first, second) for item in page["data"]]
        assert len(ids) == len(set(ids)) > 20
        for number in (500, 501, 100_000):
            past_the_end = search(people["bob"], q="the", type="movie", page=number)
            assert past_the_end["data"] == []
            assert past_the_end["pagination"]["hasNext"] is False
            assert past_the_end["pagination"]["total"] == first["pagination"]["total"]

    def test_search_without_match_returns_an_empty_page(self, people: dict[str, str]) -> None:
        results = search(people["bob"], q="zzzzqqqq")
        assert results["data"] == []
        assert results["pagination"]["total"] == 0

    def test_search_that_matches_only_people_returns_an_empty_page(
        self, people: dict[str, str]
    ) -> None:
        results = search(people["bob"], q="keanu reeves")
        assert results["data"] == []
        assert results["pagination"]["total"] == 0
        assert results["pagination"]["hasNext"] is False

    def test_results_contain_neither_people_nor_null_values(self, people: dict[str, str]) -> None:
        for query in ("a", "e", "keanu"):
            for item in search(people["bob"], q=query)["data"]:
                assert item["mediaType"] in {"movie", "tv"}
                assert None not in item.values()

    @pytest.mark.parametrize("text", ["Amélie", "100%", "'; DROP TABLE users; --", "日本", "a_b"])
    def test_any_characters_are_accepted_as_query(self, people: dict[str, str], text: str) -> None:
        assert search(people["bob"], q=text)["pagination"]["page"] == 1

    def test_requested_title_shows_its_status_and_to_the_requester_its_id(
        self, people: dict[str, str]
    ) -> None:
        created = call("POST", "/api/media/request", token=people["bob"], body=MATRIX).data
        bobs_result = search(people["bob"], q="matrix")["data"][0]
        carols_result = search(people["carol"], q="matrix")["data"][0]
        assert bobs_result["request"] == {"id": created["id"], "status": "pending"}
        assert carols_result["request"] == {"status": "pending"}

    def test_show_with_one_requested_season_counts_as_requested(
        self, people: dict[str, str]
    ) -> None:
        body = {**BREAKING_BAD, "seasons": [2]}
        created = call("POST", "/api/media/request", token=people["bob"], body=body).data
        results = search(people["bob"], q="breaking bad")["data"][0]
        assert results["request"] == {
            "id": created["id"],
            "status": "pending",
            "seasons": {"requested": 1, "total": 5},
        }

    def test_declined_title_shows_no_request(self, people: dict[str, str]) -> None:
        created = call("POST", "/api/media/request", token=people["bob"], body=MATRIX).data
        call(
            "POST",
            f"/api/admin/requests/{created['id']}/decline",
            token=people["alice"],
            body={"reason": "no room"},
        )
        assert "request" not in search(people["bob"], q="matrix")["data"][0]

    def test_results_are_cached_per_page_for_all_users(
        self, people: dict[str, str], tmdb_url: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        for token in people.values():
            search(token, q="inception")
        search(people["bob"], q="inception", page=2)
        received = plex.control(tmdb_url, "GET", "requests")
        assert [request["path"] for request in received] == ["/3/search/multi"] * 2

    def test_spellings_of_one_query_share_a_cache_entry(
        self, people: dict[str, str], tmdb_url: str
    ) -> None:
        plex.control(tmdb_url, "DELETE", "requests")
        spellings = (
            "Breaking Bad",
            "breaking bad",
            "BREAKING   BAD",
            "breaking\tbad",
            "\uff22reaking\u00a0bad",
        )
        results = [search(people["bob"], q=text)["data"] for text in spellings]
        assert results[0]
        assert results == [results[0]] * len(spellings)
        (request,) = plex.control(tmdb_url, "GET", "requests")
        assert "query=breaking+bad" in request["query"]
        search(people["bob"], q="breakingbad")
        assert len(plex.control(tmdb_url, "GET", "requests")) == 2

    def test_one_failure_of_tmdb_is_retried(self, people: dict[str, str], tmdb_url: str) -> None:
        for fault in ({"kind": "status", "status": 503, "count": 1}, {"kind": "close", "count": 1}):
            plex.control(tmdb_url, "PUT", "fault", fault)
            assert search(people["bob"], q=f"matrix {fault['kind']}")["data"] == []


class TestRequest:
    def test_film_request_is_created_and_audited(self, db: Db, people: dict[str, str]) -> None:
        answer = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body={**MATRIX, "comment": "  please  "},
        )
        assert answer.status == 201
        assert answer.data.keys() == REQUEST_KEYS | {"comment", "posterPath", "year"}
        assert answer.data["title"] == "The Matrix"
        assert answer.data["comment"] == "please"
        assert answer.data["status"] == "pending"
        assert answer.data["requestedAt"].endswith("Z")
        me = call("GET", "/api/auth/me", token=people["bob"]).data
        assert answer.data["userId"] == me["id"]
        audited = db.execute(
            "SELECT user_id::text, target_id FROM audit_logs WHERE action = 'request.created'"
        ).fetchall()
        assert audited == [(me["id"], answer.data["id"])]

    def test_show_request_without_seasons_takes_all_but_specials(
        self, people: dict[str, str]
    ) -> None:
        created = call("POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD).data
        assert created["seasons"] == [1, 2, 3, 4, 5]
        assert "skippedSeasons" not in created

    def test_seasons_requested_before_are_skipped_and_listed(self, people: dict[str, str]) -> None:
        first = {**BREAKING_BAD, "seasons": [3, 1]}
        created = call("POST", "/api/media/request", token=people["bob"], body=first).data
        assert created["seasons"] == [1, 3]
        second = call("POST", "/api/media/request", token=people["carol"], body=BREAKING_BAD).data
        assert second["seasons"] == [2, 4, 5]
        assert second["skippedSeasons"] == [1, 3]

    def test_second_request_for_the_same_seasons_is_refused(
        self, db: Db, people: dict[str, str]
    ) -> None:
        created = call("POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD).data
        for name, details in (("bob", {"requestId": created["id"]}), ("carol", None)):
            body = {**BREAKING_BAD, "seasons": [5, 2]}
            refused = call("POST", "/api/media/request", token=people[name], body=body)
            assert (refused.status, refused.code) == (409, "ALREADY_REQUESTED")
            assert refused.details == details
        assert count(db, "media_requests") == 1
        specials = {**BREAKING_BAD, "seasons": [0]}
        specials_request = call("POST", "/api/media/request", token=people["carol"], body=specials)
        assert specials_request.status == 201

    def test_refusal_names_no_request_of_another_user(self, people: dict[str, str]) -> None:
        for name, season in (("bob", 1), ("carol", 2)):
            body = {**BREAKING_BAD, "seasons": [season]}
            assert call("POST", "/api/media/request", token=people[name], body=body).status == 201
        refused = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body={**BREAKING_BAD, "seasons": [2]},
        )
        assert refused.code == "ALREADY_REQUESTED"
        assert refused.details is None

    def test_second_request_for_the_same_film_is_refused(
        self, db: Db, people: dict[str, str]
    ) -> None:
        created = call("POST", "/api/media/request", token=people["bob"], body=MATRIX).data
        second_of_bob = call("POST", "/api/media/request", token=people["bob"], body=MATRIX)
        assert (second_of_bob.status, second_of_bob.code) == (409, "ALREADY_REQUESTED")
        assert second_of_bob.details == {"requestId": created["id"]}
        first_of_carol = call("POST", "/api/media/request", token=people["carol"], body=MATRIX)
        assert (first_of_carol.status, first_of_carol.code) == (409, "ALREADY_REQUESTED")
        assert first_of_carol.details is None
        assert count(db, "media_requests") == 1
        assert count(db, "request_items") == 1

    def test_film_with_the_tmdb_id_of_a_requested_show_is_no_duplicate(
        self, people: dict[str, str]
    ) -> None:
        # TMDB numbers films and shows separately, so the media type is part of the key.
        assert (
            call("POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD).status == 201
        )
        film = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body={**BREAKING_BAD, "mediaType": "movie"},
        )
        assert film.code != "ALREADY_REQUESTED"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"mediaType": "movie", "tmdbId": 999_999_999}, "body.tmdbId"),
            ({"mediaType": "tv", "tmdbId": 999_999_999}, "body.tmdbId"),
            ({**BREAKING_BAD, "seasons": [1, 99]}, "body.seasons"),
            ({**MATRIX, "seasons": [1]}, "body.seasons"),
        ],
    )
    def test_title_or_season_unknown_to_tmdb_is_rejected(
        self, db: Db, people: dict[str, str], body: dict[str, Any], field: str
    ) -> None:
        answer = call("POST", "/api/media/request", token=people["bob"], body=body)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == [field]
        assert count(db, "media_requests") == 0

    def test_request_while_tmdb_is_down_creates_nothing(
        self, db: Db, people: dict[str, str], tmdb_url: str
    ) -> None:
        plex.control(tmdb_url, "PUT", "fault", {"kind": "status", "status": 500})
        answer = call("POST", "/api/media/request", token=people["bob"], body=MATRIX)
        assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
        assert count(db, "media_requests") == 0
        plex.control(tmdb_url, "DELETE", "fault")
        assert call("POST", "/api/media/request", token=people["bob"], body=MATRIX).status == 201


class TestIdempotencyKey:
    def test_repeated_call_returns_the_same_response(self, db: Db, people: dict[str, str]) -> None:
        key = {"Idempotency-Key": "first-try"}
        responses = [
            call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
            for _ in range(3)
        ]
        assert [response.status for response in responses] == [201] * 3
        assert responses[0].json == responses[1].json == responses[2].json
        assert count(db, "media_requests") == 1
        assert count(db, "audit_logs") == 3 + 3 + 1  # three people created and signed in

    @pytest.mark.parametrize(
        ("decision", "body", "status"),
        [("approve", {}, "approved"), ("decline", {"reason": "Seen it"}, "declined")],
    )
    def test_repeated_call_returns_the_current_state_of_the_request(
        self, people: dict[str, str], decision: str, body: dict[str, str], status: str
    ) -> None:
        key = {"Idempotency-Key": "k"}
        request = {**BREAKING_BAD, "seasons": [1, 2]}
        call(
            "POST",
            "/api/media/request",
            token=people["carol"],
            body={**BREAKING_BAD, "seasons": [2]},
        )
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=request, headers=key
        ).data
        path = f"/api/admin/requests/{created['id']}/{decision}"
        assert call("POST", path, token=people["alice"], body=body).status == 200
        second = call("POST", "/api/media/request", token=people["bob"], body=request, headers=key)
        assert second.status == 201
        assert second.data["id"] == created["id"]
        assert second.data["status"] == status
        assert second.data["skippedSeasons"] == created["skippedSeasons"] == [2]

    def test_repeated_call_after_cancellation_is_refused(
        self, db: Db, people: dict[str, str]
    ) -> None:
        key = {"Idempotency-Key": "k"}
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key
        ).data
        path = f"/api/media/requests/{created['id']}"
        assert call("DELETE", path, token=people["bob"]).status == 204
        repeated = call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        assert (repeated.status, repeated.code) == (409, "REQUEST_CANCELLED")
        assert count(db, "media_requests") == 0
        fresh = {"Idempotency-Key": "k2"}
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=fresh
        )
        assert created.status == 201

    def test_key_with_another_payload_is_refused(self, people: dict[str, str]) -> None:
        key = {"Idempotency-Key": "k"}
        call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        other = call(
            "POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD, headers=key
        )
        assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")

    def test_same_key_of_another_user_is_independent(self, people: dict[str, str]) -> None:
        key = {"Idempotency-Key": "k"}
        call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        other = call(
            "POST", "/api/media/request", token=people["carol"], body=BREAKING_BAD, headers=key
        )
        assert other.status == 201

    def test_refused_call_does_not_consume_the_key(self, people: dict[str, str]) -> None:
        key = {"Idempotency-Key": "k"}
        call("POST", "/api/media/request", token=people["carol"], body=MATRIX)
        refused = call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        assert refused.code == "ALREADY_REQUESTED"
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD, headers=key
        )
        assert created.status == 201

    def test_key_can_be_reused_after_a_day(self, db: Db, people: dict[str, str]) -> None:
        key = {"Idempotency-Key": "k"}
        call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        db.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=BREAKING_BAD, headers=key
        )
        assert created.status == 201

    def test_repeated_call_while_the_first_is_in_progress_is_refused(
        self, db: Db, people: dict[str, str]
    ) -> None:
        user_id = call("GET", "/api/auth/me", token=people["bob"]).data["id"]
        key = {"Idempotency-Key": "k"}
        with db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{user_id}:k",))
            busy = call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        assert (busy.status, busy.code) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert busy.headers["retry-after"] == "1"
        created = call("POST", "/api/media/request", token=people["bob"], body=MATRIX, headers=key)
        assert created.status == 201

    @pytest.mark.parametrize("key", ["", "x" * 201, "é", "a\tb"])
    def test_malformed_key_is_rejected(self, db: Db, people: dict[str, str], key: str) -> None:
        answer = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body=MATRIX,
            headers={"Idempotency-Key": key},
        )
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert answer.details[0]["field"] == "header.Idempotency-Key"
        assert count(db, "media_requests") == 0


class TestOwnRequests:
    @pytest.fixture
    def created_requests(self, people: dict[str, str]) -> list[Any]:
        films = [603, 27205, 157336, 13, 238]
        bodies = [{"mediaType": "movie", "tmdbId": number} for number in films]
        return [
            call("POST", "/api/media/request", token=people["bob"], body=body).data
            for body in [*bodies, BREAKING_BAD]
        ]

    def list_requests(self, token: str, **query: Any) -> Any:
        answer = call("GET", "/api/media/requests", token=token, query=query)
        assert answer.status == 200, answer.text
        return answer.json

    def test_list_has_only_the_callers_requests_newest_first(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        bobs_requests = self.list_requests(people["bob"])
        assert bobs_requests["data"] == created_requests[::-1]
        assert bobs_requests["pagination"] == {
            "page": 1,
            "limit": 20,
            "total": 6,
            "hasNext": False,
            "hasPrev": False,
        }
        for name in ("carol", "alice"):
            assert self.list_requests(people[name])["data"] == []

    def test_pages_list_every_request_once(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        pages = [self.list_requests(people["bob"], page=page, limit=4) for page in (1, 2, 3)]
        ids = [item["id"] for item in itertools.chain(*(page["data"] for page in pages))]
        assert ids == [item["id"] for item in created_requests[::-1]]
        assert [page["pagination"]["hasNext"] for page in pages] == [True, False, False]
        assert pages[2]["data"] == []

    def test_filters_by_media_type_and_status(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        assert len(self.list_requests(people["bob"], mediaType="movie")["data"]) == 5
        assert len(self.list_requests(people["bob"], mediaType="tv")["data"]) == 1
        call(
            "POST",
            f"/api/admin/requests/{created_requests[0]['id']}/approve",
            token=people["alice"],
        )
        approved = self.list_requests(people["bob"], status="approved")["data"]
        assert [item["id"] for item in approved] == [created_requests[0]["id"]]
        assert len(self.list_requests(people["bob"], status="pending")["data"]) == 5

    def test_sorts_by_time_and_title(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        by_time = self.list_requests(people["bob"], sort="requestedAt")["data"]
        assert [item["id"] for item in by_time] == [item["id"] for item in created_requests]
        titles = [item["title"] for item in self.list_requests(people["bob"], sort="title")["data"]]
        assert titles == sorted(titles, key=str.lower)
        descending = [
            item["title"] for item in self.list_requests(people["bob"], sort="-title")["data"]
        ]
        assert descending == titles[::-1]
