"""When a failed job runs again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.jobs import backoff
from medianest.jobs.models import FailureClass, Job, JobError, Kind

NOW = datetime(2026, 1, 6, 8, tzinfo=UTC)
HOUR = 3600


def job(attempts: int = 1, **options: Any) -> Job:
    values: dict[str, Any] = {
        "id": uuid4(),
        "kind": "handover",
        "server_id": None,
        "payload": {},
        "lease_token": uuid4(),
        "lease_until": NOW,
        "created_at": NOW,
        "deadline_at": NOW + timedelta(days=7),
        "is_given_up": False,
    }
    return Job(attempts=attempts, **(values | options))


def error(cls: FailureClass, retry_after: int | None = None) -> JobError:
    return JobError(cls, "CODE", "Message", retry_after)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        ("handover", [10, 30, 120, 600, 1800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR]),
        ("check", [60, 300, 1800, 1800]),
        ("inventory", [60, 300, 1800, 6 * HOUR, 6 * HOUR]),
    ],
)
def test_the_pauses_of_a_kind_grow_and_the_last_repeats(kind: Kind, seconds: list[int]) -> None:
    found = [backoff.step(kind, attempt + 1).total_seconds() for attempt in range(len(seconds))]
    assert found == seconds


@given(attempts=st.integers(0, 50), retry_after=st.none() | st.integers(0, 10**6))
def test_a_pause_has_a_jitter_of_20_percent_and_honours_retry_after_up_to_six_hours(
    attempts: int, retry_after: int | None
) -> None:
    found = backoff.pause(job(attempts), error("unreachable", retry_after)).total_seconds()
    step = backoff.step("handover", attempts).total_seconds()
    asked = min(retry_after or 0, 6 * HOUR)
    assert max(0.8 * step, asked) - 0.001 <= found <= max(1.2 * step, asked) + 0.001


@given(attempts=st.integers(0, 50))
def test_a_title_that_is_not_known_yet_waits_a_day_at_most(attempts: int) -> None:
    found = backoff.pause(job(attempts), error("not_yet"))
    assert timedelta(hours=19) < found <= timedelta(days=1)


@pytest.mark.parametrize(
    ("cls", "days", "over"),
    [
        ("unreachable", 6.9, False),
        ("unreachable", 7, True),
        ("unsure", 7, True),
        ("not_yet", 13.9, False),
        ("not_yet", 14, True),
        ("never", 0, True),
        ("misconfigured", 7, True),
    ],
)
def test_a_job_is_over_after_its_deadline_or_when_no_retry_can_help(
    cls: FailureClass, days: float, *, over: bool
) -> None:
    assert backoff.is_over(job(), error(cls), NOW + timedelta(days=days)) is over


def test_a_job_of_a_misconfigured_server_waits_past_its_deadline() -> None:
    parked = job(server_id=uuid4())
    assert not backoff.is_over(parked, error("misconfigured"), NOW + timedelta(days=365))
