"""The scheduled tasks."""

import importlib
import io
import json
import os
import subprocess
import sys
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
from tests.support.api import ROOT, TEMPLATE, LambdaContext, call, run_schedule
from tests.support.local import eventually
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]


def add_sessions(db: Db, number: int, *, expired: bool) -> None:
    db.execute(
        "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
        " SELECT (SELECT id FROM users LIMIT 1), now() + %s * interval '1 hour', '203.0.113.7', 't'"
        " FROM generate_series(1, %s)",
        (-1 if expired else 1, number),
    )


def test_removes_expired_sessions_and_no_others(db: Db, people: dict[str, str]) -> None:
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


def test_removes_sessions_revoked_long_ago(db: Db, people: dict[str, str]) -> None:
    call("POST", "/api/auth/logout", token=people["bob"])
    assert run_schedule("ExpiredSessions")["deleted"] == 0
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '8 days' WHERE revoked_at IS NOT NULL"
    )
    assert run_schedule("ExpiredSessions")["deleted"] == 1
    assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"


def test_a_batch_has_both_kinds_and_no_more_than_500(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 300, expired=True)
    add_sessions(db, 400, expired=False)
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '8 days'"
        " WHERE expires_at BETWEEN now() AND now() + interval '2 hours'"
    )
    # One that is expired and revoked counts once.
    db.execute(
        "UPDATE sessions SET revoked_at = now() - interval '9 days' WHERE id ="
        " (SELECT id FROM sessions WHERE expires_at < now() LIMIT 1)"
    )
    with database().transaction() as connection:
        assert service.TASKS["sessions"](connection, service.BATCH) == 500
    assert run_schedule("ExpiredSessions")["deleted"] == 200
    assert count(db, "sessions") == len(people)


def test_stops_when_time_runs_short_and_says_so(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 600, expired=True)
    result = run_schedule("ExpiredSessions", seconds_left=1)
    assert result == {"task": "sessions", "deleted": 0, "more": True}
    assert count(db, "sessions") == 600 + len(people)


def test_passes_by_rows_that_another_run_has(db: Db, people: dict[str, str]) -> None:
    add_sessions(db, 10, expired=True)
    with db.transaction():
        db.execute("SELECT id FROM sessions WHERE expires_at < now() LIMIT 4 FOR UPDATE")
        assert run_schedule("ExpiredSessions")["deleted"] == 6
    assert run_schedule("ExpiredSessions")["deleted"] == 4


def test_removes_stale_sign_in_handles(db: Db, plex_url: str) -> None:
    live = plex.begin(plex_url, "bob")
    plex.begin(plex_url, "alice")
    db.execute(
        "UPDATE signin_handles SET expires_at = now() - interval '1 second'"
        " WHERE plex_pin_id = (SELECT max(plex_pin_id) FROM signin_handles)"
    )
    assert run_schedule("ExpiredSigninHandles")["deleted"] == 1
    assert plex.verify(live).status == 200


def test_removes_old_idempotency_keys(db: Db, people: dict[str, str]) -> None:
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

    def test_are_kept_for_a_year(self, db: Db) -> None:
        self.add(db, 1, 364, 365, 4000)
        assert run_schedule("ExpiredAuditLogs")["deleted"] == 2
        assert self.ages(db) == [1, 364]

    def test_are_kept_for_as_long_as_an_admin_says(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Whatever this environment remembers: what is deleted does not come back.
        system_config.session_lifetimes()
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        db.execute("TRUNCATE audit_logs")
        self.add(db, 89, 90, 364, 365, 3649, 3650)
        for days, left in ((3650, [89, 90, 364, 365, 3649]), (90, [89])):
            db.execute("DELETE FROM system_config WHERE key = 'audit.retention'")
            db.execute(
                "INSERT INTO system_config (key, value) VALUES"
                " ('audit.retention', jsonb_build_object('days', %s::int))",
                (days,),
            )
            run_schedule("ExpiredAuditLogs")
            assert self.ages(db) == left

    def test_are_kept_for_three_months_whatever_the_row_says(self, db: Db) -> None:
        db.execute(
            """INSERT INTO system_config (key, value) VALUES ('audit.retention', '{"days": 1}')"""
        )
        self.add(db, 89, 364, 366)
        assert run_schedule("ExpiredAuditLogs")["deleted"] == 1
        assert self.ages(db) == [89, 364]


@dataclass(frozen=True)
class Task:
    """How to fill the table of a task, and when a row of it has expired."""

    schedule: str
    table: str
    # The time of a row, and for how long after it the row is kept.
    column: str
    kept: timedelta
    insert: str

    def add(self, db: Db, at: datetime, number: int = 1) -> None:
        """Add rows of a moment."""
        db.execute(
            f"INSERT INTO {self.table} {self.insert} FROM generate_series(1, %(number)s) AS n"
            " LEFT JOIN (SELECT id FROM users LIMIT 1) AS u ON true".encode(),
            {"at": at, "number": number},
        )

    def left(self, db: Db) -> list[datetime]:
        """Return the times of the rows."""
        query = f"SELECT {self.column} FROM {self.table} ORDER BY 1"
        return [row[0] for row in db.execute(query.encode())]

    @property
    def limit(self) -> datetime:
        """Return the moment before which rows have expired."""
        return datetime.now(UTC) - self.kept


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
    """What holds for each of them, whoever else runs and however a run ends."""

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
    def test_removes_what_has_expired_and_nothing_else(
        self, db: Db, task: Task, minutes: list[int]
    ) -> None:
        db.execute(f"TRUNCATE {task.table}".encode())
        # Half a minute, so that none expires while the test looks.
        limit = task.limit + MINUTE / 2
        for each in minutes:
            task.add(db, limit + each * MINUTE)
        result = run_schedule(task.schedule)
        live = sorted(limit + each * MINUTE for each in minutes if each > -1)
        assert task.left(db) == live
        assert result["deleted"] == len(minutes) - len(live)
        assert run_schedule(task.schedule)["deleted"] == 0
        assert task.left(db) == live

    def test_a_day_late(self, db: Db, task: Task) -> None:
        for late in (MINUTE, timedelta(hours=23), timedelta(hours=25), timedelta(days=40)):
            task.add(db, task.limit - late, 300)
        task.add(db, task.limit + timedelta(hours=1), 3)
        result = run_schedule(task.schedule)
        assert (result["deleted"], result["more"]) == (1200, False)
        assert len(task.left(db)) == 3

    def test_two_runs_at_once_share_the_work(
        self, db: Db, direct_url: str, name: str, task: Task
    ) -> None:
        task.add(db, task.limit - MINUTE, 2600)
        task.add(db, task.limit + timedelta(hours=1), 3)
        with (
            paused_run(task, name, direct_url, batch=1) as one,
            paused_run(task, name, direct_url, batch=1) as other,
        ):
            # Each is in the middle of a batch, and none waits for the other.
            results = [goes_on(one), goes_on(other)]
        assert all(result["deleted"] >= 500 for result in results)
        assert sum(result["deleted"] for result in results) == 2600
        assert len(task.left(db)) == 3

    def test_a_run_that_is_killed_leaves_the_rest_to_the_next(
        self, db: Db, direct_url: str, name: str, task: Task
    ) -> None:
        task.add(db, task.limit - MINUTE, 2600)
        task.add(db, task.limit + timedelta(hours=1), 3)
        with paused_run(task, name, direct_url, batch=3) as run:
            run.kill()
        # Two batches were committed, and what the third one did is undone.
        eventually(lambda: not in_a_transaction(db))
        assert len(task.left(db)) == 1603
        assert run_schedule(task.schedule)["deleted"] == 1600
        assert len(task.left(db)) == 3

    def test_a_hundred_thousand_rows(self, db: Db, task: Task) -> None:
        task.add(db, task.limit - MINUTE, 100_000)
        task.add(db, task.limit + timedelta(hours=1), 3)
        # The connection that applied the migrations is older than the limit they set.
        database().close()
        with database().transaction() as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("3s",)
        result = run_schedule(task.schedule, seconds_left=60)
        assert result == {"task": result["task"], "deleted": 100_000, "more": False}
        assert len(task.left(db)) == 3

    def test_a_batch_reads_no_more_than_it_deletes(self, db: Db, name: str, task: Task) -> None:
        # So many that a walk through the whole table seems to come to 500 of them soon.
        task.add(db, task.limit + timedelta(hours=1), 15_000)
        task.add(db, task.limit - MINUTE, 5_000)
        db.execute(f"ANALYZE {task.table}".encode())
        plans: list[str] = []
        db.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
        db.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
        db.execute("SET auto_explain.log_analyze = on; SET auto_explain.log_level = notice")
        assert service.TASKS[name](db, service.BATCH) == 500
        assert any(task.table in plan for plan in plans)
        for plan in plans:
            assert f"Seq Scan on {task.table}" not in plan
            assert "Rows Removed" not in plan, plan

    def test_tells_what_it_did(
        self,
        db: Db,
        name: str,
        task: Task,
        logs: io.StringIO,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        task.add(db, task.limit - MINUTE, 7)
        for seconds_left, deleted, more in ((60, 7, 0), (1, 0, 1)):
            capsys.readouterr()
            run_schedule(task.schedule, seconds_left=seconds_left)
            (metrics,) = map(json.loads, capsys.readouterr().out.splitlines())
            assert metrics["task"] == name
            assert metrics["CleanupDeleted"] == [deleted]
            assert metrics["CleanupMore"] == [more]
            line = json.loads(logs.getvalue().splitlines()[-1])
            told = (line["message"], line["task"], line["deleted"], line["more"])
            assert told == ("cleanup", name, deleted, bool(more))

    def test_a_run_that_fails_is_told(
        self,
        db: Db,
        name: str,
        task: Task,
        logs: io.StringIO,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        db.execute(f"ALTER TABLE {task.table} RENAME TO away".encode())
        try:
            with pytest.raises(psycopg.errors.UndefinedTable):
                run_schedule(task.schedule)
        finally:
            db.execute(f"ALTER TABLE away RENAME TO {task.table}".encode())
        (metrics,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (metrics["task"], metrics["CleanupFailed"]) == (name, [1])
        line = json.loads(logs.getvalue().splitlines()[-1])
        assert (line["level"], line["message"], line["task"]) == ("ERROR", "cleanup_failed", name)
        assert run_schedule(task.schedule)["more"] is False


# In a process of its own, as on Lambda: it stops before the commit of a batch until it may go on.
_PAUSED_RUN = """
import json, sys
from functions.cleanup.app import handler
from medianest.cleanup import service
from tests.support.api import run_schedule

schedule, task, pause = sys.argv[1:]
delete, batches = service.TASKS[task], []

def delete_and_pause(connection, limit):
    batches.append(delete(connection, limit))
    if len(batches) == int(pause):
        print("paused", flush=True)
        sys.stdin.readline()
    return batches[-1]

service.TASKS = {task: delete_and_pause}
print(json.dumps(run_schedule(schedule)))
"""


@contextmanager
def paused_run(task: Task, name: str, url: str, *, batch: int) -> Iterator[subprocess.Popen[str]]:
    """Start a run, which is in the middle of a batch inside the block."""
    with subprocess.Popen(
        [sys.executable, "-c", _PAUSED_RUN, task.schedule, name, str(batch)],
        env=os.environ
        | {"DATABASE_URL": url, "PGOPTIONS": "-c idle_in_transaction_session_timeout=60s"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "paused\n"
        yield run


def goes_on(run: subprocess.Popen[str]) -> Any:
    """Let a paused run go on, and return its result."""
    out, _ = run.communicate("\n", timeout=60)
    return json.loads(out.splitlines()[-1])


def in_a_transaction(db: Db) -> int:
    return count(
        db,
        "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    )


def test_unknown_task_fails_the_run(db: Db) -> None:
    # Its import reads the environment, which the fixtures set.
    app = importlib.import_module("functions.cleanup.app")
    with pytest.raises(service.UnknownTaskError, match="sessions"):
        app.handler({"task": "everything"}, LambdaContext())


def test_every_task_is_tested() -> None:
    assert set(TASKS) == set(service.TASKS)
    schedules = {name: schedule.event["task"] for name, schedule in TEMPLATE.schedules.items()}
    assert {task.schedule: name for name, task in TASKS.items()} == schedules
