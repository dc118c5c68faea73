"""The state of a server, by what its calls told: the circuit that jobs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr.models import NOT_THE_API
from medianest.jobs import repository as jobs_repository
from medianest.jobs.models import JobError
from medianest.servers import repository

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.arr.models import ArrError
    from medianest.jobs.models import FailureClass, Job
    from medianest.servers.models import Server

# The failure in a row that opens the circuit.
OPENS_AT = 3
MAX_MESSAGE_CHARS = 300


def succeeded(connection: Connection[Any], server_id: UUID) -> None:
    """Note that a server answers: its circuit closes, and all its jobs become due."""
    if repository.succeeded(connection, server_id):
        jobs_repository.make_due(connection, server_id)


def freed(connection: Connection[Any], server_id: UUID) -> None:
    """Note a successful test by an admin, which also frees a misconfigured server."""
    repository.freed(connection, server_id)
    jobs_repository.make_due(connection, server_id, renews=True)


def failed(
    connection: Connection[Any],
    server_id: UUID,
    cls: FailureClass,
    code: str,
    message: str,
    configured_at: datetime | None = None,
) -> None:
    """Note a failed call: count it, park the server, or note that it answers.

    `unsure` tells nothing of the server: it may have been the way back. Nor does a call that began
    before an admin changed the server: its configuration was of `configured_at`.
    """
    error = {"code": code, "message": message[:MAX_MESSAGE_CHARS]}
    if cls == "unreachable":
        repository.unreachable(connection, server_id, error, OPENS_AT, configured_at)
    elif cls == "misconfigured":
        repository.misconfigured(connection, server_id, error, configured_at)
    elif cls in {"not_yet", "never"}:
        succeeded(connection, server_id)


def on_failed(connection: Connection[Any], job: Job, error: JobError) -> None:
    """Note the failed run of a job of a server: a hook of the job's handler.

    A failure before the server was called, such as one of TMDB, tells nothing of the server.
    """
    if job.server_id is not None and error.configured_at is not None:
        failed(
            connection,
            job.server_id,
            error.cls,
            error.code,
            error.message,
            error.configured_at,
        )


def job_error(server: Server, error: ArrError) -> JobError:
    """Return the error of a job for a failed call of a server.

    A server whose inventory was read has the right address: a proxy before it can answer 404 while
    the server starts, so that is no reason to park it.
    """
    is_away = error.code == NOT_THE_API and server.inventory is not None
    return JobError(
        "unreachable" if is_away else error.cls,
        error.code,
        error.message,
        error.retry_after,
        server.updated_at,
    )
