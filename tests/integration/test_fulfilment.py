"""Fulfilment: an approval reaches Radarr or Sonarr, and what admins do about it afterwards."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from local import download_servers
from local.registration.app import register
from local.standins import Standins
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from medianest.arr import radarr as radarr_client
from medianest.jobs import runners
from tests.support import plex
from tests.support.api import call
from tests.support.approvals import (
    BREAKING_BAD,
    MATRIX,
    act,
    adopt,
    approved,
    check,
    for_admin,
    fulfilment,
    import_file,
    retry,
    withdraw,
    work,
)
from tests.support.arr import ArrStandin
from tests.support.standin import client_of

type Db = psycopg.Connection[tuple[Any, ...]]


def test_without_a_server_an_approved_request_is_manual(people: dict[str, str]) -> None:
    request_id = approved(people, MATRIX)
    assert fulfilment(people, request_id)["state"] == "manual"
    assert call("GET", "/api/admin/jobs", token=people["alice"]).data == []
    answer = retry(people, request_id)
    assert (answer.status, answer.code) == (409, "INVALID_STATE")


def test_pending_and_declined_requests_have_no_fulfilment(
    people: dict[str, str], servers: Standins
) -> None:
    answer = call("POST", "/api/media/request", token=people["bob"], body=MATRIX)
    assert "fulfilment" not in answer.data
    declined = act(people, answer.data["id"], "decline", {"reason": "no"})
    assert "fulfilment" not in declined.data


@pytest.mark.parametrize("body", [MATRIX, BREAKING_BAD], ids=["film", "show"])
def test_an_approval_reaches_its_server_and_the_file_is_seen(
    db: Db, people: dict[str, str], servers: Standins, body: dict[str, Any]
) -> None:
    request_id = approved(people, body)
    assert fulfilment(people, request_id)["state"] == "queued"
    work()
    assert fulfilment(people, request_id)["state"] == "submitted"
    shown = for_admin(people, request_id)
    assert shown["server"]["name"] == ("Radarr" if body is MATRIX else "Sonarr")
    if body is MATRIX:
        import_file(servers.radarr_url, tmdbId=603)
    else:
        for season in (1, 2):
            import_file(servers.sonarr_url, tvdbId=81189, season=season)
    check(db)
    assert fulfilment(people, request_id)["state"] == "downloaded"


def test_a_server_that_is_down_keeps_the_request_queued_until_it_returns(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()
    assert fulfilment(people, request_id)["state"] == "queued"
    assert "error" not in fulfilment(people, request_id)
    error = for_admin(people, request_id)["error"]
    assert error["code"]
    assert error["retryAt"]
    plex.control(servers.radarr_url, "DELETE", "fault")
    assert retry(people, request_id).status == 200
    work()
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_an_admin_chooses_the_server(people: dict[str, str], servers: Standins) -> None:
    listed = call("GET", "/api/admin/servers", token=people["alice"]).data
    ids = {each["kind"]: each["id"] for each in listed}
    request_id = call("POST", "/api/media/request", token=people["bob"], body=MATRIX).data["id"]
    wrong = act(people, request_id, "approve", {"serverId": ids["sonarr"]})
    assert (wrong.status, wrong.code) == (400, "VALIDATION_ERROR")
    unknown = act(people, request_id, "approve", {"serverId": str(uuid4())})
    assert (unknown.status, unknown.code) == (400, "VALIDATION_ERROR")
    alone = act(people, request_id, "approve", {"options": {"search": False}})
    assert (alone.status, alone.code) == (400, "VALIDATION_ERROR")
    body = {"serverId": ids["radarr"], "options": {"tags": ["chosen"]}}
    assert act(people, request_id, "approve", body).status == 200
    work()
    shown = for_admin(people, request_id)
    assert (shown["state"], shown["server"]["id"]) == ("submitted", ids["radarr"])


def test_a_withdrawn_approval_frees_the_title_and_leaves_the_server_alone(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    answer = withdraw(people, request_id, "The wrong film")
    assert (answer.data["status"], answer.data["reason"]) == ("declined", "The wrong film")
    assert "fulfilment" not in answer.data
    again = withdraw(people, request_id, "Twice")
    assert (again.status, again.code) == (409, "INVALID_STATE")
    assert call("POST", "/api/media/request", token=people["carol"], body=MATRIX).status == 201
    row = db.execute(
        "SELECT details->>'reason' FROM audit_logs WHERE action = 'request.withdrawn'"
    ).fetchone()
    assert row == ("The wrong film",)


def test_a_withdrawal_before_the_hand_over_sends_nothing(
    people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    assert withdraw(people, request_id, "No").status == 200
    plex.control(servers.radarr_url, "DELETE", "requests")
    work()
    sent = plex.control(servers.radarr_url, "GET", "requests")
    assert [each for each in sent if each["method"] != "GET"] == []


def test_only_a_pending_request_is_cancelled_by_its_owner(
    people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    path = f"/api/media/requests/{request_id}"
    assert call("DELETE", path, token=people["bob"]).code == "INVALID_STATE"


def test_a_title_that_the_server_lost_is_handed_over_once_more_and_then_fails(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    plex.control(servers.radarr_url, "DELETE", "titles")
    check(db)
    assert fulfilment(people, request_id)["state"] == "submitted"  # handed over again
    plex.control(servers.radarr_url, "DELETE", "titles")
    check(db)
    found = fulfilment(people, request_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "REMOVED_ON_SERVER")
    assert retry(people, request_id).data["fulfilment"]["state"] == "queued"
    work()
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_a_title_that_the_server_lost_later_is_handed_over_once_more_as_well(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    db.execute("UPDATE handovers SET requeued_at = now() - interval '25 hours'")
    plex.control(servers.radarr_url, "DELETE", "titles")
    check(db)
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_a_film_that_the_server_no_longer_fetches_fails_after_a_day(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    work()
    db.execute("UPDATE request_items SET fulfilment_at = now() - interval '25 hours'")
    with client_of(servers.radarr_url) as client:
        standin = ArrStandin(client, radarr.API_KEY)
        [film] = standin.read("movie")
        assert standin.api("PUT", f"movie/{film['id']}", film | {"monitored": False})[0] == 202
    check(db)
    found = fulfilment(people, request_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "REMOVED_ON_SERVER")


def test_a_season_that_the_server_no_longer_fetches_fails_alone(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, BREAKING_BAD)
    work()
    db.execute("UPDATE request_items SET fulfilment_at = now() - interval '25 hours'")
    with client_of(servers.sonarr_url) as client:
        standin = ArrStandin(client, sonarr.API_KEY)
        [show] = standin.read("series")
        for season in show["seasons"]:
            season["monitored"] = season["seasonNumber"] == 1
        assert standin.api("PUT", f"series/{show['id']}", show)[0] == 202
    check(db)
    states = {each["season"]: each["state"] for each in fulfilment(people, request_id)["seasons"]}
    assert states == {1: "submitted", 2: "failed"}


def test_a_check_that_a_hand_over_overtook_tells_nothing(
    db: Db, people: dict[str, str], servers: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = approved(people, MATRIX)
    work()
    plex.control(servers.radarr_url, "DELETE", "titles")
    original = radarr_client.check

    def overtaken(*args: Any) -> Any:
        found = original(*args)
        db.execute("UPDATE handovers SET checked_at = now()")
        return found

    monkeypatch.setattr(radarr_client, "check", overtaken)
    check(db)
    assert db.execute("SELECT FROM handovers WHERE requeued_at IS NULL").rowcount == 1
    monkeypatch.undo()
    check(db)
    assert db.execute("SELECT FROM handovers WHERE requeued_at IS NULL").rowcount == 0
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_adoption_hands_over_what_was_approved_before(
    db: Db, people: dict[str, str], upstreams: Standins
) -> None:
    for url in (upstreams.radarr_url, upstreams.sonarr_url):
        plex.control(url, "DELETE", "titles")
    film, show = approved(people, MATRIX), approved(people, BREAKING_BAD)
    none = adopt(people["alice"])
    assert none.data == {"queued": 0, "skipped": 2, "more": False}
    register(download_servers.bodies_of_standins(upstreams.radarr_url, upstreams.sonarr_url))
    both = adopt(people["alice"])
    assert both.data == {"queued": 2, "skipped": 0, "more": False}
    work()
    assert {fulfilment(people, each)["state"] for each in (film, show)} == {"submitted"}
    assert adopt(people["alice"]).data["queued"] == 0
    assert adopt(people["bob"]).status == 403


def test_a_cancelled_job_fails_the_request_and_its_retry_queues_it_again(
    people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, MATRIX)
    job_id = UUID(for_admin(people, request_id)["jobId"])
    cancelled = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert cancelled.status == 200
    assert fulfilment(people, request_id)["error"]["code"] == "JOB_CANCELLED"
    assert call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"]).status == 200
    work()
    assert fulfilment(people, request_id)["state"] == "submitted"


def test_a_season_that_is_approved_while_the_job_is_cancelled_fails_with_it(
    db: Db, people: dict[str, str], servers: Standins
) -> None:
    request_id = approved(people, BREAKING_BAD)
    job_id = for_admin(people, request_id)["jobId"]
    approve = "UPDATE request_items SET fulfilment = 'queued' WHERE season = 2"
    db.execute("UPDATE request_items SET fulfilment = 'none' WHERE season = 2")
    # The function registers its hooks with its first call.
    call("GET", f"/api/admin/jobs/{job_id}", token=people["alice"])
    hooks = runners.hooks("handover")

    def on_cancel(connection: Any, job: Any) -> None:
        hooks.on_cancel(connection, job)
        runners.register_hooks("handover", hooks)
        db.execute(approve)

    runners.register_hooks("handover", hooks._replace(on_cancel=on_cancel))
    cancelled = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert cancelled.status == 200
    states = {each["state"] for each in fulfilment(people, request_id)["seasons"]}
    assert states == {"failed"}


def test_seasons_of_two_requests_share_one_job(people: dict[str, str], servers: Standins) -> None:
    first = approved(people, {**BREAKING_BAD, "seasons": [1]})
    second = approved(people, {**BREAKING_BAD, "seasons": [2]})
    jobs = call("GET", "/api/admin/jobs", token=people["alice"], query={"kind": "handover"})
    assert len(jobs.data) == 1
    work()
    assert {fulfilment(people, each)["state"] for each in (first, second)} == {"submitted"}
