"""The cleanup tasks (section 10 of the contract): safe to repeat, to overlap and to run late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medianest.cleanup import repository
from medianest.core.db import database
from medianest.core.observability import count, logger, metrics
from medianest.system_config import service as system_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg import Connection

# A batch that starts with less time left might be cut off by Lambda's time-out.
MIN_SECONDS_LEFT = 5.0


def _delete_audit_logs(connection: Connection[Any]) -> int:
    return repository.delete_audit_logs(connection, system_config.audit_retention(connection))


TASKS: Mapping[str, Callable[[Connection[Any]], int]] = {
    "sessions": repository.delete_sessions,
    "signin-handles": repository.delete_signin_handles,
    "idempotency-keys": repository.delete_idempotency_keys,
    "rate-limit-hits": repository.delete_rate_limit_hits,
    "audit-logs": _delete_audit_logs,
}


class UnknownTaskError(Exception):
    """A schedule names a task that does not exist."""


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """What a run did; `more` says that time ran out before the work did."""

    task: str
    deleted: int
    more: bool


def run(task: str, seconds_left: Callable[[], float]) -> CleanupResult:
    """Delete what a task is about, a commit a batch; raises UnknownTaskError.

    A batch that fails ends the run and is told; those before it stay done.
    """
    delete = TASKS.get(task)
    if delete is None:
        raise UnknownTaskError(f"unknown task {task!r}; there are: {', '.join(TASKS)}")
    deleted = 0
    batch = repository.BATCH
    try:
        while batch == repository.BATCH and seconds_left() > MIN_SECONDS_LEFT:
            with database().transaction() as connection:
                batch = delete(connection)
            deleted += batch
    except Exception:
        logger.exception("cleanup_failed", extra={"task": task, "deleted": deleted})
        count("CleanupFailed", task=task)
        raise
    result = CleanupResult(task, deleted, batch == repository.BATCH)
    metrics.add_dimension(name="task", value=task)
    metrics.add_metric(name="CleanupDeleted", unit="Count", value=deleted)
    metrics.add_metric(name="CleanupMore", unit="Count", value=int(result.more))
    logger.info("cleanup", extra={"task": task, "deleted": deleted, "more": result.more})
    return result
