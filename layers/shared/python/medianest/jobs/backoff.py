"""When a failed job runs again: the pauses of each kind, Retry-After, and the deadline."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import TYPE_CHECKING

from medianest.jobs.models import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medianest.jobs.models import Job, JobError, Kind

NOW = timedelta(0)
_JITTER = 0.2
# The longest Retry-After that is honoured.
_MAX_RETRY_AFTER = timedelta(hours=6)
# A title that the server does not know yet is tried once a day for this long.
NOT_YET_PAUSE = timedelta(days=1)
NOT_YET_DEADLINE = timedelta(days=14)


def _plan(deadline: timedelta, *seconds: int) -> Plan:
    return Plan(tuple(timedelta(seconds=each) for each in seconds), deadline)


_HOUR = 3600
PLANS: Mapping[Kind, Plan] = {
    "handover": _plan(
        timedelta(days=7), 10, 30, 120, 600, 1800, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR
    ),
    # The next run of the schedule asks again, so an old check is of no use.
    "check": _plan(timedelta(hours=6), 60, 300, 1800),
    "inventory": _plan(timedelta(days=1), 60, 300, 1800, 6 * _HOUR),
}
_random = SystemRandom()


def pause(job: Job, error: JobError) -> timedelta:
    """Return the time until the next attempt, with a jitter of 20 %.

    A Retry-After is a minimum, without jitter below it.
    """
    if error.cls == "not_yet":
        # No more than a day, so that the last attempt precedes the deadline.
        return NOT_YET_PAUSE * _random.uniform(1 - _JITTER, 1)
    wait = step(job.kind, job.attempts) * _random.uniform(1 - _JITTER, 1 + _JITTER)
    asked = timedelta(seconds=error.retry_after or 0)
    return max(wait, min(asked, _MAX_RETRY_AFTER))


def step(kind: Kind, attempts: int) -> timedelta:
    """Return the pause after that many attempts, without jitter."""
    pauses = PLANS[kind].pauses
    return pauses[min(max(attempts, 1), len(pauses)) - 1]


def is_over(job: Job, error: JobError, now: datetime) -> bool:
    """Return whether no retry follows a failure: none can help, or the deadline has passed.

    A misconfigured server parks its jobs for as long as it takes.
    """
    if error.cls == "misconfigured" and job.server_id is not None:
        return False
    deadline = job.deadline_at
    if error.cls == "not_yet":
        deadline += NOT_YET_DEADLINE - PLANS[job.kind].deadline
    return error.cls == "never" or now >= deadline
