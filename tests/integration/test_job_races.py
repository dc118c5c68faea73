"""Races of jobs: causes, leases, ends and admins at once."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

import psycopg
import pytest

from medianest.jobs import protocol, repository
from medianest.jobs.models import Handler, Job, JobError, LeaseLostError
from tests.support.api import call
from tests.support.concurrency import at_once, codes
from tests.support.jobs import (
    KINDS,
    add_job,
    add_server,
    enqueue,
    fail,
    field,
    leased,
    nothing,
    opened,
    set_columns,
)

type Db = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connect(app_database_url: str) -> Iterator[Callable[[], Db]]:
    """Return a function that opens a connection of its own, as another process has."""
    with opened(app_database_url) as new:
        yield new


def lease(connection: Db) -> Job | None:
    with connection.transaction():
        return protocol.lease(connection, KINDS, "tests")


def test_of_twenty_causes_at_once_one_job_comes(db: Db, connect: Callable[[], Db]) -> None:
    for tmdb_id in range(1, 6):
        calls = [partial(enqueue, connect(), tmdb_id) for _ in range(20)]
        assert len(set(at_once(calls))) == 1
    assert db.execute("SELECT FROM jobs").rowcount == 5


def test_each_job_is_leased_once_by_workers_at_once(db: Db, connect: Callable[[], Db]) -> None:
    ids = {add_job(number) for number in range(30)}
    connections = [connect() for _ in range(8)]

    def take(connection: Db) -> list[UUID]:
        taken = []
        while job := lease(connection):
            taken.append(job.id)
        return taken

    found = at_once([partial(take, each) for each in connections])
    assert sorted(chain(*found)) == sorted(ids)


def test_one_lane_has_one_lease_however_many_ask(db: Db, connect: Callable[[], Db]) -> None:
    for number in range(12):
        set_columns(db, "jobs", add_job(number), lane="shared")
    jobs = at_once([partial(lease, connect()) for _ in range(8)])
    assert len([job for job in jobs if job]) == 1


def test_a_failing_server_has_one_probe_however_many_ask(db: Db, connect: Callable[[], Db]) -> None:
    connections = [connect() for _ in range(8)]
    for number in range(10):
        db.execute("DELETE FROM jobs; DELETE FROM download_servers")
        server = add_server(db, f"Films {number}", failures=3, state="unreachable")
        for tmdb_id in range(12):
            add_job(tmdb_id, server)
        jobs = at_once([partial(lease, each) for each in connections])
        assert len([job for job in jobs if job]) == 1


def test_a_cause_that_comes_while_a_job_ends_runs_it_once_more(
    db: Db, connect: Callable[[], Db]
) -> None:
    ends, causes = connect(), connect()
    for number in range(60):
        first = enqueue(db, number)
        job = leased()

        def finish(job: Job = job) -> None:
            time.sleep(random.random() / 500)
            with ends.transaction():
                protocol.finish(ends, job, lambda _: None, Handler(nothing))

        calls: list[Callable[[], object]] = [finish, partial(enqueue, causes, number)]
        at_once(calls)
        # The same job again, or a new one if it had ended: never neither.
        again = leased()
        assert again.payload["tmdbId"] == number
        assert (again.id == first) == (field(db, first, "state") == "leased")
        with db.transaction():
            protocol.finish(db, again, lambda _: None, Handler(nothing))


def test_a_cause_waits_for_the_end_of_a_run_that_is_being_written(
    db: Db, connect: Callable[[], Db]
) -> None:
    first = enqueue(db, 1)
    job = leased()
    ends = connect()
    with ThreadPoolExecutor() as pool:
        with ends.transaction():
            protocol.finish(ends, job, lambda _: None, Handler(nothing))
            cause = pool.submit(enqueue, connect(), 1)
        second = cause.result(10)
    assert second != first
    assert (field(db, first, "state"), field(db, second, "state")) == ("done", "queued")


def test_an_end_waits_for_a_cause_that_commits_later(db: Db, connect: Callable[[], Db]) -> None:
    first = enqueue(db, 1)
    job = leased()
    causes, ends = connect(), connect()

    def finish() -> None:
        with ends.transaction():
            protocol.finish(ends, job, lambda _: None, Handler(nothing))

    with ThreadPoolExecutor() as pool:
        with causes.transaction():
            assert enqueue(causes, 1) == first
            end = pool.submit(finish)
        end.result(10)
    assert field(db, first, "state") == "queued"


def test_a_job_is_cancelled_or_leased_never_both(
    db: Db, people: dict[str, str], connect: Callable[[], Db]
) -> None:
    connection = connect()
    for number in range(25):
        job_id = add_job(number)

        def cancel(job_id: UUID = job_id) -> str:
            path = f"/api/admin/jobs/{job_id}/cancel"
            return next(iter(codes([call("POST", path, token=people["alice"])])))

        def take(delay: float = random.random() / 60) -> str:
            time.sleep(delay)
            return "leased" if lease(connection) else "none"

        with ThreadPoolExecutor() as pool:
            taken = pool.submit(take)
            cancelled = cancel()
        state = field(db, job_id, "state")
        assert (cancelled, taken.result(), state) in {
            ("200", "none", "cancelled"),
            ("INVALID_STATE", "leased", "leased"),
        }


def test_retries_while_a_worker_fails_leave_one_live_job(
    db: Db, people: dict[str, str], connect: Callable[[], Db]
) -> None:
    connection = connect()
    for number in range(20):
        job_id = add_job(number)
        job = leased()

        def die(job: Job = job, delay: float = random.random() / 60) -> None:
            time.sleep(delay)
            error = JobError("never", "REJECTED", "No")
            with connection.transaction():
                protocol.fail(connection, job, error, Handler(nothing))

        path = f"/api/admin/jobs/{job_id}/retry"
        with ThreadPoolExecutor() as pool:
            death = pool.submit(die)
            assert call("POST", path, token=people["alice"]).status == 200
        death.result()
        # Before the end `again` was set; after it, the dead job was revived.
        assert field(db, job_id, "(state, again, attempts)::text") == "(queued,f,0)"
        db.execute("DELETE FROM jobs")


def test_two_workers_that_open_a_circuit_leave_both_jobs_waiting_for_it(
    db: Db, connect: Callable[[], Db]
) -> None:
    server = add_server(db, failures=2)
    ids = [add_job(number, server) for number in (1, 2)]
    jobs = [leased(), leased()]

    def open_circuit(connection: Any, job: Job, _: JobError) -> None:
        connection.execute(
            "UPDATE download_servers SET failures = failures + 1, state = 'unreachable',"
            " open_until = now() + interval '1 minute' WHERE id = %s",
            (job.server_id,),
        )

    def end(connection: Db, job: Job) -> None:
        error = JobError("unreachable", "REFUSED", "No answer")
        with connection.transaction():
            protocol.fail(connection, job, error, Handler(nothing, on_failed=open_circuit))

    at_once([partial(end, connect(), job) for job in jobs])
    for job_id in ids:
        assert field(db, job_id, "(state, attempts)::text") == "(queued,0)"
        assert field(db, job_id, "run_at > now() + interval '50 seconds'")


def test_a_success_that_frees_jobs_does_not_deadlock_with_leases_and_causes(
    db: Db, connect: Callable[[], Db]
) -> None:
    server = add_server(db, failures=3, state="unreachable")
    stop = time.monotonic() + 4

    def work(connection: Db) -> int:
        done = 0
        while time.monotonic() < stop:
            if (job := lease(connection)) is None:
                continue

            def on_done(inner: Any, _: Job) -> None:
                inner.execute(
                    "UPDATE download_servers SET failures = 3 - failures WHERE id = %s", (server,)
                )
                repository.make_due(inner, server)

            with connection.transaction():
                handler = Handler(nothing, on_done=on_done)
                protocol.finish(connection, job, lambda _: None, handler)
            done += 1
        return done

    def cause(connection: Db) -> int:
        number = 0
        while time.monotonic() < stop:
            number += 1
            # In one order, as approvals of many titles.
            with connection.transaction():
                for tmdb_id in (number % 7 + 1, number % 7 + 8):
                    protocol.enqueue(
                        connection,
                        "handover",
                        f"handover:movie:{tmdb_id}",
                        {},
                        server_id=server,
                        by_person=True,
                    )
        return number

    calls = [partial(work, connect()) for _ in range(4)]
    counts = at_once([*calls, partial(cause, connect()), partial(cause, connect())])
    assert all(counts[-2:])
    assert sum(counts[:4]) > 10


def test_a_job_that_ends_twice_at_once_ends_once(db: Db, connect: Callable[[], Db]) -> None:
    job_id = add_job(1)
    job = leased()
    fail(job, "unsure", "TIMED_OUT", "No answer")
    with pytest.raises(LeaseLostError):
        fail(job, "never", "REJECTED", "No")
    assert field(db, job_id, "state") == "queued"
