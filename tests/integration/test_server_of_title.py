"""The server of a title when an admin corrects, disables, deletes or replaces it."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from local.standins import Standins
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from medianest.arr import radarr as radarr_client
from medianest.arr import sonarr as sonarr_client
from medianest.catalog import service as catalog_service
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.servers import routing
from tests.support import plex
from tests.support.api import call
from tests.support.approvals import (
    BREAKING_BAD,
    MATRIX,
    act,
    approved,
    check,
    for_admin,
    fulfilment,
    import_file,
    request,
    withdraw,
    work,
)
from tests.support.arr import ArrStandin
from tests.support.standin import client_of

type Db = psycopg.Connection[tuple[Any, ...]]
type People = dict[str, str]

FIGHT_CLUB = {"mediaType": "movie", "tmdbId": 550}
UNKNOWN_PROFILE = 77
WRONG_KEY = "0123456789abcdef0123456789abcdef"


def server(people: People, name: str = "Radarr") -> dict[str, Any]:
    """Return a server as admins see it."""
    listed = call("GET", "/api/admin/servers", token=people["alice"]).data
    [found] = [each for each in listed if each["name"] == name]
    assert isinstance(found, dict)
    return found


def change(people: People, name: str, **body: Any) -> None:
    """Change a server as an admin."""
    path = f"/api/admin/servers/{server(people, name)['id']}"
    answer = call("PATCH", path, token=people["alice"], body=body)
    assert answer.status == 200, answer.text


def add(people: People, like: str, name: str, **body: Any) -> str:
    """Add a server at the address of another one; return its id."""
    other = server(people, like)
    module = radarr if other["kind"] == "radarr" else sonarr
    new = {each: other[each] for each in ("kind", "baseUrl", "options")}
    new |= {"name": name, "apiKey": module.API_KEY, **body}
    answer = call("POST", "/api/admin/servers", token=people["alice"], body=new)
    assert answer.status == 201, answer.text
    return str(answer.data["id"])


def work_on(db: Db) -> None:
    """Let pauses pass and run what is due, twice: the first run may only find the server."""
    for _ in range(2):
        db.execute("UPDATE jobs SET run_at = now() WHERE state = 'queued'")
        work()


def monitored(url: str) -> set[int]:
    """Return the seasons that a stand-in for Sonarr monitors."""
    with client_of(url) as client:
        shows = ArrStandin(client, sonarr.API_KEY).read("series")
    return {each["seasonNumber"] for show in shows for each in show["seasons"] if each["monitored"]}


def during_the_call(
    monkeypatch: pytest.MonkeyPatch, client: Any, meanwhile: Callable[[], object]
) -> None:
    """Do something once, after a server was called for a title and before the run records that."""
    original = client.hand_over

    def hand_over(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(client, "hand_over", original)
        try:
            return original(*args, **options)
        finally:
            meanwhile()

    monkeypatch.setattr(client, "hand_over", hand_over)


def test_waiting_titles_take_the_corrected_options_of_their_server(
    db: Db, people: People, servers: Standins
) -> None:
    options = server(people)["options"]
    change(people, "Radarr", options=options | {"qualityProfileId": UNKNOWN_PROFILE})
    first = approved(people, MATRIX)
    work()
    assert server(people)["state"] == "misconfigured"
    assert for_admin(people, first)["error"]["code"] == "OPTION_REJECTED"
    second = approved(people, FIGHT_CLUB)
    work()
    # Its own job has not run: the server tells why it waits.
    assert for_admin(people, second)["error"]["code"] == "OPTION_REJECTED"
    change(people, "Radarr", options=options)
    work_on(db)
    assert {fulfilment(people, each)["state"] for each in (first, second)} == {"submitted"}
    assert server(people)["state"] == "ok"


def test_an_option_of_a_rule_that_the_server_rejects_fails_its_titles_alone(
    db: Db, people: People, servers: Standins
) -> None:
    options = {"qualityProfileId": UNKNOWN_PROFILE}
    rule = {
        "mediaType": "movie",
        "conditions": {"anime": False},
        "serverId": server(people)["id"],
        "options": options,
    }
    answer = call("PUT", "/api/admin/routing-rules", token=people["alice"], body={"rules": [rule]})
    assert answer.status == 200, answer.text
    by_rule = approved(people, MATRIX)
    work()
    assert fulfilment(people, by_rule)["state"] == "failed"
    assert for_admin(people, by_rule)["error"]["code"] == "OPTION_REJECTED"
    assert server(people)["state"] == "ok"
    assert (
        call("PUT", "/api/admin/routing-rules", token=people["alice"], body={"rules": []}).data
        == []
    )
    others = approved(people, FIGHT_CLUB)
    assert act(people, by_rule, "retry", {"reroute": True}).status == 200
    work_on(db)
    assert {fulfilment(people, each)["state"] for each in (by_rule, others)} == {"submitted"}


def test_a_title_of_a_parked_server_goes_to_the_one_chosen_anew(
    db: Db, people: People, servers: Standins
) -> None:
    change(people, "Radarr", apiKey=WRONG_KEY)
    request_id = approved(people, MATRIX)
    work()
    assert server(people)["state"] == "misconfigured"
    add(people, "Radarr", "Second", isDefault=True)
    work_on(db)
    assert for_admin(people, request_id)["server"]["name"] == "Radarr"
    assert act(people, request_id, "retry", {"reroute": True}).status == 200
    work()
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")


def test_the_job_of_a_title_outlives_its_server(db: Db, people: People, servers: Standins) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    old = server(people)["id"]
    plex.control(servers.radarr_url, "DELETE", "fault")
    add(people, "Radarr", "Second", isDefault=True)
    path = f"/api/admin/servers/{old}"
    assert call("DELETE", path, token=people["alice"]).status == 204
    work()
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")


def give_up(db: Db) -> None:
    """Let the deadline of the hand-overs pass, and run them."""
    db.execute("UPDATE jobs SET deadline_at = now(), run_at = now() WHERE kind = 'handover'")
    work()


@pytest.mark.parametrize("later", [None, 2], ids=["waits", "later season"])
def test_titles_that_wait_leave_a_disabled_server(
    db: Db, people: People, servers: Standins, later: int | None
) -> None:
    plex.control(servers.sonarr_url, "PUT", "fault", {"kind": "close"})
    requests = [approved(people, BREAKING_BAD | {"seasons": [1]})]
    work()
    plex.control(servers.sonarr_url, "DELETE", "fault")
    add(people, "Sonarr", "Second", isDefault=True)
    change(people, "Sonarr", enabled=False)
    if later is not None:
        requests.append(approved(people, BREAKING_BAD | {"seasons": [later]}))
    work()
    shown = [for_admin(people, each) for each in requests]
    assert {(each["state"], each["server"]["name"]) for each in shown} == {("submitted", "Second")}


def test_a_retried_job_leaves_a_disabled_server(db: Db, people: People, servers: Standins) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    give_up(db)
    assert fulfilment(people, request_id)["state"] == "failed"
    plex.control(servers.radarr_url, "DELETE", "fault")
    add(people, "Radarr", "Second", isDefault=True)
    change(people, "Radarr", enabled=False)
    body = {"kind": "handover"}
    answer = call("POST", "/api/admin/jobs/retry", token=people["alice"], body=body)
    assert answer.data["retried"] == 1
    work()
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")


def test_the_retry_of_an_old_job_leaves_the_server_of_the_new_one(
    db: Db, people: People, servers: Standins
) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    give_up(db)
    old = for_admin(people, request_id)["jobId"]
    change(people, "Radarr", apiKey=WRONG_KEY)
    add(people, "Radarr", "Second", isDefault=True)
    assert act(people, request_id, "retry", {"reroute": True}).status == 200
    work()
    plex.control(servers.radarr_url, "DELETE", "fault")
    db.execute("UPDATE download_servers SET state = 'misconfigured' WHERE name = 'Radarr'")
    assert call("POST", f"/api/admin/jobs/{old}/retry", token=people["alice"]).status == 200
    work_on(db)
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")


def test_a_title_that_a_disabled_server_has_received_is_taken_over_by_a_retry(
    db: Db, people: People, servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    add(people, "Radarr", "Second", isDefault=True)
    path = f"/api/admin/servers/{server(people)['id']}"
    assert act(people, request_id, "retry", {"reroute": True}).code == "INVALID_STATE"
    change(people, "Radarr", enabled=False)
    assert for_admin(people, request_id)["error"]["code"] == "SERVER_DISABLED"
    assert call("DELETE", path, token=people["alice"]).code == "SERVER_IN_USE"
    assert act(people, request_id, "retry", {}).code == "INVALID_STATE"
    assert act(people, request_id, "retry", {"reroute": True}).status == 200
    work()
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")
    assert call("DELETE", path, token=people["alice"]).status == 204


def test_a_check_asks_no_server_for_what_another_has_received(
    db: Db, people: People, servers: Standins
) -> None:
    first = approved(people, BREAKING_BAD | {"seasons": [1]})
    work()
    db.execute("UPDATE request_items SET fulfilment_at = now() - interval '2 days'")
    plex.control(servers.sonarr_url, "DELETE", "titles")
    add(people, "Sonarr", "New", isDefault=True)
    work()
    change(people, "Sonarr", enabled=False)
    second = approved(people, BREAKING_BAD | {"seasons": [2]})
    plex.control(servers.sonarr_url, "PUT", "fault", {"kind": "status", "status": 503})
    work()
    assert for_admin(people, second)["server"]["name"] == "New"
    plex.control(servers.sonarr_url, "DELETE", "fault")
    check(db)
    assert fulfilment(people, first)["state"] == "submitted"
    work_on(db)
    assert monitored(servers.sonarr_url) == {1, 2}


def test_servers_do_not_change_while_one_is_chosen(
    db: Db, people: People, servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = approved(people, MATRIX)
    route, changes = routing.route, list[tuple[Any, ...]]()

    def looked_at(*args: Any) -> Any:
        # An admin's deletion would wait for this lock.
        changes.extend(db.execute("SELECT pg_try_advisory_xact_lock(7140028001)"))
        return route(*args)

    monkeypatch.setattr(routing, "route", looked_at)
    work()
    assert changes == [(False,)]
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_new_seasons_leave_a_disabled_server_and_downloaded_ones_stay(
    db: Db, people: People, servers: Standins
) -> None:
    first = approved(people, BREAKING_BAD | {"seasons": [1]})
    work()
    import_file(servers.sonarr_url, tvdbId=81189, season=1)
    check(db)
    assert fulfilment(people, first)["state"] == "downloaded"
    plex.control(servers.sonarr_url, "DELETE", "titles")
    add(people, "Sonarr", "New", isDefault=True)
    change(people, "Sonarr", enabled=False)
    second = approved(people, BREAKING_BAD | {"seasons": [2]})
    work()
    shown = for_admin(people, second)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "New")
    assert fulfilment(people, first)["state"] == "downloaded"
    assert monitored(servers.sonarr_url) == {2}
    path = f"/api/admin/servers/{server(people, 'Sonarr')['id']}"
    assert call("DELETE", path, token=people["alice"]).status == 204


def test_a_title_waits_for_its_disabled_server_when_no_other_takes_it(
    db: Db, people: People, servers: Standins
) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    plex.control(servers.radarr_url, "DELETE", "fault")
    change(people, "Radarr", enabled=False)
    assert act(people, request_id, "retry", {}).status == 200
    work_on(db)
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["error"]["code"]) == ("queued", "SERVER_DISABLED")
    assert "error" not in fulfilment(people, request_id)
    change(people, "Radarr", enabled=True)
    work()
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_another_server_cannot_be_chosen_for_a_title_that_one_has(
    people: People, servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    withdraw(people, request_id, "Not yet")
    has_it = server(people)["id"]
    other = add(people, "Radarr", "Second")
    again = request(people, MATRIX)
    answer = act(people, again, "approve", {"serverId": other})
    assert (answer.status, answer.code) == (409, ErrorCode.TITLE_ON_OTHER_SERVER)
    assert json.loads(answer.text)["error"]["details"] == {"serverId": has_it}
    assert act(people, again, "approve", {"serverId": has_it}).status == 200


def test_a_title_that_gets_another_server_during_a_run_is_handed_to_that_one(
    db: Db, people: People, servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = approved(people, MATRIX)
    add(people, "Radarr", "Second")

    def reroute() -> None:
        change(people, "Second", isDefault=True)
        assert act(people, request_id, "retry", {"reroute": True}).status == 200

    during_the_call(monkeypatch, radarr_client, reroute)
    work_on(db)
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["name"]) == ("submitted", "Second")
    import_file(servers.radarr_url, tmdbId=603)
    check(db)
    assert fulfilment(people, request_id)["state"] == "downloaded"


def test_a_choice_during_a_run_hands_all_seasons_to_the_server_that_was_chosen(
    db: Db, people: People, servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = add(people, "Sonarr", "Second")
    first = approved(people, BREAKING_BAD | {"seasons": [1]})
    second = request(people, BREAKING_BAD | {"seasons": [2]})

    def choose() -> None:
        assert act(people, second, "approve", {"serverId": other}).status == 200
        plex.control(servers.sonarr_url, "PUT", "fault", {"kind": "close"})

    during_the_call(monkeypatch, sonarr_client, choose)
    work()
    # The first server has taken it, and its next one has not.
    assert fulfilment(people, first)["state"] == "queued"
    plex.control(servers.sonarr_url, "DELETE", "fault")
    work_on(db)
    states = {each: for_admin(people, each) for each in (first, second)}
    assert {each["state"] for each in states.values()} == {"submitted"}
    assert {each["server"]["name"] for each in states.values()} == {"Second"}


def test_a_requester_sees_no_word_of_the_server(db: Db, people: People, servers: Standins) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    give_up(db)
    shown = fulfilment(people, request_id)
    assert (shown["state"], shown["error"]["code"]) == ("failed", "NO_RESPONSE")
    assert "127.0.0.1" not in json.dumps(shown)
    assert "127.0.0.1" in for_admin(people, request_id)["error"]["message"]


@pytest.mark.parametrize(
    ("is_removed", "code"), [(False, "CATALOG_UNAVAILABLE"), (True, "TITLE_REMOVED")]
)
def test_a_failure_of_tmdb_tells_nothing_of_the_server(
    db: Db,
    people: People,
    servers: Standins,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_removed: bool,
    code: str,
) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    db.execute("DELETE FROM jobs WHERE kind = 'inventory'")
    [before] = db.execute("SELECT failures, state FROM download_servers WHERE kind = 'radarr'")

    def facts(*_: object) -> None:
        if not is_removed:
            raise AppError(ErrorCode.CATALOG_UNAVAILABLE)

    monkeypatch.setattr(catalog_service, "routing_facts", facts)
    work_on(db)
    assert for_admin(people, request_id)["error"]["code"] == code
    [after] = db.execute("SELECT failures, state FROM download_servers WHERE kind = 'radarr'")
    assert after == before


def test_a_proxy_that_answers_404_parks_no_server_that_has_answered(
    db: Db, people: People, servers: Standins
) -> None:
    work()  # reads the inventory
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "status", "status": 404})
    request_id = approved(people, MATRIX)
    work()
    assert server(people)["state"] == "ok"
    plex.control(servers.radarr_url, "DELETE", "fault")
    work_on(db)
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_a_parked_title_gets_a_new_deadline_with_the_correction(
    db: Db, people: People, servers: Standins
) -> None:
    change(people, "Radarr", apiKey=WRONG_KEY)
    request_id = approved(people, MATRIX)
    work()
    db.execute("UPDATE jobs SET deadline_at = now() - interval '1 day' WHERE kind = 'handover'")
    change(people, "Radarr", apiKey=radarr.API_KEY)
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    work()
    assert fulfilment(people, request_id)["state"] == "queued"
    plex.control(servers.radarr_url, "DELETE", "fault")
    work_on(db)
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_a_run_that_fails_does_not_park_a_server_that_was_tested_meanwhile(
    people: People, servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()
    approved(people, MATRIX)
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "status", "status": 401})
    path = f"/api/admin/servers/{server(people)['id']}/test"

    def test() -> None:
        plex.control(servers.radarr_url, "DELETE", "fault")
        assert call("POST", path, token=people["alice"]).data["ok"]

    during_the_call(monkeypatch, radarr_client, test)
    work()
    assert server(people)["state"] == "ok"


def test_a_run_with_the_old_key_does_not_park_a_corrected_server(
    db: Db, people: People, servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(people, "Radarr", apiKey=WRONG_KEY)
    request_id = approved(people, MATRIX)
    db.execute("UPDATE jobs SET run_at = now() + interval '1 hour' WHERE kind = 'inventory'")
    correct = partial(change, people, "Radarr", apiKey=radarr.API_KEY)
    during_the_call(monkeypatch, radarr_client, correct)
    work()
    assert server(people)["state"] in {"unknown", "ok"}
    work_on(db)
    assert fulfilment(people, request_id)["state"] == "submitted"
