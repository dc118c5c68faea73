"""The scheduled clean-up tasks."""

import importlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medianest.cleanup import service
from medianest.core.db import database
from medianest.system_config import service as system_config
from tests.support import plex
from tests.support.api import TEMPLATE, LambdaContext, call, run_schedule
from tests.support.local import eventually
from tests.support.paused_run import PausedRun, started_run
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]


def add_sessions(db: Db, number: int, *, expired: bool) -> None:
    db.execute(
        "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
        " SELECT (SELECT id FROM users LIMIT 1), now() + %s * interval '1 hour', '203.0.113.7', 't'"
        " FROM generate_series(1, %s)",
        (-1 if expired else 1, number),
    )


def test_only_expired_sessions_are_deleted(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 1203, expired=True)
    add_sessions(db, 5, expired=False)
    assert run_schedule("ExpiredSessions") == {
        "task": "sessions",
        "deleted": 1203,
        "more": False,
    }
    assert count(db, "sessions") == 5 + len(people)
    assert run_schedule("ExpiredSessions")["deleted"] == 0
    assert call("GET", "/api/auth/me", token=people["bob"]).status == 200


def test_sessions_revoked_eight_days_ago_are_deleted(db: Db, people: dict[str, str]) -> None:
    call("POST", "/api/auth/logout", token=people["bob"])
    assert run_schedule("ExpiredSessions")["deleted"] == 0
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '8 days' WHERE revoked_at IS NOT NULL"
    )
    assert run_schedule("ExpiredSessions")["deleted"] == 1
    assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"


def test_batch_of_expired_and_revoked_sessions_is_limited_to_500(
    db: Db, people: dict[str, str]
) -> None:
    add_sessions(db, 300, expired=True)
    add_sessions(db, 400, expired=False)
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '8 days'"
        " WHERE expires_at BETWEEN now() AND now() + interval '2 hours'"
    )
    # A session that is both expired and revoked counts once.
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '9 days' WHERE id ="
        " (SELECT id FROM sessions WHERE expires_at < now() LIMIT 1)"
    )
    with database().transaction() as connection:
        assert service.TASKS["sessions"](connection, service.BATCH) == 500
    assert run_schedule("ExpiredSessions")["deleted"] == 200
    assert count(db, "sessions") == len(people)


def test_run_stops_and_reports_more_when_time_runs_short(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 600, expired=True)
    result = run_schedule("ExpiredSessions", seconds_left=1)
    assert result == {"task": "sessions", "deleted": 0, "more": True}
    assert count(db, "sessions") == 600 + len(people)


def test_rows_locked_by_another_run_are_skipped(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 10, expired=True)
    with db.transaction():
        db.execute("SELECT id FROM sessions WHERE expires_at < now() LIMIT 4 FOR UPDATE")
        assert run_schedule("ExpiredSessions")["deleted"] == 6
    assert run_schedule("ExpiredSessions")["deleted"] == 4


def test_expired_sign_in_handles_are_deleted(db: Db, plex_url: str) -> None:
    live = plex.begin(plex_url, "bob")
    plex.begin(plex_url, "alice")
    db.execute(
        "UPDATE signin_handles SET expires_at = now() - interval '1 second'"
        " WHERE plex_pin_id = (SELECT max(plex_pin_id) FROM signin_handles)"
    )
    assert run_schedule("ExpiredSigninHandles")["deleted"] == 1
    assert plex.verify(live).status == 200


def test_dead_jobs_are_kept_for_90_days_and_waiting_ones_for_ever(db: Db) -> None:
    for state, days in (("done", 31), ("cancelled", 31), ("dead", 31), ("dead", 91)):
        db.execute(
            "INSERT INTO jobs (kind, dedup, lane, state, deadline_at, finished_at)"
            " VALUES ('check', 'k', 'k', %s, now(), now() - %s * interval '1 day')",
            (state, days),
        )
    db.execute(
        "INSERT INTO jobs (kind, dedup, lane, created_at, deadline_at)"
        " VALUES ('check', 'k', 'k', now() - interval '1 year', now())"
    )
    assert run_schedule("ExpiredJobs") == {"task": "jobs", "deleted": 3, "more": False}
    assert [row[0] for row in db.execute("SELECT state FROM jobs ORDER BY 1")] == ["dead", "queued"]


def test_idempotency_keys_older_than_a_day_are_deleted(db: Db, people: dict[str, str]) -> None:
    for number, key in ((603, "old"), (27205, "new")):
        call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body={"mediaType": "movie", "tmdbId": number},
            headers={"Idempotency-Key": key},
        )
    db.execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'"
    )
    assert run_schedule("ExpiredIdempotencyKeys")["deleted"] == 1
    assert db.execute("SELECT key FROM idempotency_keys").fetchall() == [("new",)]


class TestAuditLogs:
    def ages(self, db: Db) -> list[int]:
        rows = db.execute(
            "SELECT extract(day FROM now() - created_at)::int FROM audit_logs"
            " WHERE action = 'auth.sign_in' ORDER BY 1"
        )
        return [row[0] for row in rows]

    def add(self, db: Db, *days: int) -> None:
        for each in days:
            TASKS["audit-logs"].add(db, datetime.now(UTC) - timedelta(days=each, hours=1))

    def test_audit_rows_are_kept_for_a_year_by_default(self, db: Db) -> None:
        self.add(db, 1, 364, 365, 4000)
        assert run_schedule("ExpiredAuditLogs")["deleted"] == 2
        assert self.ages(db) == [1, 364]

    def test_audit_rows_are_kept_for_the_configured_retention(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The task must not use cached settings, because deleted rows cannot be restored.
        system_config.session_lifetimes()
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        db.execute("TRUNCATE audit_logs")
        self.add(db, 89, 90, 364, 365, 3649, 3650)
        for days, remaining in ((3650, [89, 90, 364, 365, 3649]), (90, [89])):
            db.execute("DELETE FROM system_config WHERE key = 'audit.retention'")
            db.execute(
                "INSERT INTO system_config (key, value) VALUES"
                " ('audit.retention', jsonb_build_object('days', %s::int))",
                (days,),
            )
            run_schedule("ExpiredAuditLogs")
            assert self.ages(db) == remaining

    def test_retention_below_the_minimum_is_ignored(self, db: Db) -> None:
        db.execute(
            """INSERT INTO system_config (key, value) VALUES ('audit.retention', '{"days": 1}')"""
        )
        self.add(db, 89, 364, 366)
        assert run_schedule("ExpiredAuditLogs")["deleted"] == 1
        assert self.ages(db) == [89, 364]


@dataclass(frozen=True)
class Task:
    """A scheduled task: how to fill its table, and when a row expires."""

    schedule: str
    table: str
    # The time column of a row, and the retention after that time.
    column: str
    retention: timedelta
    insert: str

    def add(self, db: Db, at: datetime, number: int = 1) -> None:
        """Add rows with the same time."""
        db.execute(
            f"INSERT INTO {self.table} {self.insert} FROM generate_series(1, %(number)s) AS n"
            " LEFT JOIN (SELECT id FROM users LIMIT 1) AS u ON true".encode(),
            {"at": at, "number": number},
        )

    def remaining(self, db: Db) -> list[datetime]:
        """Return the times of the remaining rows."""
        query = f"SELECT {self.column} FROM {self.table} ORDER BY 1"
        return [row[0] for row in db.execute(query.encode())]

    @property
    def expires_before(self) -> datetime:
        """Return the time before which rows have expired."""
        return datetime.now(UTC) - self.retention


TASKS = {
    "sessions": Task(
        "ExpiredSessions",
        "sessions",
        "expires_at",
        timedelta(),
        "(user_id, expires_at, ip, user_agent) SELECT u.id, %(at)s, '203.0.113.7', 't'",
    ),
    "signin-handles": Task(
        "ExpiredSigninHandles",
        "signin_handles",
        "expires_at",
        timedelta(),
        "(handle_hash, plex_pin_id, expires_at)"
        " SELECT uuid_send(gen_random_uuid()), n, %(at)s::timestamptz",
    ),
    "idempotency-keys": Task(
        "ExpiredIdempotencyKeys",
        "idempotency_keys",
        "created_at",
        timedelta(hours=24),
        "(user_id, key, fingerprint, response, created_at)"
        " SELECT u.id, gen_random_uuid(), '', '{}', %(at)s::timestamptz",
    ),
    "rate-limit-hits": Task(
        "ExpiredRateLimitHits",
        "rate_limit_hits",
        "expires_at",
        timedelta(),
        "(key, at, expires_at, refused) SELECT 'k', %(at)s::timestamptz, %(at)s, false",
    ),
    "jobs": Task(
        "ExpiredJobs",
        "jobs",
        "finished_at",
        timedelta(days=30),
        "(kind, dedup, lane, state, deadline_at, finished_at)"
        " SELECT 'check', 'k', 'k', 'done', now(), %(at)s::timestamptz",
    ),
    "audit-logs": Task(
        "ExpiredAuditLogs",
        "audit_logs",
        "created_at",
        timedelta(days=365),
        "(user_id, action, request_id, ip, user_agent, created_at)"
        " SELECT u.id, 'auth.sign_in', 'r', '203.0.113.7', 't', %(at)s::timestamptz",
    ),
}
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("name", TASKS)
class TestEveryTask:
    """Each task, also when two runs overlap and when a run is killed."""

    @pytest.fixture
    def task(self, db: Db, name: str) -> Task:
        db.execute("SET statement_timeout = 0")
        db.execute("INSERT INTO users (plex_id, email, username) VALUES (1, 'a@example.com', 'a')")
        return TASKS[name]

    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(minutes=st.lists(st.integers(-2_000_000, 2_000_000).filter(bool), max_size=8))
    def test_exactly_the_expired_rows_are_deleted(
        self, db: Db, task: Task, minutes: list[int]
    ) -> None:
        db.execute(f"TRUNCATE {task.table}".encode())
        # Half a minute, so that no row expires during the test.
        expires_before = task.expires_before + MINUTE / 2
        for each in minutes:
            task.add(db, expires_before + each * MINUTE)
        result = run_schedule(task.schedule)
        live = sorted(expires_before + each * MINUTE for each in minutes if each > -1)
        assert task.remaining(db) == live
        assert result["deleted"] == len(minutes) - len(live)
        assert run_schedule(task.schedule)["deleted"] == 0
        assert task.remaining(db) == live

    def test_late_run_deletes_all_expired_rows(self, db: Db, task: Task) -> None:
        for age in (MINUTE, timedelta(hours=23), timedelta(hours=25), timedelta(days=40)):
            task.add(db, task.expires_before - age, 300)
        task.add(db, task.expires_before + timedelta(hours=1), 3)
        result = run_schedule(task.schedule)
        assert (result["deleted"], result["more"]) == (1200, False)
        assert len(task.remaining(db)) == 3

    def test_two_concurrent_runs_share_the_rows(
        self, db: Db, direct_url: str, name: str, task: Task
    ) -> None:
        task.add(db, task.expires_before - MINUTE, 2600)
        task.add(db, task.expires_before + timedelta(hours=1), 3)
        with (
            paused_run(task, name, direct_url, batch=1) as first,
            paused_run(task, name, direct_url, batch=1) as other,
        ):
            # Each run is inside a batch, and neither waits for the other.
            results = [first.resume(), other.resume()]
        assert all(result["deleted"] >= 500 for result in results)
        assert sum(result["deleted"] for result in results) == 2600
        assert len(task.remaining(db)) == 3

    def test_next_run_deletes_the_rows_that_a_killed_run_left(
        self, db: Db, direct_url: str, name: str, task: Task
    ) -> None:
        task.add(db, task.expires_before - MINUTE, 2600)
        task.add(db, task.expires_before + timedelta(hours=1), 3)
        with paused_run(task, name, direct_url, batch=3) as run:
            run.kill()
        # Two batches were committed, and the third one is rolled back.
        eventually(lambda: not in_a_transaction(db))
        assert len(task.remaining(db)) == 1603
        assert run_schedule(task.schedule)["deleted"] == 1600
        assert len(task.remaining(db)) == 3

    def test_twenty_thousand_rows_are_deleted_in_one_run(self, db: Db, task: Task) -> None:
        task.add(db, task.expires_before - MINUTE, 20_000)
        task.add(db, task.expires_before + timedelta(hours=1), 3)
        # Connect again: the connection that applied the migrations predates the role's timeout.
        database().close()
        with database().transaction() as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("3s",)
        result = run_schedule(task.schedule, seconds_left=60)
        assert result == {"task": result["task"], "deleted": 20_000, "more": False}
        assert len(task.remaining(db)) == 3

    def test_batch_uses_an_index_and_reads_only_the_rows_it_deletes(
        self, db: Db, name: str, task: Task
    ) -> None:
        # A quarter of the rows has expired, so the planner might choose a sequential scan.
        task.add(db, task.expires_before + timedelta(hours=1), 15_000)
        task.add(db, task.expires_before - MINUTE, 5_000)
        db.execute(f"ANALYZE {task.table}".encode())
        plans: list[str] = []

        def record_plan(notice: psycopg.errors.Diagnostic) -> None:
            plans.append(notice.message_primary or "")

        db.add_notice_handler(record_plan)
        db.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
        db.execute("SET auto_explain.log_analyze = on; SET auto_explain.log_level = notice")
        assert service.TASKS[name](db, service.BATCH) == 500
        db.remove_notice_handler(record_plan)
        assert any(task.table in plan for plan in plans)
        for plan in plans:
            assert f"Seq Scan on {task.table}" not in plan
            assert "Rows Removed" not in plan, plan

    def test_run_writes_metrics_and_a_log_line(
        self,
        db: Db,
        name: str,
        task: Task,
        logs: io.StringIO,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        task.add(db, task.expires_before - MINUTE, 7)
        for seconds_left, deleted, more in ((60, 7, 0), (1, 0, 1)):
            capsys.readouterr()
            run_schedule(task.schedule, seconds_left=seconds_left)
            (metrics,) = map(json.loads, capsys.readouterr().out.splitlines())
            assert metrics["task"] == name
            assert metrics["CleanupDeleted"] == [deleted]
            assert metrics["CleanupMore"] == [more]
            line = json.loads(logs.getvalue().splitlines()[-1])
            logged = (line["message"], line["task"], line["deleted"], line["more"])
            assert logged == ("cleanup", name, deleted, bool(more))

    def test_failed_run_is_logged_and_counted(
        self,
        db: Db,
        name: str,
        task: Task,
        logs: io.StringIO,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        db.execute(f"ALTER TABLE {task.table} RENAME TO renamed".encode())
        try:
            with pytest.raises(psycopg.errors.UndefinedTable):
                run_schedule(task.schedule)
        finally:
            db.execute(f"ALTER TABLE renamed RENAME TO {task.table}".encode())
        (metrics,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (metrics["task"], metrics["CleanupFailed"]) == (name, [1])
        line = json.loads(logs.getvalue().splitlines()[-1])
        assert (line["level"], line["message"], line["task"]) == ("ERROR", "cleanup_failed", name)
        assert run_schedule(task.schedule)["more"] is False


@contextmanager
def paused_run(task: Task, name: str, url: str, *, batch: int) -> Iterator[PausedRun]:
    """Start a run in a separate process, paused inside a batch while the block runs."""
    with started_run(task.schedule, name, url, batch) as run:
        assert run.says() == "paused"
        yield run


def in_a_transaction(db: Db) -> int:
    return count(
        db,
        "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    )


def test_unknown_task_fails_the_run(db: Db) -> None:
    # Imported here, because the import reads the environment, which the fixtures set.
    app = importlib.import_module("functions.cleanup.app")
    with pytest.raises(service.UnknownTaskError, match="sessions"):
        app.handler({"task": "everything"}, LambdaContext())


def test_every_task_is_tested() -> None:
    assert set(TASKS) == set(service.TASKS)
    schedules = {
        name: schedule.event["task"]
        for name, schedule in TEMPLATE.schedules.items()
        if schedule.function == "CleanupFunction"
    }
    # It deletes nothing: test_request_titles.py.
    assert schedules.pop("RequestTitles") == "request-titles"
    assert {task.schedule: name for name, task in TASKS.items()} == schedules
