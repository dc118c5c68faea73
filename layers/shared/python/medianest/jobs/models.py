"""Jobs, the ways in which they fail, and what runs them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from psycopg import Connection

type Kind = Literal["handover", "check", "inventory"]
type State = Literal["queued", "leased", "done", "dead", "cancelled"]
type FailureClass = Literal["unreachable", "unsure", "misconfigured", "not_yet", "never"]

# The error of a job whose worker was lost: killed, or past the end of its lease.
WORKER_LOST = "WORKER_LOST"


class Job(NamedTuple):
    """A job that this process has leased."""

    id: UUID
    kind: Kind
    server_id: UUID | None
    payload: dict[str, Any]
    attempts: int
    lease_token: UUID
    lease_until: datetime
    created_at: datetime
    deadline_at: datetime
    # Its workers were lost until the deadline passed, so it does not run again.
    is_given_up: bool


class JobRow(NamedTuple):
    """A job as admins see it."""

    id: UUID
    kind: Kind
    server_id: UUID | None
    payload: dict[str, Any]
    state: State
    again: bool
    attempts: int
    run_at: datetime
    deadline_at: datetime
    lease_until: datetime | None
    error: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None


class JobError(Exception):
    """A run failed; `retry_after` is the number of seconds that the server asked for."""

    def __init__(
        self, cls: FailureClass, code: str, message: str, retry_after: int | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.cls = cls
        self.code = code
        self.message = message
        self.retry_after = retry_after


class GiveBackError(Exception):
    """The job goes back to the queue at once, and the attempt does not count.

    A runner raises it when `Guard.may_change` is False. With `server_id` the job belongs to that
    server from now on, so that the next lease reads the circuit of the server.
    """

    def __init__(self, server_id: UUID | None = None) -> None:
        super().__init__("the job goes back without an attempt")
        self.server_id = server_id


class LeaseLostError(Exception):
    """The lease of a job has expired; the transaction that finds this must roll back."""


class MayChange(Protocol):
    """The guard of a run, as runners see it."""

    def may_change(self) -> bool:
        """Return whether a call that changes something at a server may begin now."""
        ...


type Write = Callable[[Connection[Any]], None]
type Runner = Callable[[Job, MayChange], Write]
type OnFailure = Callable[[Connection[Any], Job, JobError], None]
type OnRetry = Callable[[Connection[Any], JobRow], None]
type OnCancel = Callable[[Connection[Any], JobRow], None]


def _nothing(*_: object) -> None:
    """Do nothing: the default of each hook."""


class Handler(NamedTuple):
    """All that one kind of job needs.

    `run` makes the calls and returns what to write; it raises JobError or GiveBackError. Each hook
    writes in the transaction of its cause, before the row of the job is locked, so that locks of
    titles, requests, items and servers come first: `on_failed` after each failed run (the circuit
    of the server), `on_dead` when the job is given up, `on_retry` and `on_cancel` when an admin
    retries or cancels the job.
    """

    run: Runner
    on_failed: OnFailure = _nothing
    on_dead: OnFailure = _nothing
    on_retry: OnRetry = _nothing
    on_cancel: OnCancel = _nothing


class Plan(NamedTuple):
    """The pauses between the attempts of a kind, of which the last repeats, and its deadline."""

    pauses: tuple[timedelta, ...]
    deadline: timedelta
