"""Changes of items when an admin retries or cancels the job of a title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.fulfilment import repository
from medianest.fulfilment.models import title_of
from medianest.jobs.models import Hooks

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.fulfilment.models import TitleKey
    from medianest.jobs.models import JobRow


def fail_items(
    connection: Connection[Any], title: TitleKey, code: str, message: str, job_id: UUID
) -> None:
    """Fail the items of a title that wait for its server."""
    failure = {"code": code, "message": message, "jobId": str(job_id)}
    repository.fail(connection, title, failure)


def _on_retry(connection: Connection[Any], job: JobRow) -> None:
    repository.queue_failed(connection, title_of(job.payload))


def _on_cancel(connection: Connection[Any], job: JobRow) -> None:
    fail_items(connection, title_of(job.payload), "JOB_CANCELLED", "An admin cancelled it.", job.id)


def _is_wanted(connection: Connection[Any], job: JobRow) -> bool:
    return repository.has_queued(connection, title_of(job.payload))


HANDOVER = Hooks(on_retry=_on_retry, on_cancel=_on_cancel, is_wanted=_is_wanted)
