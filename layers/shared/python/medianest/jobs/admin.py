"""Operations of admins on jobs: list, retry and cancel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.jobs import bell, protocol, repository, runners
from medianest.jobs.schemas import JobOut, JobsRetryOut
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.jobs.models import JobRow, State
    from medianest.jobs.schemas import JobQuery, JobsRetryIn
    from medianest.users.models import Principal

MAX_RETRIED = 500
_ATTEMPTS = 3


def page(query: JobQuery) -> PageResponse[JobOut]:
    """Return one page of jobs, the newest first."""
    rows, total = database().read(lambda connection: repository.page(connection, query))
    items = [JobOut.model_validate(row) for row in rows]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def get(job_id: UUID) -> JobOut:
    """Return a job; raises NOT_FOUND."""
    return JobOut.model_validate(
        _found(database().read(lambda connection: repository.get(connection, job_id)))
    )


def retry(job_id: UUID, admin: Principal, caller: Caller) -> JobOut:
    """Run a job as soon as possible, with no attempts counted; raises NOT_FOUND or INVALID_STATE.

    A running job runs once more. If another job has meanwhile taken the place of a dead or
    cancelled one, that one is retried and returned.
    """

    def attempt() -> JobRow:
        with database().transaction() as connection:
            return _found(_retry(connection, job_id, admin, caller))

    row = _repeated(attempt)
    bell.ring()
    return JobOut.model_validate(row)


def retry_dead(body: JobsRetryIn, admin: Principal, caller: Caller) -> JobsRetryOut:
    """Retry up to 500 dead jobs, those that died first first.

    Each has a transaction of its own, so that no lock of a title is held for long; a failure leaves
    those that were retried before it.
    """

    def dead(limit: int) -> list[UUID]:
        return database().read(
            lambda connection: repository.dead_ids(
                connection, kind=body.kind, server_id=body.server_id, limit=limit
            )
        )

    def attempt(job_id: UUID) -> bool:
        with database().transaction() as connection:
            # None: the job was retried or removed at the same time.
            return _retry(connection, job_id, admin, caller, {"dead"}) is not None

    retried = 0
    try:
        for job_id in dead(MAX_RETRIED):
            retried += _repeated(partial(attempt, job_id))
    finally:
        if retried:
            bell.ring()
    return JobsRetryOut(retried=retried, more=bool(dead(1)))


def cancel(job_id: UUID, admin: Principal, caller: Caller) -> JobOut:
    """Cancel a queued job; raises NOT_FOUND or INVALID_STATE."""
    return JobOut.model_validate(_found(_repeated(lambda: _cancel(job_id, admin, caller))))


def _cancel(job_id: UUID, admin: Principal, caller: Caller) -> JobRow | None:
    with database().transaction() as connection:
        job = _found(repository.get(connection, job_id))
        hooks = runners.hooks(job.kind)
        lock_admin(connection, admin)
        hooks.on_cancel(connection, job)
        current = _found(repository.lock(connection, job_id))
        if current.state != "queued":
            raise _wrong_state(current)
        if hooks.is_wanted(connection, job):
            raise _ChangedError(current)
        repository.cancel(connection, job_id)
        _record(connection, Action.JOB_CANCELLED, job, admin, caller)
        return repository.get(connection, job_id)


def _repeated[T](attempt: Callable[[], T]) -> T:
    """Make a change again when a run or an approval has changed the job between its locks."""
    for _ in range(_ATTEMPTS):
        try:
            return attempt()
        except _ChangedError as error:
            current = error.job
    raise _wrong_state(current)


class _ChangedError(Exception):
    """The job, or what waits for it, is no longer as the hook has found it."""

    def __init__(self, job: JobRow) -> None:
        super().__init__()
        self.job = job


def _retry(
    connection: Connection[Any],
    job_id: UUID,
    admin: Principal,
    caller: Caller,
    states: set[State] | None = None,
) -> JobRow | None:
    """Retry a job, with `states` only in one of them; return the live job, or None without one.

    The locks are taken in the order of the protocol: the admin, what the hook changes, and the job,
    whose state decides. Raises _ChangedError when the hook has seen another state.
    """
    job = repository.get(connection, job_id)
    if job is None:
        return None
    lock_admin(connection, admin)
    # No server may be deleted, with its jobs, while one of them is revived.
    repository.lock_server_changes(connection)
    seen = repository.get(connection, job_id)
    if seen is None or (states is not None and seen.state not in states):
        return None
    runners.hooks(job.kind).on_retry(connection, seen)
    current = repository.lock(connection, job_id)
    if current is None:
        return None
    if current.state != seen.state:
        raise _ChangedError(current)
    if current.state == "done":
        raise _wrong_state(current)
    if current.state not in {"dead", "cancelled"} or not repository.revive(connection, current):
        job_id = protocol.enqueue(
            connection,
            current.kind,
            repository.dedup(connection, job_id),
            current.payload,
            server_id=None if current.kind == "handover" else current.server_id,
            by_person=True,
        )
    if job_id != current.id:
        repository.cancel(connection, current.id)
    _record(connection, Action.JOB_RETRIED, current, admin, caller)
    return repository.get(connection, job_id)


def _record(
    connection: Connection[Any], action: Action, job: JobRow, admin: Principal, caller: Caller
) -> None:
    audit_repository.record(
        connection,
        action,
        caller,
        user_id=admin.user_id,
        target=("job", job.id),
        details={"kind": job.kind, "state": job.state, **job.payload},
    )


def _found(job: JobRow | None) -> JobRow:
    if job is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return job


def _wrong_state(job: JobRow) -> AppError:
    return AppError(
        ErrorCode.INVALID_STATE,
        message="The job is not in a state that allows this.",
        details={"status": job.state},
    )
