"""Ids and years in the text of a search."""

from typing import Any
from urllib.parse import parse_qs

import pytest
import redis

from tests.support import plex
from tests.support.api import Answer, call
from tests.support.catalog import (
    DAY,
    FAULT_IDS,
    FAULTS,
    Fault,
    age_entries,
    cached_entries,
)

MATRIX = {"mediaType": "movie", "tmdbId": 603}


def search(token: str, text: str, **query: Any) -> Answer:
    return call("GET", "/api/media/search", token=token, query={"q": text, **query})


def found(token: str, text: str, **query: Any) -> list[tuple[str, int]]:
    answer = search(token, text, **query)
    assert answer.status == 200, answer.text
    return [(item["mediaType"], item["tmdbId"]) for item in answer.data]


def test_tmdb_id_finds_the_film_and_the_show_with_it(people: dict[str, str]) -> None:
    bob = people["bob"]
    (film,) = search(bob, "tmdb:603").data
    assert film == search(bob, "the matrix (1999)").data[0]
    # A film and a show of the catalogue share this id.
    both = [("movie", 99_000_001), ("tv", 99_000_001)]
    assert found(bob, "TMDB: 99000001") == both
    assert found(bob, "tmdb:99000001", type="tv") == both[1:]
    assert found(bob, "tmdb:1396", type="tv") == [("tv", 1396)]
    assert found(bob, "tmdb:1396", type="movie") == []


def test_unknown_id_finds_nothing(people: dict[str, str]) -> None:
    for text in ("tmdb:2147483647", "imdb:tt9999999"):
        answer = search(people["bob"], text)
        assert (answer.data, answer.json["pagination"]["total"]) == ([], 0)


def test_imdb_id_finds_its_title(people: dict[str, str]) -> None:
    bob = people["bob"]
    assert found(bob, "imdb:tt0133093") == [("movie", 603)]
    assert found(bob, "IMDB:TT0903747") == [("tv", 1396)]
    assert found(bob, "imdb:tt0903747", type="movie") == []


def test_only_the_first_page_has_the_title_with_an_id(people: dict[str, str]) -> None:
    for text in ("tmdb:603", "imdb:tt0133093"):
        answer = search(people["bob"], text, page=2)
        assert answer.data == []
        assert answer.json["pagination"] == {
            "page": 2,
            "limit": 20,
            "total": 1,
            "hasNext": False,
            "hasPrev": True,
        }


def test_title_found_by_its_id_shows_its_request(people: dict[str, str]) -> None:
    created = call("POST", "/api/media/request", token=people["bob"], body=MATRIX).data
    for text in ("tmdb:603", "imdb:tt0133093", "matrix (1999)"):
        (item,) = search(people["bob"], text).data
        assert item["request"] == {"id": created["id"], "status": "pending"}


def test_year_in_brackets_restricts_the_search(people: dict[str, str]) -> None:
    bob = people["bob"]
    assert found(bob, "Matrix (1999)") == [("movie", 603)]
    assert found(bob, "Fargo (1996)") == [("movie", 275)]
    assert found(bob, "Fargo (2014)") == [("tv", 60622)]
    assert found(bob, "Fargo (2014)", type="movie") == []
    assert found(bob, "Matrix (1950)") == []


def test_search_of_all_types_with_a_year_has_an_exact_total(people: dict[str, str]) -> None:
    bob = people["bob"]
    totals = [
        search(bob, "the (2008)", type=kind).json["pagination"]["total"]
        for kind in ("movie", "tv", "all")
    ]
    assert totals[0] + totals[1] == totals[2] > 0
    items = search(bob, "the (2008)").data
    assert {item["year"] for item in items} == {2008}


@pytest.mark.parametrize(
    "text", ["tmdb:abc", "tmdb:0", "imdb:xyz", "imdb:tt1", "matrix (0000)", "matrix (99999)"]
)
def test_text_of_another_form_is_searched_for_as_words(
    people: dict[str, str], tmdb_url: str, text: str
) -> None:
    plex.control(tmdb_url, "DELETE", "requests")
    assert found(people["bob"], text) == []
    (sent,) = plex.control(tmdb_url, "GET", "requests")
    assert sent["path"] == "/3/search/multi"
    assert parse_qs(sent["query"])["query"] == [text]


@pytest.mark.parametrize("text", ["tmdb:603", "imdb:tt0133093", "matrix (1999)"])
@pytest.mark.parametrize("options", FAULTS, ids=FAULT_IDS)
def test_tmdb_fault_gets_503(
    people: dict[str, str],
    keys: redis.Redis,
    fault: Fault,
    text: str,
    options: dict[str, Any],
) -> None:
    fault(**options)
    answer = search(people["bob"], text)
    assert (answer.status, answer.code) == (503, "CATALOG_UNAVAILABLE")
    assert cached_entries(keys) == {}


@pytest.mark.parametrize("text", ["tmdb:1396", "imdb:tt0133093", "matrix (1999)"])
def test_stale_result_is_served_while_tmdb_is_down(
    people: dict[str, str], keys: redis.Redis, fault: Fault, text: str
) -> None:
    kind = "tv" if text == "tmdb:1396" else "movie"
    fresh = search(people["bob"], text, type=kind)
    age_entries(keys, DAY)
    fault(kind="close")
    stale = search(people["bob"], text, type=kind)
    assert stale.json == fresh.json
    assert int(stale.headers["x-catalog-stale"]) >= DAY
