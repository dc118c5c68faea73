"""The hand-over of a film to the stand-in for Radarr, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.standins.radarr.app import API_KEY, create_app
from medianest.arr import inventory, radarr
from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError, Found, LeaseShortError, MovieWanted, Options
from tests.support.arr import OPTIONS_OF_RADARR, ArrStandin, allow, call, served_arr

FILM = MovieWanted(603, "The Matrix", ("Alice B.", "bob"))

# It allows loopback, on which the stand-in listens.
pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def server() -> Iterator[ArrStandin]:
    with served_arr(create_app(), API_KEY) as standin:
        yield standin


def options(**changes: Any) -> Options:
    return Options(**OPTIONS_OF_RADARR | changes)


def hand_over(
    server: ArrStandin, *, search_again: bool = False, film: MovieWanted = FILM, **changes: Any
) -> Found:
    return radarr.hand_over(
        server.client, film, options(**changes), may_change=allow, search_again=search_again
    )


def failure_of(server: ArrStandin, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ArrError) as caught:
        hand_over(server, **changes)
    return caught.value.cls, caught.value.code


def add(server: ArrStandin, **fields: Any) -> dict[str, Any]:
    body = {
        "tmdbId": 603,
        "title": "The Matrix",
        "qualityProfileId": 5,
        "rootFolderPath": "/media/films-4k",
        "minimumAvailability": "announced",
        "monitored": True,
        "tags": [],
    }
    status, movie = server.api("POST", "movie", body | fields)
    assert status == 201
    server.sent()
    return dict(movie)


def the_film(server: ArrStandin) -> dict[str, Any]:
    (movie,) = server.read("movie?tmdbId=603")
    return dict(movie)


def test_absent_film_is_added_with_the_options(server: ArrStandin) -> None:
    found = hand_over(server, tags=("requested",), minimum_availability="inCinemas")
    movie = the_film(server)
    assert found == Found(movie["id"], "603", has_file=False, is_monitored=True)
    assert server.sent() == ["POST tag", "POST movie"]
    assert movie["qualityProfileId"] == 4
    assert movie["rootFolderPath"] == "/media/films"
    assert movie["minimumAvailability"] == "inCinemas"
    assert movie["tags"] == [1]
    assert server.commands() == [("MoviesSearch", [movie["id"]])]


def test_second_run_changes_nothing(server: ArrStandin) -> None:
    first = hand_over(server, tags=("requested",))
    server.sent()
    assert hand_over(server, tags=("requested",)) == first
    assert server.sent() == []


def test_without_search_none_is_started(server: ArrStandin) -> None:
    hand_over(server, search=False)
    assert server.commands() == []


def test_requesters_become_tags_only_with_the_option(server: ArrStandin) -> None:
    hand_over(server)
    assert server.read("tag") == []
    hand_over(server, tag_requester=True)
    assert [each["label"] for each in server.read("tag")] == ["alice-b", "bob"]
    assert len(the_film(server)["tags"]) == 2


def test_known_tag_is_used_again(server: ArrStandin) -> None:
    server.api("POST", "tag", {"label": "Requested"})
    hand_over(server, tags=("requested",))
    assert [each["label"] for each in server.read("tag")] == ["requested"]


def test_tag_with_a_wrong_label_fails_before_any_call(server: ArrStandin) -> None:
    assert failure_of(server, tags=("4 K",)) == ("misconfigured", "TAG_INVALID")
    assert server.http.get("/standin/requests").json() == []


def test_unmonitored_film_is_monitored_and_searched_and_keeps_the_rest(server: ArrStandin) -> None:
    server.api("POST", "tag", {"label": "own"})
    before = add(server, monitored=False, tags=[1])
    found = hand_over(server, tags=("requested",))
    assert found.is_monitored
    assert the_film(server) == before | {"monitored": True, "tags": [1, 2]}
    assert server.sent() == ["POST tag", f"PUT movie/{before['id']}", "POST command"]
    assert server.commands() == [("MoviesSearch", [before["id"]])]


def test_monitored_film_gets_a_missing_tag_without_a_search(server: ArrStandin) -> None:
    before = add(server)
    hand_over(server, tags=("requested",))
    assert the_film(server) == before | {"tags": [1]}
    assert server.commands() == []


def test_edited_profile_is_left_alone(server: ArrStandin) -> None:
    before = add(server)
    hand_over(server)
    assert the_film(server) == before
    assert server.sent() == []


def test_film_with_a_file_is_left_alone(server: ArrStandin) -> None:
    before = add(server, monitored=False)
    server.import_files(tmdbId=603)
    found = hand_over(server, tags=("requested",), search_again=True)
    assert found == Found(before["id"], "603", has_file=True, is_monitored=False)
    assert server.sent() == []


def test_retry_searches_for_a_monitored_film(server: ArrStandin) -> None:
    add(server)
    hand_over(server, search_again=True)
    assert server.sent() == ["POST command"]
    # The server lists it now, as after a lost response.
    hand_over(server, search_again=True)
    assert server.sent() == []


def test_check_reads_only(server: ArrStandin) -> None:
    assert radarr.check(server.client, 603) is None
    movie = add(server)
    assert radarr.check(server.client, 603) == Found(movie["id"], "603", has_file=False)
    server.import_files(tmdbId=603)
    assert radarr.check(server.client, 603) == Found(movie["id"], "603", has_file=True)


@pytest.mark.parametrize("path", ["/api/v3/movie", "/api/v3/tag"])
def test_lost_response_to_an_addition_adds_nothing_twice(server: ArrStandin, path: str) -> None:
    server.http.set_fault(kind="after", path=path, method="POST", count=1)
    assert failure_of(server, tags=("requested",)) == ("unsure", "NO_RESPONSE")
    hand_over(server, tags=("requested",), search_again=True)
    assert len(server.read("movie")) == 1
    assert len(server.read("tag")) == 1
    assert server.sent().count("POST movie") == 1


@pytest.mark.parametrize("path", ["/api/v3/movie/", "/api/v3/command"])
def test_lost_response_to_a_later_change_is_made_up(server: ArrStandin, path: str) -> None:
    before = add(server, monitored=False)
    server.http.set_fault(kind="after", path=path, count=1)
    assert failure_of(server) == ("unsure", "NO_RESPONSE")
    hand_over(server, search_again=True)
    assert the_film(server) == before | {"monitored": True}
    assert server.commands() == [("MoviesSearch", [before["id"]])]


def test_film_that_appears_during_the_addition_is_used(server: ArrStandin) -> None:
    def race(method: str, url: str, **rest: Any) -> Any:
        if method == "POST" and url.endswith("/movie"):
            add(server, monitored=False)
        return call(method, url, **rest)

    client = ArrClient(server.http.origin, API_KEY, {}, race)
    found = radarr.hand_over(client, FILM, options(), may_change=allow, search_again=False)
    assert found.is_monitored
    assert the_film(server)["monitored"] is True
    assert len(server.read("movie")) == 1


def test_film_that_radarr_does_not_know_is_tried_later(server: ArrStandin) -> None:
    unknown = MovieWanted(999_999_999, "Nothing")
    assert failure_of(server, film=unknown) == ("not_yet", "TITLE_UNKNOWN")


@pytest.mark.parametrize(
    "changes", [{"quality_profile_id": 77}, {"root_folder_path": "/elsewhere"}]
)
def test_rejected_option_is_misconfigured(server: ArrStandin, changes: dict[str, Any]) -> None:
    assert failure_of(server, **changes) == ("misconfigured", "OPTION_REJECTED")


def test_rejected_title_is_never_tried_again(server: ArrStandin) -> None:
    assert failure_of(server, film=MovieWanted(0, "")) == ("never", "REJECTED")


def test_wrong_key_is_misconfigured(server: ArrStandin) -> None:
    with pytest.raises(ArrError) as caught:
        radarr.check(server.client_with("wrong"), 603)
    assert (caught.value.cls, caught.value.code) == ("misconfigured", "KEY_REJECTED")
    assert "wrong" not in str(caught.value)


def test_server_that_is_off_is_unreachable() -> None:
    with served_arr(create_app(), API_KEY) as server:
        pass
    assert failure_of(server) == ("unreachable", "CONNECTION_FAILED")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 500}, ("unreachable", "SERVER_ERROR")),
        ({"kind": "status", "status": 429}, ("unreachable", "SERVER_ERROR")),
        ({"kind": "status", "status": 403}, ("misconfigured", "KEY_REJECTED")),
        ({"kind": "status", "status": 404}, ("misconfigured", "NOT_THE_API")),
        ({"kind": "status", "status": 405}, ("misconfigured", "NOT_THE_API")),
        ({"kind": "status", "status": 408}, ("unreachable", "SERVER_ERROR")),
        # No answer about the title: a proxy refuses the call.
        ({"kind": "status", "status": 400}, ("unreachable", "UNEXPECTED_RESPONSE")),
        ({"kind": "status", "status": 421}, ("unreachable", "UNEXPECTED_RESPONSE")),
        ({"kind": "redirect", "location": "/"}, ("misconfigured", "ADDRESS_REFUSED")),
        ({"kind": "html"}, ("unreachable", "NOT_JSON")),
        ({"kind": "close"}, ("unreachable", "NO_RESPONSE")),
        ({"kind": "hang"}, ("unreachable", "NO_RESPONSE")),
    ],
)
def test_failure_of_a_read_has_its_class(
    server: ArrStandin, fault: dict[str, Any], expected: tuple[str, str]
) -> None:
    server.http.set_fault(**fault)
    assert failure_of(server) == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 500}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "status", "status": 408}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "status", "status": 409}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "status", "status": 425}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "status", "status": 429}, ("unreachable", "SERVER_ERROR")),
        ({"kind": "status", "status": 400}, ("never", "REJECTED")),
        ({"kind": "status", "status": 422}, ("never", "UNEXPECTED_RESPONSE")),
        ({"kind": "html"}, ("unsure", "NOT_JSON")),
        ({"kind": "hang"}, ("unsure", "NO_RESPONSE")),
    ],
)
def test_failure_of_an_addition_has_its_class(
    server: ArrStandin, fault: dict[str, Any], expected: tuple[str, str]
) -> None:
    server.http.set_fault(**fault, method="POST")
    assert failure_of(server) == expected


def test_film_that_is_removed_before_its_change_is_tried_again(server: ArrStandin) -> None:
    add(server, monitored=False)
    server.http.set_fault(kind="status", status=404, method="PUT")
    assert failure_of(server) == ("unsure", "CHANGE_FAILED")


def test_retry_after_is_passed_on(server: ArrStandin) -> None:
    server.http.set_fault(kind="status", status=429, retryAfter=77)
    with pytest.raises(ArrError) as caught:
        hand_over(server)
    assert caught.value.retry_after == 77


def test_odd_entries_of_a_listing_are_other_films(server: ArrStandin) -> None:
    add(server)
    server.http.set_fault(kind="wrong-types", method="GET", count=1)
    # The film seems to be absent; Radarr rejects the second one, and the first one is used.
    assert hand_over(server).external_id == the_film(server)["id"]
    assert len(server.read("movie")) == 1


def test_no_change_is_made_without_enough_of_the_lease(server: ArrStandin) -> None:
    add(server, monitored=False)
    allowed = iter([True, False])
    with pytest.raises(LeaseShortError):
        radarr.hand_over(
            server.client,
            FILM,
            options(),
            may_change=lambda: next(allowed),
            search_again=False,
        )
    assert server.sent() == [f"PUT movie/{the_film(server)['id']}"]


def test_inventory_has_profiles_folders_and_tags(server: ArrStandin) -> None:
    server.api("POST", "tag", {"label": "own"})
    found = inventory.read(server.client, "radarr")
    assert found.version.startswith("6.")
    assert [each.id for each in found.profiles] == [1, 4, 5]
    assert [each.path for each in found.root_folders] == ["/media/films", "/media/films-4k"]
    assert found.root_folders[0].accessible
    assert [each.label for each in found.tags] == ["own"]


def test_inventory_of_another_program_is_misconfigured(server: ArrStandin) -> None:
    with pytest.raises(ArrError) as caught:
        inventory.read(server.client, "sonarr")
    assert (caught.value.cls, caught.value.code) == ("misconfigured", "WRONG_PROGRAM")
