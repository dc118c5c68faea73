"""Fulfilment: an approval reaches Radarr or Sonarr, and what admins do about it afterwards."""

import importlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from local import download_servers
from local.registration import register
from local.standins import Standins
from medianest.core.db import database
from medianest.jobs import runners, worker
from medianest.jobs import service as jobs_service
from tests.support import plex
from tests.support.api import Answer, call

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]}


@pytest.fixture
def servers(people: dict[str, str], upstreams: Standins) -> Iterator[Standins]:
    """Register the stand-ins, empty and without faults."""
    for url in (upstreams.radarr_url, upstreams.sonarr_url):
        plex.control(url, "DELETE", "titles")
    register(download_servers.bodies_of_standins(upstreams.radarr_url, upstreams.sonarr_url))
    yield upstreams
    for url in (upstreams.radarr_url, upstreams.sonarr_url):
        plex.control(url, "DELETE", "fault")


def work() -> worker.RunResult:
    """Run what is due, as the worker does."""
    importlib.import_module("functions.worker.app")

    runners.prepare()
    return worker.run(lambda: 120.0)


def approved(people: dict[str, str], body: dict[str, Any]) -> str:
    request_id: str = call("POST", "/api/media/request", token=people["bob"], body=body).data["id"]
    answer = call("POST", f"/api/admin/requests/{request_id}/approve", token=people["alice"])
    assert answer.status == 200
    return request_id


def fulfilment(people: dict[str, str], request_id: str, name: str = "bob") -> dict[str, Any]:
    found: dict[str, Any] = call(
        "GET", f"/api/media/requests/{request_id}", token=people[name]
    ).data["fulfilment"]
    return found


def for_admin(people: dict[str, str], request_id: str) -> dict[str, Any]:
    rows = call("GET", "/api/admin/requests", token=people["alice"]).data
    [found] = [row["fulfilment"] for row in rows if row["id"] == request_id]
    assert isinstance(found, dict)
    return found


def act(people: dict[str, str], request_id: str, action: str, body: Any = None) -> Answer:
    path = f"/api/admin/requests/{request_id}/{action}"
    return call("POST", path, token=people["alice"], body=body)


def retry(people: dict[str, str], request_id: str) -> Answer:
    return call("POST", f"/api/admin/requests/{request_id}/retry", token=people["alice"])


def withdraw(people: dict[str, str], request_id: str, reason: str) -> Answer:
    return call(
        "POST",
        f"/api/admin/requests/{request_id}/withdraw",
        token=people["alice"],
        body={"reason": reason},
    )


def adopt(token: str) -> Answer:
    return call("POST", "/api/admin/fulfilment/adopt", token=token, body={})


def import_file(url: str, **body: Any) -> None:
    plex.control(url, "POST", "import", body)


def check(db: Db) -> None:
    with database().transaction() as connection:
        jobs_service.enqueue_checks(connection)
    work()


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


def test_seasons_of_two_requests_share_one_job(people: dict[str, str], servers: Standins) -> None:
    first = approved(people, {**BREAKING_BAD, "seasons": [1]})
    second = approved(people, {**BREAKING_BAD, "seasons": [2]})
    jobs = call("GET", "/api/admin/jobs", token=people["alice"], query={"kind": "handover"})
    assert len(jobs.data) == 1
    work()
    assert {fulfilment(people, each)["state"] for each in (first, second)} == {"submitted"}
