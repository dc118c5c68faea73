"""The protocol of jobs: PostgreSQL is the queue, and each step is one guarded statement.

                enqueue                 lease
    (nothing) ────────────▶ queued ────────────────▶ leased ──────▶ done
                            │ ▲  ▲                   │    │  finish
                     cancel │ │  └───────────────────┘    │
                 (an admin) │ │   give back, expire,      │ fail: no retry can help,
                            ▼ │   fail: back-off or       │ or the deadline has passed
                    cancelled │   parked; any of them     ▼
                            └─┤   and finish, if wanted  dead
                              │   again                   │
                              └───────────────────────────┘
                                    retry (an admin)

- A job names a title or a server, and no command: a run reads the wanted state, so a run too many
  changes nothing.
- `dedup` is unique among queued and leased jobs: a cause that finds a queued job adds nothing; one
  that finds a leased job sets `again`, and the job runs once more after its current run.
- `lane` is unique among leased jobs. The token of the lease fences: only its holder ends the lease,
  and what the run learnt is written in that transaction. When the token is gone, LeaseLostError
  rolls all of it back.
- The clock is PostgreSQL's. A lease lasts longer than a run can, so a killed run never overlaps
  with the next; the guard (jobs/guard.py) covers runs that stall.
- The lease reads the circuit of the server: none of its jobs is leased while the circuit is open
  or the server is misconfigured or disabled, and one at a time, the probe, after three failures.
- Locks: requests, changes of servers (`repository.lock_server_changes`), the server of the title,
  items by id, jobs by `dedup`, servers by id. The end of a run locks its own job, and others only
  if they are free. An admin's change or deletion of a server locks its jobs before the server
  (`repository.lock_of_server`). A lease never waits for a server. Results are written before the
  statement that checks the token; a check without a lock before saves work.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from medianest.core.db import fetch_one, fetch_value
from medianest.jobs import backoff
from medianest.jobs.models import WORKER_LOST, GiveBackError, Job, JobError, LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta
    from uuid import UUID

    from psycopg import Connection

    from medianest.jobs.models import Handler, Kind, Write

# Longer than the 120 seconds of the function.
LEASE_SECONDS = 150
# Failures in a row after which one job at a time probes a server.
PROBE_FAILURES = 3
_LANE_ATTEMPTS = 3
# After so many lost workers a job waits before its next attempt, since it may be the cause.
_QUICK_LOSSES = 3

_FREE: LiteralString = "lease_token = NULL, lease_until = NULL, leased_by = NULL"
_HELD: LiteralString = " WHERE id = %(id)s AND lease_token = %(token)s"
# Jobs that no lane, parked server or probe holds back; `s` is the server, if there is one.
RUNNABLE: LiteralString = (
    " j.state = 'queued' AND j.kind = ANY(%(kinds)s)"
    " AND (s.id IS NULL OR s.enabled AND s.state <> 'misconfigured')"
    " AND NOT EXISTS (SELECT FROM jobs l WHERE l.lane = j.lane AND l.state = 'leased')"
    f" AND (s.id IS NULL OR s.failures < {PROBE_FAILURES} OR NOT EXISTS ("
    "  SELECT FROM jobs p WHERE p.server_id = s.id AND p.state = 'leased'))"
)
_LEASE: LiteralString = (
    "UPDATE jobs SET state = 'leased', lease_token = gen_random_uuid(), again = false,"
    " lease_until = now() + %(seconds)s * interval '1 second', leased_by = %(by)s,"
    " attempts = attempts + 1"
    " WHERE id = (SELECT j.id FROM jobs j LEFT JOIN download_servers s ON s.id = j.server_id"
    f"  WHERE {RUNNABLE} AND j.run_at <= now()"
    "  AND (s.open_until IS NULL OR s.open_until <= now())"
    "  ORDER BY j.run_at LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"
    " RETURNING id, kind, server_id, payload, attempts, lease_token, lease_until, created_at,"
    " deadline_at, deadline_at <= now() AND error->>'code' = %(lost)s IS TRUE AS is_given_up"
)


def enqueue(
    connection: Connection[Any],
    kind: Kind,
    dedup: str,
    payload: dict[str, Any],
    *,
    server_id: UUID | None,
    by_person: bool,
) -> UUID:
    """Add a job in the transaction of its cause, or have the live one run again; return its id.

    A waiting job keeps its attempts and its time, unless a person asked for the retry. Such a job
    keeps no server either: the person may have changed the server of the title.
    """
    job_id: UUID = fetch_value(
        connection,
        "INSERT INTO jobs AS j (kind, dedup, lane, server_id, payload, deadline_at)"
        " VALUES (%(kind)s, %(dedup)s, %(dedup)s, %(server)s, %(payload)s, now() + %(deadline)s)"
        " ON CONFLICT (dedup) WHERE state IN ('queued', 'leased') DO UPDATE SET"
        " again = j.again OR j.state = 'leased',"
        " server_id = CASE WHEN %(person)s THEN excluded.server_id"
        "  ELSE coalesce(excluded.server_id, j.server_id) END,"
        " attempts = CASE WHEN j.state = 'queued' AND %(person)s THEN 0 ELSE j.attempts END,"
        " run_at = CASE WHEN j.state = 'queued' AND %(person)s THEN now() ELSE j.run_at END,"
        " deadline_at = CASE WHEN %(person)s THEN excluded.deadline_at ELSE j.deadline_at END"
        " RETURNING id",
        {
            "kind": kind,
            "dedup": dedup,
            "server": server_id,
            "payload": json.dumps(payload),
            "deadline": backoff.PLANS[kind].deadline,
            "person": by_person,
        },
    )
    return job_id


def lease(connection: Connection[Any], kinds: Collection[Kind], worker: str) -> Job | None:
    """Lease the job that is due first, or return None; a worker leases only kinds that it knows.

    Somebody quicker can take the lane or the probe between the look and the lease, so it is tried
    three times at most. The bell and the sweep find what is left.
    """
    from psycopg.errors import UniqueViolation

    for _ in range(_LANE_ATTEMPTS):
        try:
            with connection.transaction():
                job = fetch_one(
                    connection,
                    Job,
                    _LEASE,
                    {
                        "kinds": list(kinds),
                        "seconds": LEASE_SECONDS,
                        "by": worker,
                        "lost": WORKER_LOST,
                    },
                )
                if job is not None and job.server_id is not None:
                    _check_probe(connection, job)
        except (UniqueViolation, _OtherProbeError):
            continue
        return job
    return None


class _OtherProbeError(Exception):
    """Another worker leased the probe of the server at the same time."""


def _check_probe(connection: Connection[Any], job: Job) -> None:
    """Raise _OtherProbeError unless the job may be leased beside the others of its server.

    The lock of the server's row puts concurrent leases in order: the second sees the first. To wait
    for it, with the job locked, could deadlock.
    """
    failing = "SELECT FROM download_servers WHERE id = %s AND failures >= %s"
    params = (job.server_id, PROBE_FAILURES)
    if connection.execute(failing, params).rowcount == 0:
        return
    locked = connection.execute(f"{failing} FOR NO KEY UPDATE SKIP LOCKED", params)
    others = connection.execute(
        "SELECT FROM jobs WHERE server_id = %s AND state = 'leased' AND id <> %s",
        (job.server_id, job.id),
    )
    if locked.rowcount == 0 or others.rowcount > 0:
        raise _OtherProbeError


def finish(connection: Connection[Any], job: Job, write: Write, handler: Handler) -> None:
    """Write what the run learnt and end the lease: done, or queued if it was wanted again."""
    _held(connection, job)
    write(connection)
    _update(
        connection,
        job,
        "UPDATE jobs SET state = CASE WHEN again THEN 'queued' ELSE 'done' END,"
        " finished_at = CASE WHEN again THEN NULL ELSE now() END,"
        " run_at = CASE WHEN again THEN now() ELSE run_at END,"
        " deadline_at = CASE WHEN again THEN now() + %(deadline)s ELSE deadline_at END,"
        " attempts = CASE WHEN again THEN 0 ELSE attempts END,"
        f" again = false, error = NULL, {_FREE}",
        deadline=backoff.PLANS[job.kind].deadline,
    )
    handler.on_done(connection, job)


def give_back(connection: Connection[Any], job: Job, reason: GiveBackError) -> None:
    """Queue the job again, due at once, as if it had not been leased.

    One that was wanted again meanwhile may have got another server.
    """
    _update(
        connection,
        job,
        "UPDATE jobs SET state = 'queued', again = false, run_at = now(),"
        " attempts = greatest(attempts - 1, 0), server_id = CASE WHEN again THEN server_id"
        " ELSE coalesce(%(server)s, server_id) END,"
        f" {_FREE}",
        server=reason.server_id,
    )


class Held(NamedTuple):
    """A leased job and its server as PostgreSQL has them now."""

    again: bool
    now: datetime
    is_parked: bool
    # How long the circuit stays open; zero when it is closed.
    open_for: timedelta


def fail(connection: Connection[Any], job: Job, error: JobError, handler: Handler) -> bool:
    """End the lease after a failed run; return whether the job is dead.

    - The server is misconfigured: the job is parked. It is queued, but no lease takes it before the
      server is changed or tested. The attempt does not count.
    - The circuit of the server is open: the job runs when it closes. The attempt does not count.
    - No retry can help, or the deadline has passed: dead, unless it was wanted again meanwhile.
    - Otherwise it runs after the pause of its kind. If it was wanted again, at 0 attempts.
    """
    held = _held(connection, job)
    if backoff.is_over(job, error, held.now) and not held.again:
        try:
            with connection.transaction():
                handler.on_dead(connection, job, error)
                _bury(connection, job, error)
                handler.on_failed(connection, job, error)
        except _WantedAgainError:
            pass  # queued below, which fails if the lease is lost
        else:
            return True
    _update(connection, job, "UPDATE jobs SET error = %(error)s", error=_error(error))
    handler.on_failed(connection, job, error)
    held = _held(connection, job)
    if error.cls == "misconfigured" and held.is_parked:
        _requeue(connection, job, error, backoff.NOW, is_counted=False)
    elif error.cls == "unreachable" and held.open_for > backoff.NOW:
        _requeue(connection, job, error, held.open_for, is_counted=False)
    else:
        _requeue(connection, job, error, backoff.pause(job, error), is_counted=True)
    return False


class _WantedAgainError(Exception):
    """The job was wanted again while its failure was written, or its lease is lost."""


def _bury(connection: Connection[Any], job: Job, error: JobError) -> None:
    buried = connection.execute(
        "UPDATE jobs SET state = 'dead', finished_at = now(), error = %(error)s,"
        f" {_FREE}{_HELD} AND NOT again",
        {"id": job.id, "token": job.lease_token, "error": _error(error)},
    )
    if buried.rowcount == 0:
        raise _WantedAgainError


def _requeue(
    connection: Connection[Any],
    job: Job,
    error: JobError,
    pause: timedelta,
    *,
    is_counted: bool,
) -> None:
    """Queue the job; one that was wanted again starts from 0 attempts."""
    _update(
        connection,
        job,
        "UPDATE jobs SET state = 'queued', error = %(error)s,"
        " run_at = now() + CASE WHEN again THEN least(%(pause)s, %(first)s) ELSE %(pause)s END,"
        " deadline_at = CASE WHEN again THEN now() + %(deadline)s ELSE deadline_at END,"
        " attempts = CASE WHEN again THEN 0 ELSE greatest(attempts - %(uncounted)s, 0) END,"
        f" again = false, {_FREE}",
        error=_error(error),
        pause=pause,
        first=backoff.step(job.kind, 1),
        deadline=backoff.PLANS[job.kind].deadline,
        uncounted=0 if is_counted else 1,
    )


def expire(connection: Connection[Any]) -> int:
    """Queue the jobs whose lease has expired; return their number.

    At first they run at once; after three attempts in a row they wait as after a failure.
    """
    rows = connection.execute(
        "SELECT id, kind, attempts FROM jobs WHERE state = 'leased' AND lease_until <= now()"
        " ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED"
    ).fetchall()
    for job_id, kind, attempts in rows:
        wait = backoff.step(kind, attempts) if attempts > _QUICK_LOSSES else backoff.NOW
        connection.execute(
            "UPDATE jobs SET state = 'queued', run_at = now() + %s, error = %s,"
            f" {_FREE} WHERE id = %s",
            (wait, _error(JobError("unsure", WORKER_LOST, "The worker was lost.")), job_id),
        )
    return len(rows)


def _held(connection: Connection[Any], job: Job) -> Held:
    """Return the current state of a leased job, without a lock; raises LeaseLostError."""
    held = fetch_one(
        connection,
        Held,
        "SELECT j.again, now() AS now, coalesce(s.state = 'misconfigured', false) AS is_parked,"
        " coalesce(greatest(s.open_until - now(), '0'), '0') AS open_for FROM jobs j"
        " LEFT JOIN download_servers s ON s.id = j.server_id"
        " WHERE j.id = %s AND j.lease_token = %s",
        (job.id, job.lease_token),
    )
    if held is None:
        raise LeaseLostError
    return held


def _update(
    connection: Connection[Any], job: Job, statement: LiteralString, **params: object
) -> None:
    """Change a leased job, which locks its row; raises LeaseLostError without the token."""
    ended = connection.execute(
        statement + _HELD, {"id": job.id, "token": job.lease_token, **params}
    )
    if ended.rowcount == 0:
        raise LeaseLostError


def _error(error: JobError) -> str:
    return json.dumps({"class": error.cls, "code": error.code, "message": error.message})
