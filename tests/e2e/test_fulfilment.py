"""Approvals reach Radarr and Sonarr through real processes, whatever breaks on the way."""

from collections.abc import Iterator
from functools import partial

import pytest

from local.standins.tmdb.catalogue import load_catalogue
from tests.e2e.conftest import CROWD, OwnEngines
from tests.support.concurrency import at_once
from tests.support.fulfilment import (
    Fulfilment,
    calls_of,
    films_on,
    fulfilment_of,
    seasons_on,
)
from tests.support.local import database_of, eventually, local_service

_TITLES = load_catalogue().titles
FILMS = iter([each for each in _TITLES if each.media_type == "movie"])
SHOWS = iter([each for each in _TITLES if {1, 2} <= each.seasons.keys() and each.tvdb])


@pytest.fixture(scope="module")
def running(
    crowd_plex: str, tmp_path_factory: pytest.TempPathFactory, own_engines: OwnEngines
) -> Iterator[Fulfilment]:
    data = tmp_path_factory.mktemp("fulfilment")
    environment = {
        "PLEX_CLIENT_ID": "fulfilment",
        "PLEX_API_URL": crowd_plex,
        "PLEX_AUTH_URL": f"{crowd_plex}/auth",
    }
    with (
        own_engines("fulfilment") as variables,
        local_service(data, environment={**variables, **environment}) as service,
        database_of(data, variables) as db,
        fulfilment_of(service, db, crowd_plex, (CROWD[0], CROWD[1], CROWD[2])) as built,
    ):
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
