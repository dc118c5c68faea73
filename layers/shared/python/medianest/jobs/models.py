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
    title: str | None


class JobError(Exception):
    """A run failed; `retry_after` is the number of seconds that the server asked for.

    `configured_at` is the time of the last change of the server that a call failed at; None when
    the failure says nothing about a server.
    """

    def __init__(
        self,
        cls: FailureClass,
        code: str,
        message: str,
        retry_after: int | None = None,
        configured_at: datetime | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.cls = cls
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.configured_at = configured_at


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
type OnDone = Callable[[Connection[Any], Job], None]
type OnFailure = Callable[[Connection[Any], Job, JobError], None]
type OnAdmin = Callable[[Connection[Any], JobRow], None]
type IsWanted = Callable[[Connection[Any], JobRow], bool]


def _nothing(*_: object) -> None:
    """Do nothing: the default of each hook."""


def _never(*_: object) -> bool:
    return False


class Handler(NamedTuple):
    """The runner of one kind of job, and its hooks.

    `run` makes the calls and returns what to write; it raises JobError or GiveBackError. The write
    and `on_dead`, for a job that is given up, change titles, requests and items: they come before
    the lock of the job's row. `on_done` and `on_failed` come after it, and change the server: its
    circuit, and the jobs that wait for it.
    """

    run: Runner
    on_done: OnDone = _nothing
    on_failed: OnFailure = _nothing
    on_dead: OnFailure = _nothing


class Hooks(NamedTuple):
    """Changes besides the job when an admin retries or cancels one of a kind.

    They are made before the job is locked, so each of their updates names the states it starts
    from. `is_wanted` tells, after the lock, whether the job has got more to do since `on_cancel`.
    """

    on_retry: OnAdmin = _nothing
    on_cancel: OnAdmin = _nothing
    is_wanted: IsWanted = _never


class Plan(NamedTuple):
    """The pauses between the attempts of a kind, of which the last repeats, and its deadline."""

    pauses: tuple[timedelta, ...]
    deadline: timedelta
