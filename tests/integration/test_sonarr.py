"""The hand-over of seasons to the stand-in for Sonarr, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.standins.sonarr.app import API_KEY, create_app
from local.standins.tmdb.catalogue import Catalogue, Title
from medianest.arr import inventory, sonarr
from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError, FoundShow, LeaseShortError, Options, ShowWanted
from tests.support.arr import OPTIONS_OF_SONARR, ArrStandin, allow, call, served_arr

TVDB, TMDB = 81189, 1396
EPISODES = {0: 2, 1: 3, 2: 2, 3: 2, 4: 0}
SHOWS = Catalogue(
    (
        Title("tv", TMDB, "Breaking Bad", date="2008-01-20", seasons=EPISODES, tvdb=TVDB),
        Title("tv", 7, "Without an id", date="2008-01-20", seasons={1: 1}),
    )
)

# It allows loopback, on which the stand-in listens.
pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def server() -> Iterator[ArrStandin]:
    with served_arr(create_app(SHOWS), API_KEY) as standin:
        yield standin


def wanted(*seasons: int, **changes: Any) -> ShowWanted:
    fields: dict[str, Any] = {"tmdb_id": TMDB, "tvdb_id": TVDB, "title": "Breaking Bad"}
    return ShowWanted(**fields | {"seasons": frozenset(seasons)} | changes)


def hand_over(
    server: ArrStandin, show: ShowWanted, *, search_again: bool = False, **changes: Any
) -> FoundShow:
    options = Options(**OPTIONS_OF_SONARR | changes)
    return sonarr.hand_over(
        *(server.client, show, options),
        may_change=allow,
        search_again=show.seasons if search_again else frozenset(),
    )


def failure_of(server: ArrStandin, show: ShowWanted, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ArrError) as caught:
        hand_over(server, show, **changes)
    return caught.value.cls, caught.value.code


def add(server: ArrStandin, *seasons: int, **fields: Any) -> dict[str, Any]:
    body = {
        "tvdbId": TVDB,
        "title": "Breaking Bad",
        "qualityProfileId": 5,
        "rootFolderPath": "/media/shows-4k",
        "monitored": True,
        "seasonFolder": True,
        "seasons": [{"seasonNumber": n, "monitored": n in seasons} for n in EPISODES],
    }
    status, _ = server.api("POST", "series", body | fields)
    assert status == 201
    server.sent()
    return the_show(server)


def the_show(server: ArrStandin) -> dict[str, Any]:
    (series,) = server.read(f"series?tvdbId={TVDB}")
    return dict(series)


def monitored(server: ArrStandin) -> tuple[set[int], dict[int, set[bool]]]:
    """Return the monitored seasons, and the flags of the episodes of each season."""
    series = the_show(server)
    episodes: dict[int, set[bool]] = {}
    for each in server.read(f"episode?seriesId={series['id']}"):
        episodes.setdefault(each["seasonNumber"], set()).add(each["monitored"])
    return {each["seasonNumber"] for each in series["seasons"] if each["monitored"]}, episodes


def without_monitoring(series: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a hand-over must never change."""
    return {
        name: value
        for name, value in series.items()
        if name not in {"monitored", "tags", "seasons", "statistics"}
    }


def test_absent_show_is_added_with_the_wanted_seasons_only(server: ArrStandin) -> None:
    found = hand_over(server, wanted(1, 3), tags=("requested",), series_type="anime")
    series = the_show(server)
    assert found == FoundShow(
        series["id"], TVDB, "breaking-bad", frozenset({1, 3}), frozenset(), frozenset()
    )
    assert server.sent() == ["POST tag", "POST series"]
    assert (series["seriesType"], series["monitorNewItems"]) == ("anime", "none")
    assert (series["qualityProfileId"], series["rootFolderPath"]) == (4, "/media/shows")
    assert (series["monitored"], series["seasonFolder"], series["tags"]) == (True, True, [1])
    assert [each["seasonNumber"] for each in series["seasons"]] == list(EPISODES)
    assert monitored(server) == ({1, 3}, {0: {False}, 1: {True}, 2: {False}, 3: {True}})
    assert server.commands() == [("MissingEpisodeSearch", None)]


def test_second_run_changes_nothing(server: ArrStandin) -> None:
    first = hand_over(server, wanted(1, 3), tags=("requested",))
    server.sent()
    assert hand_over(server, wanted(1, 3), tags=("requested",)) == first
    assert server.sent() == []


def test_specials_are_monitored_when_they_are_wanted(server: ArrStandin) -> None:
    hand_over(server, wanted(0))
    assert monitored(server)[0] == {0}


def test_another_season_is_added_to_the_show(server: ArrStandin) -> None:
    before = add(server, 1)
    found = hand_over(server, wanted(2, 0))
    assert found.submitted == {0, 2}
    assert monitored(server) == ({0, 1, 2}, {0: {True}, 1: {True}, 2: {True}, 3: {False}})
    assert without_monitoring(the_show(server)) == without_monitoring(before)
    assert server.commands() == [("SeasonSearch", 0), ("SeasonSearch", 2)]


def test_unmonitored_show_is_monitored_and_its_seasons_are_searched(server: ArrStandin) -> None:
    before = add(server, 1, monitored=False)
    hand_over(server, wanted(1))
    assert the_show(server) == before | {"monitored": True}
    assert server.commands() == [("SeasonSearch", 1)]


def test_episodes_of_a_monitored_season_are_monitored(server: ArrStandin) -> None:
    series = add(server, 1, 2)
    episodes = server.read(f"episode?seriesId={series['id']}")
    ids = [each["id"] for each in episodes if each["seasonNumber"] == 1]
    server.api("PUT", "episode/monitor", {"episodeIds": ids, "monitored": False})
    server.import_files(tvdbId=TVDB, seasons=[1], episodes=1)
    server.sent()
    hand_over(server, wanted(1))
    assert server.sent() == ["PUT episode/monitor", "POST command"]
    flags = {
        each["episodeNumber"]: each["monitored"]
        for each in server.read(f"episode?seriesId={series['id']}&seasonNumber=1")
    }
    # The first one has a file, so its flag is left alone.
    assert flags == {1: False, 2: True, 3: True}
    assert server.commands() == [("SeasonSearch", 1)]


def test_complete_season_is_downloaded_and_left_alone(server: ArrStandin) -> None:
    add(server, 1, 2)
    server.import_files(tvdbId=TVDB, seasons=[1])
    server.import_files(tvdbId=TVDB, seasons=[2], episodes=1)
    found = hand_over(server, wanted(1, 2), search_again=True)
    assert (found.downloaded, found.submitted) == (frozenset({1}), frozenset({2}))
    assert server.commands() == [("SeasonSearch", 2)]


def test_without_search_none_is_started(server: ArrStandin) -> None:
    hand_over(server, wanted(1), search=False)
    hand_over(server, wanted(2), search=False, search_again=True)
    assert server.commands() == []


def test_unknown_season_is_missing_and_the_others_go_on(server: ArrStandin) -> None:
    found = hand_over(server, wanted(1, 9))
    assert (found.submitted, found.missing) == (frozenset({1}), frozenset({9}))
    found = hand_over(server, wanted(1, 2, 9))
    assert (found.submitted, found.missing) == (frozenset({1, 2}), frozenset({9}))


@pytest.mark.parametrize("is_there", [False, True])
def test_only_unknown_seasons_are_tried_later(server: ArrStandin, *, is_there: bool) -> None:
    if is_there:
        add(server, 1)
    assert failure_of(server, wanted(9)) == ("not_yet", "SEASON_UNKNOWN")
    assert server.sent() == []


def test_show_that_sonarr_does_not_know_is_tried_later(server: ArrStandin) -> None:
    assert failure_of(server, wanted(1, tvdb_id=5)) == ("not_yet", "TITLE_UNKNOWN")


def test_show_without_a_tvdb_id_is_found_by_its_tmdb_id(server: ArrStandin) -> None:
    assert hand_over(server, wanted(1, tvdb_id=None)).tvdb_id == TVDB
    unknown = wanted(1, tmdb_id=7, tvdb_id=None)
    assert failure_of(server, unknown) == ("not_yet", "TVDB_ID_UNKNOWN")


def test_sonarr_3_gets_a_language_profile(server: ArrStandin) -> None:
    with served_arr(create_app(SHOWS, version="3.0.10.1567"), API_KEY) as old:
        assert hand_over(old, wanted(1)).submitted == {1}
        assert the_show(old)["languageProfileId"] == 1
        assert hand_over(old, wanted(2)).submitted == {2}
        assert inventory.read(old.client, "sonarr").version == "3.0.10.1567"
        # It searches for the text of an id that it does not know.
        without = wanted(1, tvdb_id=None)
        assert failure_of(old, without) == ("not_yet", "TVDB_ID_UNKNOWN")


def test_check_tells_unmonitored_seasons_apart(server: ArrStandin) -> None:
    assert sonarr.check(server.client, TVDB, frozenset({1})) is None
    add(server, 1, 2)
    server.import_files(tvdbId=TVDB, seasons=[1])
    server.sent()
    found = sonarr.check(server.client, TVDB, frozenset({1, 2, 3, 9}))
    assert found is not None
    assert (found.downloaded, found.submitted, found.missing) == (
        frozenset({1}),
        frozenset({2}),
        frozenset({3, 9}),
    )
    assert server.sent() == []
    show = the_show(server)
    assert server.api("PUT", f"series/{show['id']}", show | {"monitored": False})[0] == 202
    found = sonarr.check(server.client, TVDB, frozenset({1, 2, 3, 9}))
    assert found is not None
    assert (found.downloaded, found.submitted) == (frozenset({1}), frozenset())
    assert found.missing == frozenset({2, 3, 9})


def test_season_without_episodes_is_not_downloaded(server: ArrStandin) -> None:
    add(server, 4)
    assert hand_over(server, wanted(4)).downloaded == frozenset()


@pytest.mark.parametrize("path", ["/api/v3/series", "/api/v3/tag"])
def test_lost_response_to_an_addition_adds_nothing_twice(server: ArrStandin, path: str) -> None:
    show = wanted(1)
    server.http.set_fault(kind="after", path=path, method="POST", count=1)
    assert failure_of(server, show, tags=("requested",)) == ("unsure", "NO_RESPONSE")
    hand_over(server, show, tags=("requested",), search_again=True)
    assert len(server.read("series")) == 1
    assert len(server.read("tag")) == 1
    assert server.sent().count("POST series") == 1


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/v3/series/"), ("POST", "/api/v3/command")]
)
def test_lost_response_to_a_later_change_is_made_up(
    server: ArrStandin, method: str, path: str
) -> None:
    add(server, 1)
    server.http.set_fault(kind="after", path=path, method=method, count=1)
    assert failure_of(server, wanted(2)) == ("unsure", "NO_RESPONSE")
    hand_over(server, wanted(2), search_again=True)
    assert monitored(server) == ({1, 2}, {0: {False}, 1: {True}, 2: {True}, 3: {False}})
    assert server.commands() == [("SeasonSearch", 2)]


def test_show_that_appears_during_the_addition_is_used(server: ArrStandin) -> None:
    def race(method: str, url: str, **rest: Any) -> Any:
        if method == "POST" and url.endswith("/series"):
            add(server, 1)
        return call(method, url, **rest)

    client = ArrClient(server.http.origin, API_KEY, {}, race)
    options = Options(**OPTIONS_OF_SONARR)
    sonarr.hand_over(client, wanted(2), options, may_change=allow, search_again=frozenset())
    assert monitored(server)[0] == {1, 2}
    assert len(server.read("series")) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quality_profile_id": 77}, ("misconfigured", "OPTION_REJECTED")),
        ({"root_folder_path": "/elsewhere"}, ("misconfigured", "OPTION_REJECTED")),
        ({"tags": ("4 K",)}, ("misconfigured", "TAG_INVALID")),
    ],
)
def test_rejected_option_is_misconfigured(
    server: ArrStandin, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert failure_of(server, wanted(1), **changes) == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 503}, ("unreachable", "SERVER_ERROR")),
        ({"kind": "status", "status": 401}, ("misconfigured", "KEY_REJECTED")),
        ({"kind": "html"}, ("unreachable", "NOT_JSON")),
        ({"kind": "status", "status": 500, "method": "POST"}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "status", "status": 409, "method": "POST"}, ("unsure", "CHANGE_FAILED")),
        ({"kind": "close", "method": "POST"}, ("unsure", "NO_RESPONSE")),
        ({"kind": "wrong-types", "path": "/api/v3/series/lookup"}, ("not_yet", "TITLE_UNKNOWN")),
    ],
)
def test_failure_has_its_class(
    server: ArrStandin, fault: dict[str, Any], expected: tuple[str, str]
) -> None:
    server.http.set_fault(**fault)
    assert failure_of(server, wanted(1)) == expected


@pytest.mark.parametrize("number", range(3))
def test_no_change_is_made_without_enough_of_the_lease(server: ArrStandin, number: int) -> None:
    add(server, 1)
    allowed = iter([True] * number + [False])
    with pytest.raises(LeaseShortError):
        sonarr.hand_over(
            server.client,
            wanted(2),
            Options(**OPTIONS_OF_SONARR, tags=("requested",)),
            may_change=lambda: next(allowed),
            search_again=frozenset(),
        )
    expected = ["POST tag", f"PUT series/{the_show(server)['id']}", "POST command"]
    assert server.sent() == expected[:number]


_SEASONS = st.frozensets(st.sampled_from(sorted(EPISODES)))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    before=_SEASONS,
    asked=st.lists(_SEASONS.filter(bool), min_size=1, max_size=3),
    files=_SEASONS,
    show_is_monitored=st.booleans(),
)
def test_seasons_are_only_ever_added(
    server: ArrStandin,
    before: frozenset[int],
    asked: list[frozenset[int]],
    files: frozenset[int],
    show_is_monitored: bool,
) -> None:
    server.http.send("DELETE", "/standin/titles")
    first = add(server, *before, monitored=show_is_monitored)
    server.import_files(tvdbId=TVDB, seasons=sorted(files))
    had = monitored(server)[0]
    wished: frozenset[int] = frozenset()
    for seasons in asked:
        wished |= seasons
        found = hand_over(server, wanted(*seasons))
        assert found.submitted | found.downloaded == seasons
        assert not found.missing
        assert found.downloaded == {each for each in files & seasons if EPISODES[each]}
        now, episodes = monitored(server)
        assert now == had | wished
        assert the_show(server)["monitored"] is True
        # Every episode without a file of a wanted season is monitored; the others are as before.
        for season in seasons - files:
            assert episodes.get(season, {True}) == {True}
        for season in set(episodes) - had - wished:
            assert episodes[season] == {False}
    assert without_monitoring(the_show(server)) == without_monitoring(first)
