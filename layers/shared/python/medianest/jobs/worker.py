"""The worker: lease jobs and run them until nothing is due or the time is short."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from medianest.core.db import database
from medianest.core.error_codes import DATABASE_FAILURES
from medianest.core.errors import AppError
from medianest.core.observability import count, logger
from medianest.jobs import bell, protocol, repository, runners
from medianest.jobs.guard import Guard
from medianest.jobs.models import WORKER_LOST, GiveBackError, Job, JobError, LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from medianest.jobs.models import Handler, Write

# A run begins with at least this much: the guard wants 35 seconds for a call that changes things.
MIN_SECONDS_LEFT = 40.0


class RunResult(NamedTuple):
    """The results of the jobs of a run; `more` is True when time ran out and jobs are due."""

    done: int
    failed: int
    given_back: int
    lost: int
    more: bool


def run(seconds_left: Callable[[], float]) -> RunResult:
    """Run the jobs that are due, then ring for the next one."""
    runners.prepare()
    handlers = runners.handlers()
    outcomes = {"done": 0, "failed": 0, "given_back": 0, "lost": 0}
    while seconds_left() > MIN_SECONDS_LEFT:
        guard = Guard(seconds_left)
        job = _lease()
        if job is None:
            break
        outcomes[_run(job, handlers[job.kind], guard)] += 1
    pause = database().read(lambda one: repository.seconds_until_due(one, list(handlers)))
    if pause is not None:
        bell.ring_in(pause)
    result = RunResult(**outcomes, more=pause is not None and pause <= 0)
    logger.info("jobs_run", extra=result._asdict())
    return result


def _lease() -> Job | None:
    with database().transaction() as connection:
        expired = protocol.expire(connection)
        job = protocol.lease(connection, list(runners.handlers()), _name())
    if expired:
        count("JobLeaseExpired", expired)
    return job


def _run(job: Job, handler: Handler, guard: Guard) -> str:
    """Run a job and end its lease; return what became of it."""
    try:
        return _attempt(job, handler, guard)
    except LeaseLostError:
        # Another run has the job, or will have it; what this one learnt is dropped.
        logger.warning("job_lease_lost", extra={"job": str(job.id), "kind": job.kind})
        count("JobLeaseLost", kind=job.kind)
        return "lost"


def _attempt(job: Job, handler: Handler, guard: Guard) -> str:
    try:
        return _end(job, handler, _outcome(job, handler, guard))
    except LeaseLostError:
        raise
    # The run, or what it learnt: PostgreSQL may refuse to store it.
    except Exception as error:  # noqa: BLE001 - a fault of one job must not end the others
        return _end(job, handler, _crashed(job, error))


def _outcome(job: Job, handler: Handler, guard: Guard) -> Write | JobError | GiveBackError:
    if job.is_given_up:
        return JobError("never", WORKER_LOST, "Every worker of the job was lost.")
    try:
        return handler.run(job, guard)
    except (JobError, GiveBackError) as error:
        return error


def _crashed(job: Job, error: Exception) -> JobError:
    if isinstance(error, AppError) and error.code in DATABASE_FAILURES:
        # The lease cannot be ended now: it expires.
        raise error
    logger.exception("job_crashed", extra={"job": str(job.id), "kind": job.kind})
    count("JobCrashed", kind=job.kind)
    return JobError("unsure", "INTERNAL_ERROR", type(error).__name__)


def _end(job: Job, handler: Handler, outcome: Write | JobError | GiveBackError) -> str:
    with database().transaction() as connection:
        if isinstance(outcome, GiveBackError):
            protocol.give_back(connection, job, outcome)
            return "given_back"
        if not isinstance(outcome, JobError):
            protocol.finish(connection, job, outcome, handler)
            return "done"
        is_dead = protocol.fail(connection, job, outcome, handler)
    details = {"job": str(job.id), "kind": job.kind, "class": outcome.cls, "code": outcome.code}
    logger.warning("job_dead" if is_dead else "job_failed", extra=details)
    if is_dead:
        count("JobDied", kind=job.kind)
    return "failed"


def _name() -> str:
    return os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", f"process {os.getpid()}")
