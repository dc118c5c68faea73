"""The admin's list of requests: search in titles and requesters, and numbers by state."""

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medianest.core.text import fold
from medianest.requests.admin_schemas import AdminRequestQuery
from medianest.requests.lists import repository as lists_repository
from tests.support.api import Answer, call, id_of

type Db = psycopg.Connection[tuple[Any, ...]]

TITLES = ["Das Große Boot", "İstanbul", "Σίσυφος", "100% Wolf", "A_B", "C\\D"]

LETTERS = "aAb\u00df\u0130\u03c3\u03c2\uff21 %_\\1"


def list_requests(token: str, **query: Any) -> Answer:
    answer = call("GET", "/api/admin/requests", token=token, query=query)
    assert answer.status == 200, answer.text
    return answer


def titles(token: str, search: str, **query: Any) -> list[str]:
    return [each["title"] for each in list_requests(token, search=search, **query).data]


def counts(token: str, **query: Any) -> Any:
    answer = call("GET", "/api/admin/requests/counts", token=token, query=query)
    assert answer.status == 200, answer.text
    return answer.data


def add(db: Db, user_id: str, title: str, key: str | None) -> None:
    db.execute(
        "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, title_key)"
        " VALUES (%s, 'movie', 1, %s, %s)",
        (user_id, title, key),
    )


@pytest.fixture
def requested(people: dict[str, str]) -> dict[str, str]:
    """Let bob request two films and carol a film and a show."""
    for name, body in (
        ("bob", {"mediaType": "movie", "tmdbId": 603}),
        ("bob", {"mediaType": "movie", "tmdbId": 27205}),
        ("carol", {"mediaType": "movie", "tmdbId": 550}),
        ("carol", {"mediaType": "tv", "tmdbId": 1396}),
    ):
        assert call("POST", "/api/media/request", token=people[name], body=body).status == 201
    return people


class TestSearch:
    @pytest.mark.parametrize(
        ("search", "expected"),
        [
            ("matrix", ["The Matrix"]),
            ("THE MAT", ["The Matrix"]),
            ("\uff2d\uff41\uff54\uff52\uff49\uff58", ["The Matrix"]),
            (" breaking  bad ", ["Breaking Bad"]),
            ("ix", ["The Matrix"]),
            ("bob", ["Inception", "The Matrix"]),
            ("Carol", ["Breaking Bad", "Fight Club"]),
            ("carol@example", ["Breaking Bad", "Fight Club"]),
            ("b", ["Breaking Bad", "Fight Club", "Inception", "The Matrix"]),
            ("b%", []),
            ("_", []),
            ("nothing", []),
            ("\u592a", []),
        ],
    )
    def test_titles_and_requesters_are_searched(
        self, requested: dict[str, str], search: str, expected: list[str]
    ) -> None:
        assert titles(requested["alice"], search) == expected

    def test_search_combines_with_the_other_filters(self, requested: dict[str, str]) -> None:
        alice, bob = requested["alice"], id_of(requested["bob"])
        assert titles(alice, "carol", mediaType="tv") == ["Breaking Bad"]
        assert titles(alice, "b", userId=bob, sort="title") == ["Inception", "The Matrix"]
        assert titles(alice, "matrix", status="approved") == []

    def test_pages_of_a_search_have_an_exact_total(self, requested: dict[str, str]) -> None:
        pages = [list_requests(requested["alice"], search="b", limit=3, page=n) for n in (1, 2, 3)]
        assert [len(page.data) for page in pages] == [3, 1, 0]
        assert {page.json["pagination"]["total"] for page in pages} == {4}

    @pytest.mark.parametrize("title", TITLES)
    def test_title_is_found_in_any_case(self, db: Db, people: dict[str, str], title: str) -> None:
        add(db, id_of(people["bob"]), title, fold(title))
        for search in (title, title.lower(), title.upper(), title[1:4].upper()):
            assert titles(people["alice"], search) == [title]

    @pytest.mark.parametrize("title", ["The Matrix", "100% Wolf", "A_B", "\uff2d\uff41trix"])
    def test_title_of_the_previous_release_is_found(
        self, db: Db, people: dict[str, str], title: str
    ) -> None:
        add(db, id_of(people["bob"]), title, None)
        for search in (title, title.lower(), title.upper()):
            assert titles(people["alice"], search) == [title]

    def test_placeholder_of_a_missing_address_is_not_searched(
        self, db: Db, requested: dict[str, str]
    ) -> None:
        db.execute(
            "UPDATE users SET email = '1002@plex.invalid', email_key = '1002@plex.invalid'"
            " WHERE username = 'bob'"
        )
        assert titles(requested["alice"], "plex.invalid") == []

    @pytest.mark.parametrize("search", ["", " ", "x" * 201, "a\0b"])
    @pytest.mark.parametrize("path", ["/api/admin/requests", "/api/admin/requests/counts"])
    def test_invalid_text_is_refused(self, people: dict[str, str], search: str, path: str) -> None:
        answer = call("GET", path, token=people["alice"], query={"search": search})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [each["field"] for each in answer.details] == ["query.search"]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        texts=st.lists(
            st.text("aAb\u00df\u0130\u03c3\u03c2\uff21 %_\\1", min_size=1, max_size=6), max_size=5
        ),
        search=st.text("aAb\u00df\u0130\u03c3\uff21 %_\\1", min_size=1, max_size=4).filter(
            str.strip
        ),
    )
    def test_search_equals_a_comparison_of_folded_texts(
        self, db: Db, people: dict[str, str], texts: list[str], search: str
    ) -> None:
        db.execute("DELETE FROM media_requests")
        (user_id,) = db.execute("SELECT id FROM users WHERE username = 'bob'").fetchone() or ()
        db.execute("UPDATE users SET username_key = '-', email_key = '-'")
        for text in texts:
            add(db, user_id, text, fold(text))
        query = AdminRequestQuery(search=search, limit=100)
        found, total = lists_repository.page(db, query, search=query.search)
        expected = sorted(text for text in texts if fold(query.search or "") in fold(text))
        assert sorted(each.title for each in found) == expected
        assert total == len(expected)


class TestCounts:
    def test_numbers_are_those_of_the_list(self, requested: dict[str, str]) -> None:
        alice = requested["alice"]
        assert counts(alice) == {"all": 4, "pending": 4, "approved": 0, "declined": 0}
        ids = [each["id"] for each in list_requests(alice).data]
        for decision, id_ in (("approve", ids[0]), ("decline", ids[1]), ("approve", ids[2])):
            body = {"reason": "no room"} if decision == "decline" else {}
            path = f"/api/admin/requests/{id_}/{decision}"
            assert call("POST", path, token=alice, body=body).status == 200
        assert counts(alice) == {"all": 4, "pending": 1, "approved": 2, "declined": 1}
        for filters in (
            {"mediaType": "movie"},
            {"mediaType": "tv"},
            {"userId": id_of(requested["bob"])},
            {"userId": id_of(requested["bob"]), "mediaType": "movie"},
            {"search": "carol"},
            {"search": "matrix"},
            {"search": "b", "mediaType": "movie"},
            {"search": "ix", "userId": id_of(requested["bob"])},
            {"search": "nothing"},
        ):
            totals = {
                status: list_requests(alice, **filters, status=status).json["pagination"]["total"]
                for status in ("pending", "approved", "declined")
            }
            assert counts(alice, **filters) == {"all": sum(totals.values()), **totals}, filters

    def test_unfiltered_numbers_count_no_requests(self, requested: dict[str, str], db: Db) -> None:
        db.execute(
            "UPDATE row_counts SET n = n + 5 WHERE source = 'media_requests'"
            " AND facet = 'pending' AND subfacet = 'tv'"
        )
        assert counts(requested["alice"])["pending"] == 9
        assert counts(requested["alice"], mediaType="tv")["pending"] == 6
        assert counts(requested["alice"], search="carol")["pending"] == 2

    def test_status_is_no_filter_of_the_numbers(self, people: dict[str, str]) -> None:
        answer = call(
            "GET",
            "/api/admin/requests/counts",
            token=people["alice"],
            query={"status": "pending"},
        )
        assert [each["field"] for each in answer.details] == ["query.status"]
