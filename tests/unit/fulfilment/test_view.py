"""The fulfilment that a request shows."""

from typing import Any
from uuid import UUID

import pytest

from medianest.fulfilment.models import Fulfilment, SeasonState
from medianest.fulfilment.view import fulfilment

SINCE = "2026-01-06T08:00:00+00:00"
JOB = "e81d5c94-2b7f-4a06-8f4d-3c9a6b0e7d25"
SERVER = "c47a3e5d-8f10-4b62-9c3e-5d7b1a2f6e08"
FAILURE = {"code": "REMOVED_ON_SERVER", "message": "The server no longer has it.", "jobId": JOB}


def item(state: str, season: int | None = None, failure: Any = None) -> dict[str, Any]:
    return {"season": season, "state": state, "since": SINCE, "failure": failure}


def shown(*items: dict[str, Any], admins: dict[str, Any] | None = None) -> Fulfilment:
    found = fulfilment(list(items), admins)
    assert found is not None
    return found


@pytest.mark.parametrize("items", [None, []])
def test_request_that_is_not_approved_shows_nothing(items: list[Any] | None) -> None:
    assert fulfilment(items) is None


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["none"], "manual"),
        (["none", "none"], "manual"),
        (["downloaded", "submitted"], "submitted"),
        (["downloaded", "downloaded"], "downloaded"),
        (["submitted", "queued"], "queued"),
        (["none", "queued"], "queued"),
        (["queued", "failed", "downloaded"], "failed"),
    ],
)
def test_request_has_the_least_advanced_state(states: list[str], state: str) -> None:
    items = [item(each, season) for season, each in enumerate(states)]
    assert shown(*items).state == state


def test_each_season_has_its_state_and_a_film_has_none() -> None:
    show = shown(item("none", 1), item("downloaded", 2))
    assert show.seasons == [SeasonState(1, "manual"), SeasonState(2, "downloaded")]
    assert shown(item("queued")).seasons is None


def test_requester_sees_the_error_of_a_failure_but_not_the_job() -> None:
    found = shown(item("failed", failure=FAILURE))
    assert found.error is not None
    assert (found.error.code, found.error.retry_at) == ("REMOVED_ON_SERVER", None)
    assert (found.server, found.job_id) == (None, None)


def test_admin_sees_server_and_job_of_a_failure() -> None:
    admins = {"server": {"id": SERVER, "name": "Radarr"}, "job": None}
    found = shown(item("failed", failure=FAILURE), admins=admins)
    assert found.job_id == UUID(JOB)
    assert found.server is not None
    assert (found.server.id, found.server.name) == (UUID(SERVER), "Radarr")


def test_only_an_admin_sees_why_a_title_waits() -> None:
    error = {"code": "SERVER_UNREACHABLE", "message": "The server does not respond."}
    admins = {"server": None, "job": {"id": JOB, "error": error, "run_at": SINCE}}
    found = shown(item("queued"), admins=admins)
    assert found.error is not None
    assert found.error.retry_at is not None
    assert (found.error.code, found.error.retry_at.isoformat()) == ("SERVER_UNREACHABLE", SINCE)
    assert found.job_id == UUID(JOB)
    assert shown(item("queued")).error is None
