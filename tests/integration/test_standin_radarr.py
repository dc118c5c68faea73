"""The stand-in for Radarr, over real HTTP: it is as strict as the real one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from local.standins import Standins
from local.standins.radarr.app import API_KEY, create_app
from tests.support.arr import ArrStandin, served_arr
from tests.support.standin import client_of

FILM = {
    "tmdbId": 603,
    "title": "The Matrix",
    "qualityProfileId": 4,
    "rootFolderPath": "/media/films",
    "monitored": True,
    "minimumAvailability": "released",
    "tags": [],
    "addOptions": {"searchForMovie": True},
}


@pytest.fixture
def server() -> Iterator[ArrStandin]:
    with served_arr(create_app(), API_KEY) as standin:
        yield standin


def failures(server: ArrStandin, method: str, path: str, body: object) -> list[tuple[str, Any]]:
    status, found = server.api(method, path, body)
    assert status == 400
    assert all({"errorMessage", "attemptedValue", "severity"} <= each.keys() for each in found)
    return [(each["propertyName"], each.get("errorCode")) for each in found]


@pytest.mark.parametrize("key", ["", "wrong"])
def test_call_without_the_key_is_rejected(server: ArrStandin, key: str) -> None:
    assert server.api("GET", "movie", key=key) == (401, None)


def test_status_names_the_program(server: ArrStandin) -> None:
    assert server.read("system/status")["appName"] == "Radarr"


def test_film_is_listed_by_its_tmdb_id(server: ArrStandin) -> None:
    assert server.read("movie?tmdbId=603") == []
    status, added = server.api("POST", "movie", FILM)
    assert (status, added["title"], added["hasFile"]) == (201, "The Matrix", False)
    assert server.read("movie?tmdbId=603") == [added]
    assert server.read(f"movie/{added['id']}") == added
    assert server.read("movie?tmdbId=550") == []
    assert server.read("movie/lookup?term=tmdb:603") == [added]
    assert server.commands() == [("MoviesSearch", [added["id"]])]


def test_lookup_of_an_absent_film_has_no_id(server: ArrStandin) -> None:
    (found,) = server.read("movie/lookup?term=tmdb:550")
    assert (found["tmdbId"], found.get("id")) == (550, None)
    assert server.read("movie/lookup?term=tmdb:999999") == []
    assert server.read("movie/lookup?term=fight%20cl")[0]["tmdbId"] == 550


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"qualityProfileId": 0}, ("QualityProfileId", "GreaterThanValidator")),
        ({"qualityProfileId": 9}, ("QualityProfileId", "QualityProfileExistsValidator")),
        ({"rootFolderPath": ""}, ("RootFolderPath", "NotEmptyValidator")),
        ({"rootFolderPath": "films"}, ("RootFolderPath", "PathValidator")),
        ({"rootFolderPath": "/other"}, ("RootFolderPath", "RootFolderExistsValidator")),
        ({"tmdbId": 0}, ("TmdbId", "NotEmptyValidator")),
        ({"tmdbId": 999_999_999}, ("TmdbId", None)),
    ],
)
def test_validators_reject_a_film(
    server: ArrStandin, changes: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    assert failures(server, "POST", "movie", FILM | changes) == [expected]
    assert server.read("movie") == []


def test_second_film_with_the_id_is_rejected(server: ArrStandin) -> None:
    server.api("POST", "movie", FILM)
    assert failures(server, "POST", "movie", FILM) == [("TmdbId", "MovieExistsValidator")]


def test_one_of_two_additions_at_once_conflicts() -> None:
    with (
        served_arr(create_app(metadata_seconds=0.5), API_KEY) as server,
        ThreadPoolExecutor(2) as pool,
    ):
        answers = list(pool.map(lambda _: server.api("POST", "movie", FILM), range(2)))
        assert sorted(status for status, _ in answers) == [201, 409]
        assert len(server.read("movie")) == 1


def test_put_replaces_what_can_be_edited(server: ArrStandin) -> None:
    _, movie = server.api("POST", "movie", FILM)
    path = f"movie/{movie['id']}"
    edited = movie | {"monitored": False, "tags": [3, 3, 1], "qualityProfileId": 5, "title": "X"}
    status, found = server.api("PUT", path, edited)
    expected = movie | {"monitored": False, "tags": [1, 3], "qualityProfileId": 5}
    assert (status, found) == (202, expected)
    assert server.read(path) == expected


def test_put_resets_what_it_lacks(server: ArrStandin) -> None:
    _, movie = server.api("POST", "movie", FILM | {"tags": [1], "monitored": False})
    path = f"movie/{movie['id']}"
    body = {name: movie[name] for name in ("id", "path", "qualityProfileId")}
    _, found = server.api("PUT", path, body)
    assert (found["tags"], found["monitored"]) == ([], True)
    assert found["minimumAvailability"] == "tba"


def test_put_without_profile_or_path_is_rejected(server: ArrStandin) -> None:
    _, movie = server.api("POST", "movie", FILM)
    assert failures(server, "PUT", f"movie/{movie['id']}", {"monitored": True}) == [
        ("QualityProfileId", "GreaterThanValidator"),
        ("Path", "NotEmptyValidator"),
    ]


def test_unknown_film_is_not_found(server: ArrStandin) -> None:
    _, movie = server.api("POST", "movie", FILM)
    assert server.api("PUT", "movie/77", movie)[0] == 404
    assert server.api("GET", "movie/77")[0] == 404


def test_file_arrives_and_disappears(server: ArrStandin) -> None:
    server.api("POST", "movie", FILM)
    server.import_files(tmdbId=603)
    (movie,) = server.read("movie?tmdbId=603")
    assert (movie["hasFile"], movie["statistics"]["movieFileCount"]) == (True, 1)
    assert server.http.send("DELETE", "/standin/import", body={"tmdbId": 603}).status == 200
    (movie,) = server.read("movie?tmdbId=603")
    assert (movie["hasFile"], movie["sizeOnDisk"]) == (False, 0)
    assert server.http.send("POST", "/standin/import", body={"tmdbId": 550}).status == 404


def test_tag_has_a_strict_label_and_exists_once(server: ArrStandin) -> None:
    assert server.api("POST", "tag", {"label": "Night-1"}) == (201, {"id": 1, "label": "night-1"})
    assert server.api("POST", "tag", {"label": "night-1"}) == (201, {"id": 1, "label": "night-1"})
    assert failures(server, "POST", "tag", {"label": "4 K"}) == [
        ("Label", "RegularExpressionValidator")
    ]
    assert server.read("tag") == [{"id": 1, "label": "night-1"}]


def test_unknown_command_fails(server: ArrStandin) -> None:
    assert server.api("POST", "command", {"name": "SeasonSearch"})[0] == 500
    status, command = server.api("POST", "command", {"name": "MoviesSearch", "movieIds": [1]})
    assert (status, command["status"], command["body"]["movieIds"]) == (201, "queued", [1])


@pytest.mark.parametrize("body", [[1], "text"])
def test_body_that_is_no_object_is_rejected(server: ArrStandin, body: object) -> None:
    assert server.api("POST", "movie", body)[0] == 400


def test_body_without_its_type_is_rejected(server: ArrStandin) -> None:
    headers = {"X-Api-Key": API_KEY, "Content-Type": "text/plain"}
    assert server.http.send("POST", "/api/v3/movie", headers, FILM).status == 415


def test_fault_after_the_effect_drops_the_response(server: ArrStandin) -> None:
    server.http.set_fault(kind="after", method="POST", every=2)
    assert server.api("POST", "tag", {"label": "first"})[0] == 201
    with pytest.raises(urllib3.exceptions.ProtocolError):
        server.api("POST", "tag", {"label": "second"})
    assert [each["label"] for each in server.read("tag")] == ["first", "second"]


def test_stand_in_starts_with_the_others(upstreams: Standins) -> None:
    with client_of(upstreams.radarr_url) as client:
        answer = client.get("/api/v3/system/status", {"X-Api-Key": API_KEY})
        assert answer.json()["appName"] == "Radarr"
