"""The scheduled tasks."""

from typing import Any

import psycopg
import pytest

from tests.support import plex
from tests.support.api import TEMPLATE, call, run_schedule

type Db = psycopg.Connection[tuple[Any, ...]]


def count(db: Db, table: str) -> int:
    row = db.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


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


def test_unknown_task_fails_the_run(db: Db) -> None:
    from functions.cleanup.app import handler  # noqa: PLC0415
    from medianest.maintenance.service import UnknownTaskError  # noqa: PLC0415
    from tests.support.api import LambdaContext  # noqa: PLC0415

    with pytest.raises(UnknownTaskError, match="sessions"):
        handler({"task": "everything"}, LambdaContext())


def test_every_schedule_names_a_task() -> None:
    from medianest.maintenance.service import TASKS  # noqa: PLC0415

    assert {schedule.event["task"] for schedule in TEMPLATE.schedules.values()} == set(TASKS)
