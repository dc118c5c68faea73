"""The protocol of jobs, rule by rule, on PostgreSQL."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from medianest.core.db import database
from medianest.jobs import protocol
from medianest.jobs.models import GiveBackError, Handler, Job, JobError, LeaseLostError
from tests.support.jobs import (
    add_job,
    add_server,
    fail,
    field,
    finish,
    lease,
    leased,
    nothing,
    set_columns,
    wait_of,
)

type Db = psycopg.Connection[tuple[Any, ...]]


def test_a_second_cause_finds_the_queued_job_and_leaves_its_time_and_attempts(db: Db) -> None:
    first = add_job(603)
    fail(leased(), "unsure", "TIMED_OUT", "No answer")
    wait = wait_of(db, first)
    assert add_job(603) == first
    assert wait_of(db, first) == pytest.approx(wait, abs=1)
    assert field(db, first, "(state, again, attempts)::text") == "(queued,f,1)"


def test_a_persons_retry_makes_a_waiting_job_due_and_anew(db: Db) -> None:
    job_id = add_job(603)
    fail(leased(), "unsure", "TIMED_OUT", "No answer")
    set_columns(db, "jobs", job_id, deadline_at="now()")
    assert add_job(603, by_person=True) == job_id
    assert wait_of(db, job_id) <= 0
    assert field(db, job_id, "attempts") == 0
    assert field(db, job_id, "deadline_at > now() + interval '6 days'")


def test_a_cause_that_rolls_back_leaves_no_job(db: Db) -> None:
    def approve() -> None:
        with database().transaction():
            add_job(603)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        approve()
    assert db.execute("SELECT FROM jobs").rowcount == 0


def test_a_job_that_is_wanted_again_while_it_runs_runs_once_more(db: Db) -> None:
    job_id = add_job(603)
    job = leased()
    assert add_job(603) == job_id
    finish(job)
    assert field(db, job_id, "(state, again, attempts, lease_token)::text") == "(queued,f,0,)"
    finish(leased())
    assert field(db, job_id, "state") == "done"
    assert add_job(603) != job_id


def test_a_lease_takes_the_job_that_is_due_first_and_none_twice(db: Db) -> None:
    later, earlier = add_job(1), add_job(2)
    set_columns(db, "jobs", earlier, run_at="now() - interval '1 minute'")
    set_columns(db, "jobs", add_job(3), run_at="now() + interval '1 second'")
    assert [leased().id, leased().id, lease()] == [earlier, later, None]
    assert field(db, later, "round(extract(epoch FROM lease_until - now()) / 5) * 5") == 150


def test_a_worker_leases_only_the_kinds_that_it_knows(db: Db) -> None:
    add_job(603)
    with database().transaction() as connection:
        assert protocol.lease(connection, ["inventory"], "tests") is None
        assert protocol.lease(connection, ["handover"], "tests") is not None


def test_one_job_of_a_lane_is_leased_at_a_time(db: Db) -> None:
    for number in (1, 2):
        set_columns(db, "jobs", add_job(number), lane="shared")
    job = leased()
    assert lease() is None
    finish(job)
    assert leased().id != job.id


@pytest.mark.parametrize(
    "columns",
    [
        {"open_until": "now() + interval '1 minute'"},
        {"state": "misconfigured"},
        {"enabled": False},
    ],
)
def test_no_job_of_a_server_that_is_away_is_leased(db: Db, columns: dict[str, object]) -> None:
    server = add_server(db)
    set_columns(db, "download_servers", server, **columns)
    add_job(1, server)
    other = add_job(2, add_server(db, "Other"))
    assert leased().id == other
    assert lease() is None
    set_columns(db, "download_servers", server, state="ok", open_until=None, enabled=True)
    assert leased().server_id == server


def test_a_failing_server_gets_one_job_at_a_time_as_a_probe(db: Db) -> None:
    server = add_server(db, failures=3, state="unreachable", open_until="now() - interval '1 s'")
    add_job(1, server)
    add_job(2, server)
    probe = leased()
    assert lease() is None
    set_columns(db, "download_servers", server, failures=0)
    assert leased().id != probe.id


def test_the_result_of_a_run_is_written_with_the_end_of_its_lease(db: Db) -> None:
    job_id = add_job(603)
    finish(leased(), lambda connection: note(connection, "result"))
    assert field(db, job_id, "state") == "done"
    assert notes(db) == ["result"]


def test_a_result_after_the_lease_expired_is_dropped(db: Db) -> None:
    job_id = add_job(603)
    job = leased()
    set_columns(db, "jobs", job_id, lease_until="now() - interval '1 second'")
    assert expire() == 1
    second = leased()
    with pytest.raises(LeaseLostError):
        finish(job, lambda connection: note(connection, "stale"))
    with pytest.raises(LeaseLostError):
        fail(job, "never", "STALE", "Stale", handler=Handler(nothing, on_dead=note_dead))
    with pytest.raises(LeaseLostError), database().transaction() as connection:
        protocol.give_back(connection, job, GiveBackError())
    assert notes(db) == []
    finish(second)


def test_a_lease_that_expires_while_its_result_is_written_drops_the_result(db: Db) -> None:
    job_id = add_job(603)
    job = leased()

    def write(connection: Any) -> None:
        note(connection, "stale")
        set_columns(db, "jobs", job_id, lease_until="now() - interval '1 second'")
        # As another worker's round, on its own connection.
        with db.transaction():
            assert protocol.expire(db) == 1

    with pytest.raises(LeaseLostError):
        finish(job, write)
    assert notes(db) == []
    assert field(db, job_id, "state") == "queued"


def test_a_job_that_is_given_back_is_due_without_an_attempt_and_may_get_its_server(db: Db) -> None:
    job_id = add_job(603)
    server = add_server(db)
    with database().transaction() as connection:
        protocol.give_back(connection, leased(), GiveBackError(server))
    assert field(db, job_id, "(state, attempts, server_id)::text") == f"(queued,0,{server})"
    assert wait_of(db, job_id) <= 0


def test_a_job_that_a_person_has_retried_is_not_given_back_to_its_old_server(db: Db) -> None:
    job_id = add_job(603)
    job = leased()
    add_job(603, by_person=True)
    with database().transaction() as connection:
        protocol.give_back(connection, job, GiveBackError(add_server(db)))
    assert field(db, job_id, "server_id") is None


def test_an_expired_lease_is_due_at_once_and_later_backs_off(db: Db) -> None:
    job_id = add_job(603)
    for attempts, wait in ((1, 0), (2, 0), (3, 0), (4, 600)):
        set_columns(db, "jobs", job_id, run_at="now()")
        assert leased().attempts == attempts
        assert expire() == 0
        set_columns(db, "jobs", job_id, lease_until="now() - interval '1 second'")
        assert expire() == 1
        assert wait_of(db, job_id) == pytest.approx(wait, abs=2)


def test_a_failed_job_waits_longer_each_time_and_dies_after_its_deadline(db: Db) -> None:
    job_id = add_job(603)
    for seconds in (10, 30, 120):
        assert not fail(leased(), "unreachable", "TIMED_OUT", "No answer")
        assert 0.75 * seconds <= wait_of(db, job_id) <= 1.2 * seconds
        set_columns(db, "jobs", job_id, run_at="now()")
    set_columns(db, "jobs", job_id, deadline_at="now() - interval '1 second'")
    handler = Handler(nothing, on_dead=note_dead)
    assert fail(leased(), "unreachable", "TIMED_OUT", "No answer", handler=handler)
    assert field(db, job_id, "(state, attempts, error->>'code')::text") == "(dead,4,TIMED_OUT)"
    assert notes(db) == ["TIMED_OUT"]


def test_a_failure_that_no_retry_can_change_is_dead_at_once(db: Db) -> None:
    job_id = add_job(603)
    assert fail(leased(), "never", "REJECTED", "No", handler=Handler(nothing, on_dead=note_dead))
    assert field(db, job_id, "state") == "dead"
    assert notes(db) == ["REJECTED"]


def test_a_dead_job_that_was_wanted_again_meanwhile_begins_anew(db: Db) -> None:
    job_id = add_job(603)
    job = leased()
    add_job(603)
    assert not fail(job, "never", "REJECTED", "No", handler=Handler(nothing, on_dead=note_dead))
    assert field(db, job_id, "(state, again, attempts)::text") == "(queued,f,0)"
    assert notes(db) == []


def test_a_job_that_is_wanted_again_while_its_death_is_written_lives_on(db: Db) -> None:
    job_id = add_job(603)
    job = leased()

    def on_dead(connection: Any, _: Job, error: JobError) -> None:
        note(connection, error.code)
        set_columns(db, "jobs", job_id, again=True)  # on another connection

    assert not fail(job, "never", "REJECTED", "No", handler=Handler(nothing, on_dead=on_dead))
    assert field(db, job_id, "(state, again, attempts)::text") == "(queued,f,0)"
    assert notes(db) == []


def test_a_title_that_the_server_does_not_know_yet_is_tried_daily_for_14_days(db: Db) -> None:
    job_id = add_job(603)
    day = 86_400
    for age in (0, 8, 13):  # days; the deadline of other failures is 7
        set_columns(
            db, "jobs", job_id, run_at="now()", deadline_at=f"now() + interval '{7 - age} days'"
        )
        assert not fail(leased(), "not_yet", "SEASON_UNKNOWN", "Not yet")
        assert 0.75 * day <= wait_of(db, job_id) <= day
    set_columns(db, "jobs", job_id, run_at="now()", deadline_at="now() - interval '7 days'")
    assert fail(leased(), "not_yet", "SEASON_UNKNOWN", "Not yet")


def test_a_retry_after_is_honoured_up_to_six_hours(db: Db) -> None:
    job_id = add_job(603)
    for asked, wait in ((1200, 1200), (86_400, 21_600)):
        fail(leased(), "unreachable", "BUSY", "Later", asked)
        assert wait_of(db, job_id) == pytest.approx(wait, abs=2)
        set_columns(db, "jobs", job_id, run_at="now()")


def mark(**columns: object) -> Handler:
    """Return a handler whose failure changes the server, as its circuit does."""

    def on_failed(connection: Any, job: Job, _: JobError) -> None:
        set_columns(connection, "download_servers", job.server_id, **columns)

    return Handler(nothing, on_failed=on_failed, on_dead=note_dead)


def test_a_job_of_a_misconfigured_server_is_parked_without_an_attempt(db: Db) -> None:
    job_id = add_job(603, add_server(db))
    set_columns(db, "jobs", job_id, deadline_at="now() - interval '1 day'")
    handler = mark(state="misconfigured")
    assert not fail(leased(), "misconfigured", "API_KEY_REJECTED", "401", handler=handler)
    assert field(db, job_id, "(state, attempts)::text") == "(queued,0)"
    assert lease() is None
    db.execute("UPDATE download_servers SET state = 'ok'")
    assert leased().id == job_id


def test_a_job_of_a_server_whose_circuit_opens_waits_for_it_without_an_attempt(db: Db) -> None:
    job_id = add_job(603, add_server(db))
    handler = mark(failures=3, open_until="now() + interval '60 seconds'")
    assert not fail(leased(), "unreachable", "REFUSED", "No answer", handler=handler)
    assert field(db, job_id, "attempts") == 0
    assert wait_of(db, job_id) == pytest.approx(60, abs=2)


def test_a_misconfigured_failure_without_a_parked_server_backs_off(db: Db) -> None:
    job_id = add_job(603)
    assert not fail(leased(), "misconfigured", "NO_FOLDER", "No")
    assert field(db, job_id, "attempts") == 1
    assert wait_of(db, job_id) > 5


def expire() -> int:
    with database().transaction() as connection:
        return protocol.expire(connection)


def note(connection: Any, text: str) -> None:
    connection.execute("INSERT INTO system_config (key, value) VALUES (%s, '1')", (text,))


def note_dead(connection: Any, job: Job, error: JobError) -> None:
    assert isinstance(job.id, UUID)
    note(connection, error.code)


def notes(db: Db) -> list[str]:
    return [row[0] for row in db.execute("SELECT key FROM system_config WHERE key !~ '^rateLimit'")]
