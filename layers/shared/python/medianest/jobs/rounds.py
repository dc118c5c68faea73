"""The starts of the worker: by the bells of a batch, or by a task of a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core.db import database
from medianest.core.environment import environment
from medianest.core.error_codes import DATABASE_FAILURES
from medianest.core.errors import AppError
from medianest.core.observability import count, logger, metrics
from medianest.jobs import bell, repository, runners, service, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psycopg import Connection

# Each is enqueued in its own transaction before the round.
_ENQUEUE: Mapping[str, Callable[[Connection[Any]], int]] = {
    "checks": service.enqueue_checks,
    "inventories": service.enqueue_inventories,
}
_SWEEP = "sweep"


class UnknownTaskError(Exception):
    """The event of a schedule names an unknown task."""


def answer(records: Sequence[Mapping[str, Any]], seconds_left: Callable[[], float]) -> list[str]:
    """Answer all bells of a batch with one round; return the ids of messages to deliver again.

    When all are early, they are passed on, and the database may sleep. While it is down, SQS keeps
    all of them.
    """
    bells = [bell.parse(record["body"]) for record in records]
    early = [each for each in bells if each is not None and each.is_early]
    for each in early:
        bell.pass_on(each)
    if len(early) == len(records):
        return []
    try:
        worker.run(seconds_left)
        if environment().database_pauses == "true":
            # The sweep, which reports otherwise, comes once a day then.
            _report()
    except AppError as error:
        if error.code not in DATABASE_FAILURES:
            raise
        count("BellReturned", len(records))
        logger.warning("bells_returned", extra={"bells": len(records)})
        # Without those that were passed on.
        return [
            record["messageId"]
            for record, each in zip(records, bells, strict=True)
            if each not in early
        ]
    return []


def run_task(task: str, seconds_left: Callable[[], float]) -> worker.RunResult:
    """Run a scheduled task, and then the jobs that are due; raises UnknownTaskError."""
    enqueue = _ENQUEUE.get(task)
    if enqueue is None and task != _SWEEP:
        known = ", ".join([_SWEEP, *_ENQUEUE])
        raise UnknownTaskError(f"unknown task {task!r}; the tasks are: {known}")
    if enqueue is None:
        _report()
    else:
        runners.prepare()
        runners.prelude(task)()
        with database().transaction() as connection:
            enqueue(connection)
    return worker.run(seconds_left)


def _report() -> None:
    """Add the backlog to the metrics, for the alarms."""
    runners.prepare()
    kinds = list(runners.handlers())
    backlog = database().read(lambda connection: repository.backlog(connection, kinds))
    metrics.add_metric(name="OldestDueJob", unit="Seconds", value=backlog.oldest_due_seconds)
    metrics.add_metric(name="DeadJobs", unit="Count", value=backlog.dead)
    metrics.add_metric(name="ServerAway", unit="Seconds", value=backlog.unreachable_seconds)
