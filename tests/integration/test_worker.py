"""The worker: rounds of jobs, bells of a batch, scheduled tasks."""

import importlib
import io
import json
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import redis

from medianest.core.cache import shared_cache
from medianest.core.db import Database, database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import flush_metrics
from medianest.jobs import bell, protocol, worker
from medianest.jobs.models import GiveBackError, Job, JobError, MayChange, Write
from tests.support.api import LambdaContext
from tests.support.job_queue import noted_bells
from tests.support.jobs import (
    add_job,
    add_server,
    field,
    leased,
    nothing,
    running,
    set_columns,
    wait_of,
)

type Db = psycopg.Connection[tuple[Any, ...]]
type Run = Callable[[Job, MayChange], Write]


def handle(event: dict[str, Any], seconds_left: float = 120) -> dict[str, Any]:
    module = importlib.import_module("functions.worker.app")
    context = LambdaContext(seconds_left=seconds_left)
    result: dict[str, Any] = json.loads(json.dumps(module.handler(event, context)))
    return result


def batch(*bodies: object) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "body": json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
    }


def raising(error: Exception) -> Run:
    def run(_: Job, __: MayChange) -> Write:
        raise error

    return run


def test_all_bells_of_a_batch_are_one_round_that_runs_what_is_due(db: Db, keys: object) -> None:
    ids = [add_job(number) for number in (1, 2, 3)]
    ran: list[int] = []

    def run(job: Job, guard: MayChange) -> Write:
        assert guard.may_change()
        ran.append(job.payload["tmdbId"])
        return lambda _: None

    with running(run):
        assert handle(batch({}, {}, {})) == {"batchItemFailures": []}
    assert ran == [1, 2, 3]
    assert {field(db, each, "state") for each in ids} == {"done"}


def test_a_failed_job_and_a_crashed_one_leave_the_others_running(
    db: Db, keys: object, logs: io.StringIO
) -> None:
    first, second, unwritable, unreadable, third = map(add_job, range(1, 6))

    def too_large(connection: psycopg.Connection[Any]) -> None:
        connection.execute("SELECT 2147483648::integer")

    def run(job: Job, _: MayChange) -> Write:
        if job.id == first:
            raise JobError("never", "REJECTED", "No")
        if job.id == second:
            raise ZeroDivisionError
        if job.id == unreadable:
            raise JobError("never", "REJECTED", "PostgreSQL stores no \0")
        if job.id == unwritable:
            return too_large
        return lambda _: None

    with running(run):
        result = worker.run(lambda: 120.0)
    assert result._asdict() == {"done": 1, "failed": 4, "given_back": 0, "lost": 0, "more": False}
    assert field(db, first, "state") == "dead"
    for crashed in (second, unwritable, unreadable):
        assert field(db, crashed, "(state, error->>'code')::text") == "(queued,INTERNAL_ERROR)"
    assert field(db, third, "state") == "done"
    assert "job_crashed" in logs.getvalue()


def test_a_job_whose_call_may_not_begin_any_more_goes_back(db: Db, keys: object) -> None:
    job_id = add_job(1)
    seconds = iter([41.0, 34.0, 34.0, 34.0])

    def run(_: Job, guard: MayChange) -> Write:
        assert not guard.may_change()
        raise GiveBackError

    with running(run):
        result = worker.run(lambda: next(seconds))
    assert (result.given_back, result.more) == (1, True)
    assert field(db, job_id, "(state, attempts)::text") == "(queued,0)"


def test_no_job_begins_in_the_last_40_seconds(db: Db, keys: object) -> None:
    add_job(1)
    with running(raising(AssertionError())):
        assert worker.run(lambda: 39.0).more


def test_the_result_of_a_job_whose_lease_was_lost_is_dropped(
    db: Db, keys: object, logs: io.StringIO
) -> None:
    job_id = add_job(1)

    def run(job: Job, _: MayChange) -> Write:
        if job.attempts > 1:
            return lambda _: None
        set_columns(db, "jobs", job_id, lease_until="now() - interval '1 second'")
        return lambda connection: set_columns(connection, "jobs", job_id, leased_by="stale")

    with running(run):
        # The next round of this worker expires the lease only after the result was written, so
        # another one does.
        def stale(job: Job, guard: MayChange) -> Write:
            write = run(job, guard)
            if job.attempts == 1:
                leased_again(db)
            return write

        with running(stale):
            result = worker.run(lambda: 120.0)
    assert (result.lost, result.done) == (1, 1)
    assert field(db, job_id, "(state, attempts)::text") == "(done,2)"
    assert "job_lease_lost" in logs.getvalue()


def leased_again(db: Db) -> None:
    """Expire leases as another worker does."""
    with db.transaction():
        assert protocol.expire(db) == 1


def test_a_job_whose_workers_were_lost_until_its_deadline_is_given_up(db: Db, keys: object) -> None:
    job_id = add_job(1)
    leased()
    set_columns(
        db,
        "jobs",
        job_id,
        lease_until="now() - interval '1 s'",
        deadline_at="now() - interval '1 s'",
    )
    dead: list[str] = []
    with running(raising(AssertionError()), on_dead=lambda _, __, error: dead.append(error.code)):
        assert worker.run(lambda: 120.0).failed == 1
    assert dead == ["WORKER_LOST"]
    assert field(db, job_id, "state") == "dead"


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AppError(ErrorCode.DATABASE_CONNECTION_ERROR)

    monkeypatch.setattr(Database, "_begin", refuse)
    monkeypatch.setattr(Database, "read", refuse)


def test_a_batch_is_returned_while_the_database_is_down(
    db: Db, keys: object, no_database: None
) -> None:
    with running(nothing):
        assert handle(batch({}, {})) == {
            "batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
        }


def test_early_bells_are_passed_on_without_the_database(
    db: Db, keys: object, no_database: None
) -> None:
    later = time.time() + 5000
    with noted_bells() as messages:
        event = batch({"notBefore": later, "id": "a"}, {"notBefore": later + 60, "id": "b"})
        assert handle(event) == {"batchItemFailures": []}
    assert messages == [({"notBefore": later, "id": "a"}, 900)]


def test_the_worker_rings_for_the_next_job(db: Db, keys: redis.Redis) -> None:
    near, far = add_job(1), add_job(2)
    set_columns(db, "jobs", far, run_at="now() + interval '2 hours'")
    set_columns(db, "jobs", near, run_at="now() + interval '5 minutes'")
    with running(nothing), noted_bells() as messages:
        worker.run(lambda: 120.0)
        worker.run(lambda: 120.0)  # the bell is on its way
        set_columns(db, "jobs", near, run_at="now() + interval '3 hours'")
        keys.flushdb()
        worker.run(lambda: 120.0)
        set_columns(db, "jobs", far, run_at="now() + interval '1 hour'")
        worker.run(lambda: 120.0)  # earlier than the one on its way
    assert [delay for _, delay in messages] == [300, 900, 900]
    hours = [(float(str(body["notBefore"])) - time.time()) / 3600 for body, _ in messages]
    assert hours == pytest.approx([1 / 12, 2, 1], abs=0.01)


def test_a_server_that_is_away_is_rung_for_when_its_circuit_closes(db: Db, keys: object) -> None:
    server = add_server(db, open_until="now() + interval '10 minutes'")
    add_job(1, server)
    add_job(2, add_server(db, "Parked", state="misconfigured"))
    with running(nothing), noted_bells() as messages:
        assert not worker.run(lambda: 120.0).more
    assert [delay for _, delay in messages] == [600]


def test_a_worker_without_time_rings_for_another(db: Db, keys: object) -> None:
    add_job(1)
    with running(nothing), noted_bells() as messages:
        worker.run(lambda: 39.0)
    assert messages == [({}, 0)]


def test_of_two_chains_of_bells_the_later_one_ends(db: Db, keys: object) -> None:
    now = time.time()
    with noted_bells() as messages:
        bell.pass_on(bell.Bell(now + 9000, "late"))
        bell.pass_on(bell.Bell(now + 5000, "early"))
        for name, seconds in (("late", 9000), ("early", 5000)):
            bell.pass_on(bell.Bell(now + seconds, name))
    assert [body["id"] for body, _ in messages] == ["late", "early", "early"]


def test_bells_are_passed_on_while_the_cache_is_down(
    db: Db, keys: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache(), "_paused_until", time.monotonic() + 60)
    with noted_bells() as messages:
        for name in ("a", "b"):
            bell.pass_on(bell.Bell(time.time() + 60, name))
    assert len(messages) == 2


def test_a_bell_that_fails_is_counted_and_leaves_room_for_the_next(
    db: Db, keys: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    with noted_bells(status=500):
        flush_metrics()
        capsys.readouterr()
        bell.ring()
        bell.ring_in(60)
        flush_metrics()
    assert '"BellFailed":[1.0,1.0]' in capsys.readouterr().out
    assert keys.keys() == []


def test_without_a_queue_there_is_no_bell(db: Db, keys: redis.Redis) -> None:
    bell.ring()
    bell.ring_in(60)
    assert keys.keys() == []


def test_the_checks_ask_the_servers_that_have_titles_without_a_file(
    db: Db, people: dict[str, str]
) -> None:
    waiting, idle = add_server(db), add_server(db, "Idle")
    parked = add_server(db, "Parked", state="misconfigured")
    for number, server in ((1, waiting), (2, idle), (3, parked)):
        db.execute(
            "INSERT INTO handovers (media_type, tmdb_id, server_id, submitted_at)"
            " VALUES ('movie', %s, %s, now())",
            (number, server),
        )
    db.execute(
        "WITH r AS (INSERT INTO media_requests (user_id, media_type, tmdb_id, title, status,"
        " processed_at)"
        " SELECT id, 'movie', n, 'A film', 'approved', now() FROM users, generate_series(1, 3) AS n"
        " WHERE username = 'bob' RETURNING id, tmdb_id)"
        " INSERT INTO request_items (request_id, media_type, tmdb_id, active, fulfilment)"
        " SELECT id, 'movie', tmdb_id, true,"
        " CASE WHEN tmdb_id = 2 THEN 'downloaded' ELSE 'submitted' END FROM r"
    )
    ran: list[tuple[str, object]] = []

    def run(job: Job, _: MayChange) -> Write:
        ran.append((job.kind, job.server_id))
        return lambda _: None

    with running(run):
        assert handle({"task": "checks"})["done"] == 1
        assert handle({"task": "inventories"})["done"] == 2  # the parked one waits
    assert ran[0] == ("check", waiting)
    assert sorted(ran[1:], key=str) == sorted(
        [("inventory", waiting), ("inventory", idle)], key=str
    )


def test_the_sweep_runs_what_a_lost_bell_left_and_reports_the_backlog(
    db: Db, keys: object, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = add_job(1)
    set_columns(db, "jobs", job_id, run_at="now() - interval '20 minutes'")
    add_server(db, state="unreachable", state_at="now() - interval '2 hours'")
    for number, minutes in enumerate((59, 61, 1), 2):
        db.execute(
            "UPDATE jobs SET state = 'dead', finished_at = now() - make_interval(mins => %s)"
            " WHERE id = %s",
            (minutes, add_job(number)),
        )
    with running(nothing):
        assert handle({"task": "sweep"})["done"] == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert found[-1]["OldestDueJob"] == [pytest.approx(1200, abs=5)]
    assert found[-1]["ServerAway"] == [pytest.approx(7200, abs=5)]
    assert found[-1]["DeadJobs"] == [2]


def test_an_unknown_task_is_an_error(db: Db) -> None:
    with pytest.raises(Exception, match="unknown task 'dance'; the tasks are: sweep, checks"):
        handle({"task": "dance"})


def test_a_job_goes_on_after_the_database_was_down(db: Db, keys: object) -> None:
    job_id = add_job(1)

    def run(_: Job, __: MayChange) -> Write:
        raise AppError(ErrorCode.DATABASE_CONNECTION_ERROR)

    with running(run):
        assert handle(batch({})) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert field(db, job_id, "state") == "leased"
    set_columns(db, "jobs", job_id, lease_until="now() - interval '1 second'")
    with running(nothing):
        assert handle({"task": "sweep"})["done"] == 1
    assert wait_of(db, job_id) <= 0
    database().close()
