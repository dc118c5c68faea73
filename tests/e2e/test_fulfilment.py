"""Approvals reach Radarr and Sonarr through real processes, whatever breaks on the way."""

from collections.abc import Iterator
from functools import partial

import pytest

from local.standins.radarr import app as radarr
from local.standins.tmdb.catalogue import load_catalogue
from tests.e2e.conftest import CROWD, OwnEngines, crowd_service
from tests.support.arr import ArrStandin
from tests.support.concurrency import at_once, waits_for_lock
from tests.support.fulfilment import (
    Fulfilment,
    calls_of,
    films_on,
    fulfilment_of,
    seasons_on,
)
from tests.support.local import database_of, eventually

_TITLES = load_catalogue().titles
FILMS = iter([each for each in _TITLES if each.media_type == "movie"])
SHOWS = iter([each for each in _TITLES if {1, 2} <= each.seasons.keys() and each.tvdb])


@pytest.fixture(scope="module")
def running(
    crowd_plex: str, tmp_path_factory: pytest.TempPathFactory, own_engines: OwnEngines
) -> Iterator[Fulfilment]:
    data = tmp_path_factory.mktemp("fulfilment")
    with (
        crowd_service("fulfilment", data, crowd_plex, own_engines) as (service, db),
        fulfilment_of(service, db, crowd_plex, (CROWD[0], CROWD[1], CROWD[2])) as built,
    ):
        # Each title gets a tag by two calls more.
        for kind in ("radarr", "sonarr"):
            built.set_option(kind, tagRequester=True)
        yield built


@pytest.fixture
def ready(running: Fulfilment) -> Fulfilment:
    """Return the service without a waiting job, its servers without titles."""
    running.settle()
    running.empty_servers()
    return running


def test_an_approved_film_reaches_radarr_and_its_file_is_found(ready: Fulfilment) -> None:
    film = next(FILMS)
    request = ready.film(film.id)
    assert films_on(ready.radarr) == {}
    ready.approve(request)
    ready.wait_for(request, "submitted")
    assert films_on(ready.radarr) == {film.id: 1}
    assert len(ready.radarr.commands()) == 1
    ready.radarr.import_files(tmdbId=film.id)
    ready.fire("Checks")
    assert ready.state(request) == "downloaded"


def test_approved_seasons_reach_sonarr_and_their_files_are_found(ready: Fulfilment) -> None:
    show = next(SHOWS)
    request = ready.show(show.id, 1, 2)
    ready.approve(request)
    ready.wait_for(request, "submitted")
    assert seasons_on(ready.sonarr) == [(show.id, 1), (show.id, 2)]
    ready.sonarr.import_files(tvdbId=show.tvdb, seasons=[1])
    ready.fire("Checks")
    assert ready.state(request) == "submitted"
    ready.sonarr.import_files(tvdbId=show.tvdb, seasons=[2])
    ready.fire("Checks")
    assert ready.state(request) == "downloaded"


def test_two_admins_approve_seasons_of_one_show_at_once(ready: Fulfilment) -> None:
    shows = [next(SHOWS) for _ in range(6)]
    for show in shows:
        requests = ready.show(show.id, 1), ready.show(show.id, 2)
        at_once(
            [partial(ready.approve, request, admin=admin) for admin, request in enumerate(requests)]
        )
        for request in requests:
            ready.wait_for(request, "submitted")
    series = [each["tmdbId"] for each in ready.sonarr.read("series")]
    assert sorted(series) == sorted(show.id for show in shows)
    wanted = sorted((show.id, season) for show in shows for season in (1, 2))
    assert seasons_on(ready.sonarr) == wanted
    live = ready.db.execute("SELECT FROM jobs WHERE state <> 'done' AND kind = 'handover'")
    assert live.rowcount == 0


def test_lost_answers_lose_and_double_nothing(ready: Fulfilment) -> None:
    films, shows = [next(FILMS) for _ in range(6)], [next(SHOWS) for _ in range(6)]
    requests = [ready.film(each.id) for each in films]
    requests += [ready.show(each.id, 1) for each in shows]
    for standin in (ready.radarr, ready.sonarr):
        standin.http.set_fault(kind="after", method="POST", every=2)
    for request in requests:
        ready.approve(request)
    ready.settle()
    assert {ready.state(request) for request in requests} == {"submitted"}
    assert films_on(ready.radarr) == {each.id: 1 for each in films}
    assert seasons_on(ready.sonarr) == sorted((each.id, 1) for each in shows)
    for standin in (ready.radarr, ready.sonarr):
        standin.http.send("DELETE", "/standin/fault")


def test_a_dead_server_gets_few_calls_and_all_titles_after_its_return(
    ready: Fulfilment,
) -> None:
    films = [next(FILMS) for _ in range(20)]
    requests = [ready.film(each.id) for each in films]
    ready.radarr.http.set_fault(kind="close")
    for request in requests:
        ready.approve(request)
    eventually(lambda: radarr_of(ready)["state"] == "unreachable")
    # The sweep finds nothing to do while the circuit is open.
    ready.fire("Sweep")
    assert 3 <= len(calls_of(ready.radarr)) <= 6
    assert {ready.state(request) for request in requests} == {"queued"}
    ready.radarr.http.send("DELETE", "/standin/fault")
    path = f"/api/admin/servers/{radarr_of(ready)['id']}/test"
    assert ready.call("POST", path).data["ok"] is True
    for request in requests:
        ready.wait_for(request, "submitted")
    assert films_on(ready.radarr) == {each.id: 1 for each in films}
    assert radarr_of(ready)["state"] == "ok"


def radarr_of(service: Fulfilment) -> dict[str, object]:
    [server] = [each for each in service.servers() if each["kind"] == "radarr"]
    return server


# The calls of each hand-over in their order, then what waits for a lock after the last of them.
_PLACES = {
    "a new film": ("GET movie", "GET tag", "POST tag", "POST movie", "items", "jobs"),
    "an unmonitored film": ("GET movie", "GET tag", "PUT movie", "POST command", "items"),
    "a new show": (
        *("GET series", "GET series/lookup", "GET tag", "POST tag", "POST series"),
        *("items", "jobs"),
    ),
    "another season": ("GET series", "GET tag", "PUT series", "POST command", "items", "jobs"),
}


@pytest.mark.parametrize(
    ("subject", "step"),
    [(subject, step) for subject, steps in _PLACES.items() for step in steps],
)
def test_a_worker_killed_between_two_steps_loses_and_doubles_nothing(
    ready: Fulfilment, subject: str, step: str
) -> None:
    request, standin = SUBJECTS[subject](ready)
    calls = [each for each in _PLACES[subject] if " " in each]
    method, path = (step if step in calls else calls[-1]).split()
    # Either the call never gets through, or its answer leaves the time to take the lock.
    kind = "hang" if step in calls else "slow"
    standin.http.set_fault(kind=kind, method=method, path=f"/api/v3/{path}", count=1)
    ready.approve(request)
    eventually(lambda: any(each.startswith(f"{method} {path}") for each in calls_of(standin)))
    if step in calls:
        ready.kill_workers()
    else:
        kill_before_commit(ready, LOCKS[step])
    assert ready.state(request) == "queued"
    assert ready.expire_leases() == 1
    ready.settle()
    assert ready.state(request) == "submitted"
    assert len(standin.read("movie" if standin is ready.radarr else "series")) == 1
    searches = [season for name, season in standin.commands() if name != "MissingEpisodeSearch"]
    if subject == "a new show":
        # The add searches, for no season by name; a run after a kill cannot tell, and searches.
        assert len(standin.commands()) - len(searches) == 1
        assert searches == ([] if step in calls else [1])
    elif subject == "another season":
        assert searches == [2]
    else:
        assert len(searches) == 1


def kill_before_commit(ready: Fulfilment, locked: str) -> None:
    """Kill the worker once it waits for a lock that the transaction of its result needs."""
    with database_of(ready.http.data, ready.http.environment) as holder, holder.transaction():
        holder.execute(locked.encode())
        eventually(lambda: waits_for_lock(ready.db))
        ready.kill_workers()


LOCKS = {
    "items": "SELECT FROM request_items WHERE fulfilment = 'queued' FOR UPDATE",
    "jobs": "SELECT FROM jobs WHERE state = 'leased' FOR UPDATE",
}


def new_film(ready: Fulfilment) -> tuple[str, ArrStandin]:
    return ready.film(next(FILMS).id), ready.radarr


def unmonitored_film(ready: Fulfilment) -> tuple[str, ArrStandin]:
    film = next(FILMS)
    body = {
        "tmdbId": film.id,
        "qualityProfileId": 1,
        "rootFolderPath": radarr.ROOT_FOLDER,
        "monitored": False,
    }
    assert ready.radarr.api("POST", "movie", body)[0] == 201
    ready.radarr.sent()
    return ready.film(film.id), ready.radarr


def new_show(ready: Fulfilment) -> tuple[str, ArrStandin]:
    return ready.show(next(SHOWS).id, 1), ready.sonarr


def another_season(ready: Fulfilment) -> tuple[str, ArrStandin]:
    show = next(SHOWS)
    first = ready.show(show.id, 1)
    ready.approve(first)
    ready.wait_for(first, "submitted")
    ready.sonarr.sent()
    return ready.show(show.id, 2), ready.sonarr


SUBJECTS = {
    "a new film": new_film,
    "an unmonitored film": unmonitored_film,
    "a new show": new_show,
    "another season": another_season,
}
