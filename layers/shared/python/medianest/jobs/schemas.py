"""API models of jobs."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import (
    Id,
    PageQuery,
    RequestModel,
    ResponseModel,
    Timestamp,
)
from medianest.core.examples import JOB_ID, SERVER_ID, Examples
from medianest.jobs.models import Kind, State

_DEAD = {
    "id": JOB_ID,
    "kind": "handover",
    "serverId": SERVER_ID,
    "payload": {"mediaType": "movie", "tmdbId": 603},
    "title": "The Matrix",
    "state": "dead",
    "again": False,
    "attempts": 1,
    "runAt": "2026-01-06T08:00:00.000Z",
    "deadlineAt": "2026-01-13T08:00:00.000Z",
    "error": {"class": "never", "code": "TITLE_UNKNOWN", "message": "TMDB removed the title."},
    "createdAt": "2026-01-06T08:00:00.000Z",
    "finishedAt": "2026-01-06T08:00:02.000Z",
}


class JobQuery(PageQuery):
    """Filters of the jobs."""

    state: State | None = Field(
        default=None, description="Only jobs in this state", examples=["dead"]
    )
    kind: Kind | None = Field(default=None, description="Only this kind", examples=["handover"])
    server_id: Id | None = Field(
        default=None, description="Only jobs of this server", examples=[SERVER_ID]
    )


class JobFailure(ResponseModel):
    """Why the last run of a job failed."""

    cls: str = Field(
        alias="class",
        description="`unreachable`, `unsure`, `misconfigured`, `not_yet` or `never`: what follows",
    )
    code: str = Field(description="Code of the failure")
    message: str = Field(description="A sentence to display, which may change")


class JobOut(ResponseModel):
    """A job, with its last failure."""

    EXAMPLES: ClassVar[Examples] = {"dead": _DEAD}

    id: UUID = Field(description="Id of the job")
    kind: Kind = Field(description="What the job does")
    server_id: UUID | None = Field(
        default=None, description="Id of its server; absent before a server is chosen"
    )
    payload: dict[str, Any] = Field(description="What the job is about, as ids")
    title: str | None = Field(
        default=None, description="Title of the film or show that the job is about"
    )
    state: State = Field(
        description="`queued` and `leased` (running) end in `done`, `dead` or `cancelled`"
    )
    again: bool = Field(description="Whether a running job was wanted again, and runs once more")
    attempts: int = Field(description="Number of runs that count")
    run_at: Timestamp = Field(description="Time of the next run of a queued job")
    deadline_at: Timestamp = Field(description="After this time a failure is final")
    lease_until: Timestamp | None = Field(
        default=None, description="Time at which a running job counts as lost"
    )
    error: JobFailure | None = Field(default=None, description="The last failure")
    created_at: Timestamp = Field(description="Time of the cause")
    finished_at: Timestamp | None = Field(
        default=None, description="Time at which it was done, dead or cancelled"
    )


class JobsRetryIn(RequestModel):
    """Which dead jobs to retry; without a filter all of them."""

    EXAMPLES: ClassVar[Examples] = {"ofOneServer": {"serverId": SERVER_ID}}

    kind: Kind | None = Field(default=None, description="Only this kind")
    server_id: Id | None = Field(default=None, description="Only jobs of this server")


class JobsRetryOut(ResponseModel):
    """The number of retried jobs."""

    EXAMPLES: ClassVar[Examples] = {"some": {"retried": 12, "more": False}}

    retried: int = Field(description="Number of jobs that are queued again, 500 at most")
    more: bool = Field(description="Whether dead jobs are left, for another call")
