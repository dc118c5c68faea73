"""Cleanup tasks (section 10 of the contract): safe to repeat, to overlap and to run late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.audit import repository as audit_repository
from medianest.core.db import database
from medianest.core.observability import count, logger, metrics
from medianest.jobs import repository as jobs_repository
from medianest.rate_limits import repository as rate_limits_repository
from medianest.requests.idempotency import repository as idempotency_repository
from medianest.sessions import repository as sessions_repository
from medianest.signin import repository as signin_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg import Connection

# With less time left, Lambda's timeout could interrupt a batch.
MIN_SECONDS_LEFT = 5.0
# Rows of one transaction; an unbounded DELETE would hold locks for too long.
BATCH = 500


def _delete_audit_logs(connection: Connection[Any], limit: int) -> int:
    # Imported on first use: no other task needs a setting, so the others start faster.
    from medianest.system_config import service as system_config_service

    retention = system_config_service.audit_retention(connection)
    return audit_repository.delete_expired(connection, retention, limit)


# Each task deletes up to the given number of rows, skips rows that a concurrent run has locked,
# and returns the number of deleted rows.
TASKS: Mapping[str, Callable[[Connection[Any], int], int]] = {
    "sessions": sessions_repository.delete_expired,
    "signin-handles": signin_repository.delete_expired,
    "idempotency-keys": idempotency_repository.delete_expired,
    "rate-limit-hits": rate_limits_repository.delete_expired,
    "jobs": jobs_repository.delete_expired,
    "audit-logs": _delete_audit_logs,
}


class UnknownTaskError(Exception):
    """The event of a schedule names an unknown task."""


class CleanupResult(NamedTuple):
    """The result of a run; `more` is True when time ran out and expired rows may remain."""

    task: str
    deleted: int
    more: bool


def run(task: str, seconds_left: Callable[[], float]) -> CleanupResult:
    """Delete the expired rows of a task, with one commit for each batch; raises UnknownTaskError.

    A batch that fails is logged and ends the run; the batches before it stay committed.
    """
    delete = TASKS.get(task)
    if delete is None:
        raise UnknownTaskError(f"unknown task {task!r}; the tasks are: {', '.join(TASKS)}")
    deleted = 0
    batch = BATCH
    try:
        while batch == BATCH and seconds_left() > MIN_SECONDS_LEFT:
            with database().transaction() as connection:
                batch = delete(connection, BATCH)
            deleted += batch
    except Exception:
        logger.exception("cleanup_failed", extra={"task": task, "deleted": deleted})
        count("CleanupFailed", task=task)
        raise
    result = CleanupResult(task, deleted, batch == BATCH)
    metrics.add_dimension(name="task", value=task)
    metrics.add_metric(name="CleanupDeleted", unit="Count", value=deleted)
    metrics.add_metric(name="CleanupMore", unit="Count", value=int(result.more))
    logger.info("cleanup", extra={"task": task, "deleted": deleted, "more": result.more})
    return result
