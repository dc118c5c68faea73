"""Admins read the audit log."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from medianest.audit import repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database
from tests.support.api import Answer, call, id_of

type Db = psycopg.Connection[tuple[Any, ...]]

PATH = "/api/admin/audit-logs"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def logs(token: str, **query: Any) -> Answer:
    # `from` is a keyword of Python, so the tests pass `since`.
    parameters = {{"since": "from"}.get(name, name): value for name, value in query.items()}
    return call("GET", PATH, token=token, query=parameters)


def actions(token: str, **query: Any) -> list[str]:
    answer = logs(token, **query)
    assert answer.status == 200, answer.text
    return [item["action"] for item in answer.data]


def add_rows(
    db: Db, action: str, *, at: datetime = NOON, user_id: UUID | None = None, number: int = 1
) -> None:
    db.execute(
        "INSERT INTO audit_logs (user_id, action, request_id, ip, user_agent, created_at)"
        " SELECT %s, %s, 'r', '2001:db8::7', 'tests', %s FROM generate_series(1, %s)",
        (user_id, action, at, number),
    )


def user_id(db: Db, name: str) -> UUID:
    row = db.execute("SELECT id FROM users WHERE username = %s", (name,)).fetchone()
    assert row is not None
    identifier: UUID = row[0]
    return identifier


@pytest.fixture
def alice(db: Db, people: dict[str, str]) -> str:
    """Return the token of alice, an admin; the log is empty."""
    db.execute("TRUNCATE audit_logs")
    return people["alice"]


class TestItems:
    def test_row_has_actor_action_target_time_and_address(self, db: Db, alice: str) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        quotas = {"movies": {"limit": None, "days": 7}, "seasons": {"limit": 3, "days": 7}}
        path = "/api/admin/config/requestQuota.user"
        changed = call("PUT", path, token=alice, body={"value": quotas}, ip="2001:db8::1")
        (item,) = logs(alice).data
        assert before <= datetime.fromisoformat(item["createdAt"]) <= datetime.now(UTC)
        assert str(UUID(item["id"])) == item["id"]
        del item["id"], item["createdAt"]
        assert item == {
            "userId": str(user_id(db, "alice")),
            "action": "config.changed",
            "targetType": "config",
            "targetId": "requestQuota.user",
            "details": {"from": changed.data["default"], "to": quotas},
            "requestId": changed.headers["x-request-id"],
            "ip": "2001:db8::1",
            "userAgent": "tests",
            "userName": "alice",
        }

    def test_actor_and_target_have_their_present_names(self, people: dict[str, str]) -> None:
        alice, bob = people["alice"], id_of(people["bob"])
        call("PATCH", f"/api/admin/users/{bob}", token=alice, body={"status": "suspended"})
        body = {"mediaType": "movie", "tmdbId": 603}
        made = call("POST", "/api/media/request", token=alice, body=body).data

        def names(action: str) -> tuple[str | None, str | None]:
            (item,) = logs(alice, action=action).data
            return item.get("userName"), item.get("targetName")

        assert names("user.changed") == ("alice", "bob")
        assert names("request.created") == ("alice", "The Matrix")
        call("DELETE", f"/api/media/requests/{made['id']}", token=alice)
        assert names("request.created") == ("alice", None)

    def test_null_columns_are_omitted(self, db: Db, alice: str) -> None:
        add_rows(db, "of.another.release")
        (item,) = logs(alice).data
        keys = {"id", "action", "details", "requestId", "ip", "userAgent", "createdAt"}
        assert item.keys() == keys
        assert (item["action"], item["details"], item["ip"]) == (
            "of.another.release",
            {},
            "2001:db8::7",
        )
        assert item["createdAt"] == "2026-01-31T12:00:00.000Z"

    def test_rows_of_a_deleted_user_remain_without_user_id(self, db: Db, alice: str) -> None:
        add_rows(db, "auth.sign_in", user_id=user_id(db, "bob"))
        db.execute("DELETE FROM users WHERE username = 'bob'")
        (item,) = logs(alice).data
        assert item["action"] == "auth.sign_in"
        assert "userId" not in item


class TestOrder:
    def test_rows_are_paged_newest_first(self, db: Db, alice: str) -> None:
        for minute in (2, 0, 4, 1, 3):
            add_rows(db, f"at {minute}", at=NOON + timedelta(minutes=minute))
        assert actions(alice) == ["at 4", "at 3", "at 2", "at 1", "at 0"]
        answer = logs(alice, limit=2, page=2)
        assert [item["action"] for item in answer.data] == ["at 2", "at 1"]
        assert answer.json["pagination"] == {
            "page": 2,
            "limit": 2,
            "total": 5,
            "hasNext": True,
            "hasPrev": True,
        }
        assert actions(alice, limit=2, page=4) == []

    def test_rows_of_one_transaction_are_in_their_order(self, alice: str) -> None:
        caller = Caller("a call", "203.0.113.7", "tests")
        written = [Action.USER_CREATED, Action.SIGN_IN, Action.REQUEST_CREATED, *list(Action)[-4:]]
        with database().transaction() as connection:
            for action in written:
                repository.record(connection, action, caller, user_id=None)
        assert actions(alice) == written[::-1]

    def test_rows_with_the_same_time_are_each_on_exactly_one_page(self, db: Db, alice: str) -> None:
        add_rows(db, "auth.sign_in", number=7)
        pages = [logs(alice, limit=2, page=page).data for page in (1, 2, 3, 4)]
        assert len({item["id"] for page in pages for item in page}) == 7


class TestFilters:
    def test_rows_are_filtered_by_user(self, db: Db, alice: str) -> None:
        bob = user_id(db, "bob")
        add_rows(db, "auth.sign_in", user_id=bob)
        add_rows(db, "auth.sign_out", user_id=user_id(db, "carol"))
        add_rows(db, "limit.exceeded")
        assert actions(alice, userId=bob) == ["auth.sign_in"]
        assert actions(alice, userId=UNKNOWN_ID) == []

    @pytest.mark.parametrize("action", list(Action))
    def test_rows_are_filtered_by_action(self, db: Db, alice: str, action: Action) -> None:
        for each in Action:
            add_rows(db, each)
        answer = logs(alice, action=str(action))
        assert [item["action"] for item in answer.data] == [action]
        assert answer.json["pagination"]["total"] == 1

    def test_from_is_inclusive_and_to_is_exclusive(self, db: Db, alice: str) -> None:
        for second in (-1, 0, 1):
            add_rows(db, f"at {second}", at=NOON + timedelta(seconds=second))
        noon = "2026-01-31T12:00:00Z"
        assert actions(alice, since=noon) == ["at 1", "at 0"]
        assert actions(alice, to=noon) == ["at -1"]
        assert actions(alice, since=noon, to="2026-01-31T12:00:01Z") == ["at 0"]
        assert actions(alice, since=noon, to=noon) == []

    @pytest.mark.parametrize(
        "timestamp",
        [
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.0Z",
            "2026-01-31T12:00:00.000000+00:00",
            "2026-01-31T13:00:00+01:00",
            "2026-01-30T20:30:00-15:30",
            "2026-02-01T11:59:00+23:59",
        ],
    )
    def test_time_with_any_utc_offset_is_accepted(self, db: Db, alice: str, timestamp: str) -> None:
        add_rows(db, "before", at=NOON - timedelta(microseconds=1))
        add_rows(db, "at")
        assert actions(alice, since=timestamp) == ["at"]
        assert actions(alice, to=timestamp) == ["before"]

    @pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
    def test_earliest_and_latest_times_are_accepted(
        self, db: Db, alice: str, timestamp: str
    ) -> None:
        add_rows(db, "then")
        selected = actions(alice, since=timestamp) + actions(alice, to=timestamp)
        assert selected == ["then"]

    def test_all_filters_combine(self, db: Db, alice: str) -> None:
        bob, carol = user_id(db, "bob"), user_id(db, "carol")
        for person in (bob, carol):
            for action in ("auth.sign_in", "auth.sign_out"):
                for hour in range(4):
                    add_rows(db, action, user_id=person, at=NOON + timedelta(hours=hour))
        answer = logs(
            alice,
            userId=bob,
            action="auth.sign_in",
            since="2026-01-31T13:00:00Z",
            to="2026-01-31T15:00:00Z",
            limit=1,
            page=2,
        )
        (item,) = answer.data
        assert (item["userId"], item["action"]) == (str(bob), "auth.sign_in")
        assert item["createdAt"] == "2026-01-31T13:00:00.000Z"
        assert answer.json["pagination"]["total"] == 2

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"userId": "bob"}, "userId"),
            ({"userId": ""}, "userId"),
            ({"action": "auth.signin"}, "action"),
            ({"action": "AUTH.SIGN_IN"}, "action"),
            ({"action": "' OR 1=1 --"}, "action"),
            ({"from": ""}, "from"),
            ({"from": "yesterday"}, "from"),
            ({"from": "2026-01-31"}, "from"),
            ({"from": "2026-01-31T12:00:00"}, "from"),
            ({"from": "2026-01-31T12:00Z"}, "from"),
            ({"from": "2026-01-31 12:00:00Z"}, "from"),
            ({"from": "2026-01-31t12:00:00z"}, "from"),
            ({"from": "2026-01-31T12:00:00+0100"}, "from"),
            ({"from": "2026-01-31T12:00:00 01:00"}, "from"),
            ({"from": "2026-01-31T12:00:00.1234567Z"}, "from"),
            ({"from": "2026-02-30T12:00:00Z"}, "from"),
            ({"from": "2026-01-31T24:00:01Z"}, "from"),
            ({"from": "2026-01-31T12:00:60Z"}, "from"),
            ({"from": "2026-01-31T12:00:00+24:00"}, "from"),
            ({"from": "0001-01-01T00:00:00+01:00"}, "from"),
            ({"to": "9999-12-31T23:59:59-01:00"}, "to"),
            ({"to": "٢٠٢٦-01-31T12:00:00Z"}, "to"),
            ({"to": "1769860800"}, "to"),
            ({"to": "infinity"}, "to"),
            ({"from": "2026-01-31T12:00:01Z", "to": "2026-01-31T12:00:00Z"}, "to"),
            ({"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T12:30:00+01:00"}, "to"),
            ({"since": "2026-01-31T12:00:00Z"}, "since"),
            ({"from": ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"]}, "from"),
            ({"limit": "101"}, "limit"),
            ({"limit": "0"}, "limit"),
            ({"page": "0"}, "page"),
            ({"sort": "createdAt"}, "sort"),
        ],
    )
    def test_invalid_filter_is_refused_with_its_field(
        self, alice: str, query: dict[str, Any], field: str
    ) -> None:
        answer = call("GET", PATH, token=alice, query=query)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [each["field"] for each in answer.details] == [f"query.{field}"]
        assert answer.details[0]["message"]


def test_users_and_unauthenticated_callers_are_refused(alice: str, people: dict[str, str]) -> None:
    answer = logs(people["bob"])
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    answer = call("GET", PATH)
    assert (answer.status, answer.code) == (401, "JWT_INVALID")
    # The denied access of a signed-in user is audited.
    assert actions(alice) == ["access.denied"]
