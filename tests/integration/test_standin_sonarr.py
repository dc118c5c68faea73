"""The stand-in for Sonarr, over real HTTP: it is as strict as the real one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.standins import Standins
from local.standins.sonarr.app import API_KEY, create_app
from tests.support.arr import ArrStandin, served_arr
from tests.support.standin import client_of

# Breaking Bad has 9 specials, and 7, 13, 13, 13 and 16 episodes.
SHOW = {
    "tvdbId": 81189,
    "title": "Breaking Bad",
    "qualityProfileId": 4,
    "rootFolderPath": "/media/shows",
    "monitored": True,
    "seasonFolder": True,
    "seasons": [{"seasonNumber": number, "monitored": number == 1} for number in range(6)],
    "addOptions": {"searchForMissingEpisodes": True},
}


@pytest.fixture
def server() -> Iterator[ArrStandin]:
    with served_arr(create_app(), API_KEY) as standin:
        yield standin


def add(server: ArrStandin, **changes: Any) -> dict[str, Any]:
    status, _ = server.api("POST", "series", SHOW | changes)
    assert status == 201
    (series,) = server.read("series?tvdbId=81189")
    return dict(series)


def failures(server: ArrStandin, method: str, path: str, body: object) -> list[tuple[str, Any]]:
    status, found = server.api(method, path, body)
    assert status == 400
    return [(each["propertyName"], each.get("errorCode")) for each in found]


def flags(server: ArrStandin, series_id: int, season: int) -> set[bool]:
    path = f"episode?seriesId={series_id}&seasonNumber={season}"
    return {each["monitored"] for each in server.read(path)}


def with_season(series: dict[str, Any], number: int, *, is_monitored: bool) -> dict[str, Any]:
    seasons = [
        each | {"monitored": is_monitored} if each["seasonNumber"] == number else each
        for each in series["seasons"]
    ]
    return series | {"seasons": seasons}


def test_call_without_the_key_is_rejected(server: ArrStandin) -> None:
    assert server.api("GET", "series", key="wrong") == (401, None)


def test_added_show_monitors_what_was_sent(server: ArrStandin) -> None:
    assert server.read("series?tvdbId=81189") == []
    series = add(server)
    assert [each["monitored"] for each in series["seasons"]] == [False, True] + 4 * [False]
    assert flags(server, series["id"], 1) == {True}
    assert flags(server, series["id"], 2) == {False}
    assert series["seasons"][1]["statistics"]["totalEpisodeCount"] == 7
    assert server.read(f"series/{series['id']}") == series
    assert server.commands() == [("MissingEpisodeSearch", None)]


def test_response_to_an_addition_has_no_statistics_yet(server: ArrStandin) -> None:
    _, added = server.api("POST", "series", SHOW)
    assert "statistics" not in added["seasons"][0]


def test_seasons_that_are_not_sent_are_those_of_the_source(server: ArrStandin) -> None:
    series = add(server, seasons=[])
    assert [each["monitored"] for each in series["seasons"]] == [False] + 5 * [True]


def test_lookup_knows_the_ids_of_tvdb_and_tmdb(server: ArrStandin) -> None:
    for term in ("tvdb:81189", "tmdb:1396", "breaking%20b"):
        (found,) = server.read(f"series/lookup?term={term}")
        assert (found["tvdbId"], found["tmdbId"], found.get("id")) == (81189, 1396, None)
        assert [each["seasonNumber"] for each in found["seasons"]] == list(range(6))
    assert server.read("series/lookup?term=tvdb:5") == []
    series = add(server)
    assert server.read("series/lookup?term=tvdb:81189") == [series]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"qualityProfileId": 0}, ("QualityProfileId", "GreaterThanValidator")),
        ({"qualityProfileId": 9}, ("QualityProfileId", "QualityProfileExistsValidator")),
        ({"rootFolderPath": "/other"}, ("RootFolderPath", "RootFolderExistsValidator")),
        ({"title": ""}, ("Title", "NotEmptyValidator")),
        ({"tvdbId": 0}, ("TvdbId", "GreaterThanValidator")),
        ({"tvdbId": 5}, ("TvdbId", None)),
    ],
)
def test_validators_reject_a_show(
    server: ArrStandin, changes: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    assert failures(server, "POST", "series", SHOW | changes) == [expected]
    assert server.read("series") == []


def test_second_show_with_the_id_is_rejected(server: ArrStandin) -> None:
    add(server)
    assert failures(server, "POST", "series", SHOW) == [("TvdbId", "SeriesExistsValidator")]


def test_one_of_two_additions_at_once_conflicts() -> None:
    with (
        served_arr(create_app(metadata_seconds=0.5), API_KEY) as server,
        ThreadPoolExecutor(2) as pool,
    ):
        answers = list(pool.map(lambda _: server.api("POST", "series", SHOW), range(2)))
        assert sorted(status for status, _ in answers) == [201, 409]
        assert len(server.read("series")) == 1


def test_put_sets_the_episodes_of_a_season_whose_flag_changes(server: ArrStandin) -> None:
    series = add(server)
    path = f"series/{series['id']}"
    status, found = server.api("PUT", path, with_season(series, 2, is_monitored=True))
    assert (status, [each["monitored"] for each in found["seasons"][:3]]) == (
        202,
        [False, True, True],
    )
    assert flags(server, series["id"], 2) == {True}
    server.api("PUT", path, with_season(found, 2, is_monitored=False))
    assert flags(server, series["id"], 2) == {False}


def test_put_leaves_the_episodes_of_a_season_with_the_same_flag(server: ArrStandin) -> None:
    series = add(server)
    ids = [each["id"] for each in server.read(f"episode?seriesId={series['id']}&seasonNumber=1")]
    body = {"episodeIds": ids[:1], "monitored": False}
    status, changed = server.api("PUT", "episode/monitor", body)
    assert (status, [each["monitored"] for each in changed]) == (202, [False])
    server.api("PUT", f"series/{series['id']}", series)
    assert flags(server, series["id"], 1) == {True, False}


def test_put_resets_what_it_lacks(server: ArrStandin) -> None:
    series = add(server, tags=[1])
    body = {name: series[name] for name in ("id", "tvdbId", "path", "qualityProfileId")}
    _, found = server.api("PUT", f"series/{series['id']}", body)
    assert (found["seasons"], found["tags"]) == ([], [])
    assert (found["monitored"], found["seasonFolder"]) == (False, False)


def test_put_without_profile_or_path_is_rejected(server: ArrStandin) -> None:
    series = add(server)
    assert failures(server, "PUT", f"series/{series['id']}", {"monitored": True}) == [
        ("QualityProfileId", "GreaterThanValidator"),
        ("Path", "PathValidator"),
    ]


def test_unknown_show_is_not_found(server: ArrStandin) -> None:
    series = add(server)
    assert server.api("PUT", "series/77", series)[0] == 404
    assert server.api("GET", "series/77")[0] == 404
    assert server.read("episode?seriesId=77") == []
    assert server.api("GET", "episode")[0] == 400


def test_files_arrive_by_season_and_disappear(server: ArrStandin) -> None:
    add(server)
    server.import_files(tvdbId=81189, seasons=[1], episodes=3)
    counts = server.read("series")[0]["seasons"][1]["statistics"]
    assert (counts["episodeFileCount"], counts["totalEpisodeCount"]) == (3, 7)
    server.import_files(tvdbId=81189)
    assert server.read("series")[0]["statistics"]["percentOfEpisodes"] == 100
    body = {"tvdbId": 81189, "seasons": [1]}
    assert server.http.send("DELETE", "/standin/import", body=body).status == 200
    assert server.read("series")[0]["seasons"][1]["statistics"]["episodeFileCount"] == 0
    assert server.http.send("POST", "/standin/import", body={"tvdbId": 5}).status == 404


def test_sonarr_3_requires_a_language_profile() -> None:
    with served_arr(create_app(version="3.0.10.1567"), API_KEY) as server:
        assert "appName" not in server.read("system/status")
        expected = [("LanguageProfileId", "LanguageProfileExistsValidator")]
        assert failures(server, "POST", "series", SHOW) == expected
        (profile,) = server.read("languageprofile")
        add(server, languageProfileId=profile["id"])
        assert server.read("series/lookup?term=tmdb:1396") == []


def test_removal_forgets_everything(server: ArrStandin) -> None:
    add(server)
    server.api("POST", "tag", {"label": "one"})
    assert server.http.send("DELETE", "/standin/titles").status == 204
    assert (server.read("series"), server.read("tag"), server.commands()) == ([], [], [])


def test_stand_in_starts_with_the_others(upstreams: Standins) -> None:
    with client_of(upstreams.sonarr_url) as client:
        answer = client.get("/api/v3/system/status", {"X-Api-Key": API_KEY})
        assert answer.json()["appName"] == "Sonarr"
