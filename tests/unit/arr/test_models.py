"""Labels of tags, and the defensive reading of responses."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.arr import inventory, radarr, sonarr
from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError, MovieWanted, Options, label_of, labels
from medianest.arr.sonarr_add import tvdb_id_of
from medianest.core.guard import Response

OPTIONS = Options(1, "/media")


def client_of(answers: dict[str, Any]) -> ArrClient:
    """Return a client of a server with these bodies by path; another path is not found."""

    def call(method: str, url: str, **_rest: Any) -> Response:
        assert method == "GET"
        path = url.removeprefix("https://arr.example.org/base/api/v3/")
        return Response(200, answers[path], None) if path in answers else Response(404, {}, None)

    return ArrClient("https://arr.example.org/base/", "key", {"X-Own": "1"}, call)


@given(st.text())
def test_label_of_a_name_is_valid_or_absent(name: str) -> None:
    label = label_of(name)
    assert label is None or re.fullmatch("[a-z0-9-]+", label)


def test_labels_are_unique_and_have_requesters_only_with_the_option() -> None:
    options = OPTIONS._replace(tags=("one", "alice"))
    assert labels(options, ("Alice", "Ünal", "日本")) == ("one", "alice")
    with_requesters = options._replace(tag_requester=True)
    assert labels(with_requesters, ("Alice", "Bob B", "日本")) == ("one", "alice", "bob-b")


@pytest.mark.parametrize("body", [{}, "text", 7, {"message": "gone"}])
def test_listing_that_is_no_list_is_an_error(body: Any) -> None:
    with pytest.raises(ArrError) as caught:
        radarr.check(client_of({"movie": body}), 603)
    assert (caught.value.cls, caught.value.code) == ("unreachable", "RESPONSE_INVALID")


@pytest.mark.parametrize("id_", [None, 0, -1, "5", True, 1.5, 2**31, 10**40])
def test_film_without_an_id_is_an_error(id_: Any) -> None:
    with pytest.raises(ArrError) as caught:
        radarr.check(client_of({"movie": [{"tmdbId": 603, "id": id_}]}), 603)
    assert caught.value.code == "RESPONSE_INVALID"


def test_film_with_odd_details_is_found() -> None:
    movie = {"tmdbId": 603, "id": 5, "titleSlug": 7, "hasFile": "yes", "monitored": None}
    found = radarr.check(client_of({"movie": [None, {"tmdbId": 1, "id": 2}, movie]}), 603)
    assert found == (5, None, False, False)


@pytest.mark.parametrize(
    "statistics",
    [
        None,
        [],
        {},
        {"episodeFileCount": "3", "totalEpisodeCount": 3},
        {"episodeFileCount": 3},
        {"episodeFileCount": 0, "totalEpisodeCount": 0},
        {"episodeFileCount": 2, "totalEpisodeCount": 3},
    ],
)
def test_season_with_odd_or_few_files_is_not_downloaded(statistics: Any) -> None:
    season = {"seasonNumber": 1, "monitored": True, "statistics": statistics}
    series = {"tvdbId": 9, "id": 5, "seasons": [season, {"seasonNumber": "2"}, None]}
    found = sonarr.check(client_of({"series": [series]}), 9, frozenset({1, 2}))
    assert found is not None
    assert found[3:] == (frozenset({1}), frozenset(), frozenset({2}))


def test_inventory_leaves_odd_entries_out() -> None:
    answers = {
        "system/status": {"version": "3.2.2.5080"},
        "qualityprofile": [{"id": 1, "name": "a\0b"}, {"id": "2"}, {"id": 2**31}, None],
        "rootfolder": [
            {"path": "/a", "freeSpace": -1},
            {"path": 7},
            {"accessible": False},
            {"path": "/\ud800"},
        ],
        "tag": [{"id": 1, "label": ""}, {"id": 2, "label": "two"}],
    }
    found = inventory.read(client_of(answers), "radarr")
    assert found == ("3.2.2.5080", ((1, "1"),), (("/a", None, True),), ((2, "two"),))


def test_reason_of_a_rejection_can_be_stored() -> None:
    def call(method: str, url: str, **_rest: Any) -> Response:
        assert url.endswith("/movie")
        problem = {"propertyName": "Path", "errorMessage": "In use:\n a\0\ud800\u202eb"}
        return Response(200, [], None) if method == "GET" else Response(400, [problem], None)

    client = ArrClient("https://arr.example.org", "key", {}, call)
    with pytest.raises(ArrError) as caught:
        radarr.hand_over(
            client, MovieWanted(603, "x"), OPTIONS, may_change=lambda: True, search_again=False
        )
    assert (caught.value.cls, caught.value.message) == ("never", "In use:  ab")


@pytest.mark.parametrize("id_", [None, 0, -1, "5", 5.0, 2**31])
def test_show_without_a_valid_tvdb_id_is_tried_later(id_: Any) -> None:
    found = {"series/lookup": [{"tmdbId": 7, "tvdbId": id_}]}
    with pytest.raises(ArrError) as caught:
        tvdb_id_of(client_of(found), 7)
    assert (caught.value.cls, caught.value.code) == ("not_yet", "TVDB_ID_UNKNOWN")


def test_status_without_a_version_is_an_error() -> None:
    with pytest.raises(ArrError) as caught:
        inventory.read_version(client_of({"system/status": {}}), "radarr")
    assert caught.value.code == "RESPONSE_INVALID"


def test_address_without_the_api_is_misconfigured() -> None:
    with pytest.raises(ArrError) as caught:
        inventory.read(client_of({}), "sonarr")
    assert (caught.value.cls, caught.value.code) == ("misconfigured", "NOT_THE_API")


def test_tags_that_cannot_be_written_back_stop_the_change() -> None:
    movie = {"tmdbId": 603, "id": 5, "monitored": False, "tags": ["1"]}
    with pytest.raises(ArrError) as caught:
        radarr.hand_over(
            client_of({"movie": [movie]}),
            MovieWanted(603, "x"),
            OPTIONS,
            may_change=lambda: True,
            search_again=False,
        )
    assert caught.value.code == "RESPONSE_INVALID"
