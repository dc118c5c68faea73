"""Jobs as admins see, retry and cancel them."""

import importlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from medianest.jobs import admin, runners
from medianest.jobs.models import Hooks, JobRow
from tests.support.api import call, id_of
from tests.support.jobs import (
    add_job,
    add_server,
    fail,
    field,
    finish,
    leased,
    set_columns,
    wait_of,
)
from tests.support.rows import audited

type Db = psycopg.Connection[tuple[Any, ...]]

JOBS = "/api/admin/jobs"
UNKNOWN = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def dead_job(tmdb_id: int, **options: Any) -> str:
    job_id = add_job(tmdb_id, **options)
    fail(leased(), "never", "REJECTED", "The server rejected the title.")
    return str(job_id)


def test_the_list_has_the_newest_first_and_filters(db: Db, people: dict[str, str]) -> None:
    server = add_server(db)
    first, second = dead_job(1), dead_job(2, server_id=server)
    third = str(add_job(3, server))

    def ids(**query: Any) -> list[str]:
        answer = call("GET", JOBS, token=people["alice"], query=query)
        return [each["id"] for each in answer.data]

    assert ids() == [third, second, first]
    assert ids(state="dead") == [second, first]
    assert ids(serverId=str(server)) == [third, second]
    assert ids(state="queued", kind="handover", serverId=str(server)) == [third]
    assert ids(kind="check") == []
    assert ids(limit=1, page=3) == [first]


def test_a_job_has_the_title_that_it_is_about(db: Db, people: dict[str, str]) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    call("POST", "/api/media/request", token=people["bob"], body=body)
    known, unknown = add_job(603), add_job(604)
    listed = call("GET", JOBS, token=people["alice"]).data
    titles = {each["id"]: each.get("title") for each in listed}
    assert titles == {str(known): "The Matrix", str(unknown): None}


def test_a_job_is_returned_with_its_last_failure(db: Db, people: dict[str, str]) -> None:
    job_id = dead_job(603)
    job = call("GET", f"/api/admin/jobs/{job_id}", token=people["alice"]).data
    assert (job["state"], job["attempts"]) == ("dead", 1)
    assert job["payload"] == {"mediaType": "movie", "tmdbId": 603}
    assert job["error"] == {
        "class": "never",
        "code": "REJECTED",
        "message": "The server rejected the title.",
    }


@pytest.mark.parametrize("action", ["", "/retry", "/cancel"])
def test_an_unknown_job_is_not_found(people: dict[str, str], action: str) -> None:
    method = "POST" if action else "GET"
    assert (
        call(method, f"/api/admin/jobs/{UNKNOWN}{action}", token=people["alice"]).code
        == "NOT_FOUND"
    )


def test_a_dead_job_is_retried_anew_and_audited(db: Db, people: dict[str, str]) -> None:
    job_id = dead_job(603)
    job = call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"]).data
    assert (job["id"], job["state"], job["attempts"]) == (job_id, "queued", 0)
    assert "finishedAt" not in job
    details = {"kind": "handover", "state": "dead", "mediaType": "movie", "tmdbId": 603}
    assert audited(db, "job.retried") == [(id_of(people["alice"]), "job", job_id, details)]
    assert str(leased().id) == job_id


def test_a_retry_of_a_waiting_job_makes_it_due(db: Db, people: dict[str, str]) -> None:
    job_id = add_job(603)
    fail(leased(), "unsure", "TIMED_OUT", "No answer")
    assert (
        call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"]).data["attempts"] == 0
    )
    assert wait_of(db, job_id) <= 0


def test_a_retry_of_a_running_job_has_it_run_once_more(people: dict[str, str]) -> None:
    job_id = add_job(603)
    job = leased()
    answer = call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"]).data
    assert (answer["state"], answer["again"]) == ("leased", True)
    finish(job)
    assert leased().id == job_id


def test_a_retry_of_a_job_that_was_replaced_retries_the_live_one(
    db: Db, people: dict[str, str]
) -> None:
    old = dead_job(603)
    live = add_job(603)
    fail(leased(), "unsure", "TIMED_OUT", "No answer")
    assert call("POST", f"/api/admin/jobs/{old}/retry", token=people["alice"]).data["id"] == str(
        live
    )
    assert wait_of(db, live) <= 0
    assert call("GET", f"/api/admin/jobs/{old}", token=people["alice"]).data["state"] == "cancelled"


def test_a_done_job_is_not_retried(db: Db, people: dict[str, str]) -> None:
    job_id = add_job(603)
    finish(leased())
    answer = call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"])
    assert (answer.code, answer.details) == ("INVALID_STATE", {"status": "done"})
    assert audited(db, "job.retried") == []


def test_a_queued_job_is_cancelled_and_audited(db: Db, people: dict[str, str]) -> None:
    job_id = add_job(603)
    job = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"]).data
    assert job["state"] == "cancelled"
    assert len(audited(db, "job.cancelled")) == 1
    answer = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert (answer.code, answer.details) == ("INVALID_STATE", {"status": "cancelled"})


def test_a_running_job_is_not_cancelled(db: Db, people: dict[str, str]) -> None:
    job_id = add_job(603)
    leased()
    answer = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert (answer.code, answer.details) == ("INVALID_STATE", {"status": "leased"})
    assert field(db, job_id, "state") == "leased"


def test_dead_jobs_are_retried_in_bulk_by_filter(db: Db, people: dict[str, str]) -> None:
    server = add_server(db)
    other, mine = dead_job(1), dead_job(2, server_id=server)
    path = "/api/admin/jobs/retry"
    body = {"serverId": str(server), "kind": "handover"}
    assert call("POST", path, token=people["alice"], body={"kind": "check"}).data["retried"] == 0
    answer = call("POST", path, token=people["alice"], body=body).data
    assert answer == {"retried": 1, "more": False}
    assert str(leased().id) == mine
    assert call("POST", path, token=people["alice"], body={}).data["retried"] == 1
    assert [row[2] for row in audited(db, "job.retried")] == [mine, other]


def test_a_bulk_retry_is_limited_and_tells_whether_dead_jobs_are_left(
    db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "MAX_RETRIED", 2)
    for number in (1, 2, 3):
        dead_job(number)
    found = [call("POST", "/api/admin/jobs/retry", token=people["alice"]).data for _ in range(3)]
    assert [(each["retried"], each["more"]) for each in found] == [
        (2, True),
        (1, False),
        (0, False),
    ]


@pytest.fixture
def hooked() -> Iterator[list[str]]:
    """Register hooks that note their calls."""
    calls: list[str] = []

    def note(name: str) -> Any:
        def hook(_: object, job: JobRow) -> None:
            calls.append(f"{name} {job.state}")

        return hook

    # The function registers its hooks when it is imported.
    importlib.import_module("functions.fulfilment.app")
    registered = runners.hooks("handover")
    runners.register_hooks("handover", Hooks(note("retry"), note("cancel")))
    yield calls
    runners.register_hooks("handover", registered)


def test_the_hooks_of_a_kind_write_with_the_retry_and_the_cancellation(
    people: dict[str, str], hooked: list[str]
) -> None:
    job_id = dead_job(603)
    call("POST", f"/api/admin/jobs/{job_id}/retry", token=people["alice"])
    call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert hooked == ["retry dead", "cancel queued"]


def test_a_job_that_dies_during_its_retry_is_retried_as_a_dead_one(
    db: Db, people: dict[str, str], hooked: list[str]
) -> None:
    add_job(603)
    job = leased()

    def die(_: object, row: Any) -> None:
        hooked.append(row.state)
        db.execute(
            "UPDATE jobs SET state = 'dead', finished_at = now(), lease_token = NULL,"
            " lease_until = NULL, leased_by = NULL WHERE id = %s",
            (job.id,),
        )

    runners.register_hooks("handover", Hooks(on_retry=die))
    answer = call("POST", f"/api/admin/jobs/{job.id}/retry", token=people["alice"])
    assert answer.data["state"] == "queued"
    assert hooked == ["leased", "dead"]


@pytest.mark.parametrize(("wanted", "status"), [([True, False], 200), ([True] * 3, 409)])
def test_a_job_that_gets_more_to_do_during_its_cancellation_is_cancelled_with_it(
    people: dict[str, str], hooked: list[str], wanted: list[bool], status: int
) -> None:
    job_id = add_job(603)

    def on_cancel(_: object, row: Any) -> None:
        hooked.append(row.state)

    hooks = Hooks(on_cancel=on_cancel, is_wanted=lambda *_: wanted[len(hooked) - 1])
    runners.register_hooks("handover", hooks)
    answer = call("POST", f"/api/admin/jobs/{job_id}/cancel", token=people["alice"])
    assert answer.status == status
    assert hooked == ["queued"] * len(wanted)


def test_a_demoted_admin_changes_no_job(db: Db, people: dict[str, str]) -> None:
    job_id = add_job(603)
    set_columns(db, "users", id_of(people["alice"]), role="user")
    for action in ("retry", "cancel"):
        answer = call("POST", f"/api/admin/jobs/{job_id}/{action}", token=people["alice"])
        assert answer.code == "FORBIDDEN"
    assert field(db, job_id, "state") == "queued"
