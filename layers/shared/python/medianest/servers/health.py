"""The state of a server, by what its calls told: the circuit that jobs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.jobs import repository as jobs_repository
from medianest.servers import repository

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.jobs.models import FailureClass, Job, JobError

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
    jobs_repository.make_due(connection, server_id)


def failed(
    connection: Connection[Any], server_id: UUID, cls: FailureClass, code: str, message: str
) -> None:
    """Note a failed call: count it, park the server, or note that it answers.

    `unsure` tells nothing of the server: it may have been the way back.
    """
    error = {"code": code, "message": message[:MAX_MESSAGE_CHARS]}
    if cls == "unreachable":
        repository.unreachable(connection, server_id, error, OPENS_AT)
    elif cls == "misconfigured":
        repository.misconfigured(connection, server_id, error)
    elif cls in {"not_yet", "never"}:
        succeeded(connection, server_id)


def on_failed(connection: Connection[Any], job: Job, error: JobError) -> None:
    """Note the failed run of a job of a server: a hook of the job's handler."""
    if job.server_id is not None:
        failed(connection, job.server_id, error.cls, error.code, error.message)
