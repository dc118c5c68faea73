"""Admins read and change the run-time settings."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.rate_limits.policies import POLICIES
from medianest.system_config import admin as system_config_admin
from medianest.system_config import service as system_config
from medianest.system_config.registry import SETTINGS
from tests.support import plex
from tests.support.api import ROOT, Answer, call, id_of
from tests.support.concurrency import waits_for_lock
from tests.support.limits import default_limits
from tests.support.local import eventually

type Db = psycopg.Connection[tuple[Any, ...]]

NO_QUOTA = {"movies": {"limit": None, "days": 7}, "seasons": {"limit": None, "days": 7}}
DEFAULTS: dict[str, Any] = {
    "audit.retention": {"days": 365},
    "autoApprove.admin": {"movie": False, "tv": False},
    "autoApprove.user": {"movie": False, "tv": False},
    **{
        f"rateLimit.{name}": {"limit": policy.limit, "window": policy.window}
        for name, policy in sorted(POLICIES.items())
        if not policy.fixed
    },
    "requestQuota.admin": NO_QUOTA,
    "requestQuota.user": NO_QUOTA,
    "session.lifetimes": {"tokenDays": 30, "idleDays": 30, "absoluteDays": 90},
    "signIn.page": {"name": "MediaNest", "plex": True, "local": True},
}
QUOTAS = {"movies": {"limit": 0, "days": 1}, "seasons": {"limit": 1000, "days": 365}}


def lifetimes(token: int, idle: int, absolute: int) -> dict[str, int]:
    return {"tokenDays": token, "idleDays": idle, "absoluteDays": absolute}


def quota(limit: int | None, days: int | None) -> dict[str, int | None]:
    return {"limit": limit, "days": days}


def list_settings(token: str) -> dict[str, Any]:
    answer = call("GET", "/api/admin/config", token=token)
    assert answer.status == 200, answer.text
    return {entry["key"]: entry for entry in answer.data}


def fields_of(key: str) -> list[dict[str, Any]]:
    """Return the fields of a setting as the response has them."""
    return [
        each.model_dump(exclude_none=True) for each in system_config_admin.fields_of(SETTINGS[key])
    ]


def changed(value: dict[str, Any], name: str, new: int) -> dict[str, Any]:
    """Return a value with another number in the field `name`, which may be a nested one."""
    outer, dot, inner = name.partition(".")
    return value | {outer: changed(value[outer], inner, new) if dot else new}


def put_setting(token: str, key: str, value: Any) -> Answer:
    return call("PUT", f"/api/admin/config/{key}", token=token, body={"value": value})


def store_row(db: Db, key: str, value: Any) -> None:
    db.execute(
        "INSERT INTO system_config (key, value) VALUES (%s, %s)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, Jsonb(value)),
    )


def stored_settings(db: Db) -> dict[str, Any]:
    return dict(db.execute("SELECT key, value FROM system_config").fetchall())


def audited_changes(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT user_id::text, target_type, target_id, details FROM audit_logs"
        " WHERE action = 'config.changed' ORDER BY created_at"
    ).fetchall()


@pytest.fixture
def alice(db: Db, people: dict[str, str]) -> Iterator[str]:
    """Return the token of alice, an admin of an installation with default settings."""
    default_limits(db)
    yield people["alice"]
    system_config._settings_cache().invalidate()


@pytest.mark.usefixtures("uncached_settings")
class TestList:
    def test_all_settings_are_listed_by_key_with_their_defaults(self, alice: str) -> None:
        answer = call("GET", "/api/admin/config", token=alice)
        assert answer.data == [
            {"key": key, "value": value, "default": value, "fields": fields_of(key)}
            for key, value in DEFAULTS.items()
        ]
        assert list(DEFAULTS) == sorted(DEFAULTS)

    def test_changed_setting_has_its_author_and_time(self, alice: str) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        changed = put_setting(alice, "audit.retention", {"days": 90}).data
        entries = list_settings(alice)
        assert entries["audit.retention"] == changed
        assert changed["updatedBy"] == id_of(alice)
        assert before <= datetime.fromisoformat(changed["updatedAt"]) <= datetime.now(UTC)
        others = [entry for key, entry in entries.items() if key != "audit.retention"]
        assert all(entry.keys() == {"key", "value", "default", "fields"} for entry in others)

    def test_fields_have_the_types_and_bounds_of_their_setting(self, alice: str) -> None:
        entries = list_settings(alice)
        assert entries["requestQuota.user"]["fields"][:2] == [
            {
                "name": "movies.limit",
                "type": "integer",
                "minimum": 0,
                "maximum": 1000,
                "nullable": True,
            },
            {
                "name": "movies.days",
                "type": "integer",
                "minimum": 1,
                "maximum": 365,
                "nullable": False,
            },
        ]
        assert entries["signIn.page"]["fields"] == [
            {"name": "name", "type": "string", "minimum": 1, "maximum": 60, "nullable": False},
            {"name": "plex", "type": "boolean", "nullable": False},
            {"name": "local", "type": "boolean", "nullable": False},
        ]

    @pytest.mark.parametrize("key", sorted(SETTINGS))
    def test_a_number_beyond_a_bound_is_refused(self, alice: str, key: str) -> None:
        entry = list_settings(alice)[key]
        for field in entry["fields"]:
            if field["type"] == "integer":
                for beyond in (field["minimum"] - 1, field["maximum"] + 1):
                    value = changed(entry["value"], field["name"], beyond)
                    refused = put_setting(alice, key, value)
                    assert refused.code == "VALIDATION_ERROR", (field, beyond)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("rateLimit.search", 5),
            ("rateLimit.search", {"limit": 0, "window": 60}),
            ("audit.retention", {"days": 89}),
            ("requestQuota.user", {}),
            ("requestQuota.user", None),
            ("autoApprove.user", {"movie": 1, "tv": 0}),
            ("session.lifetimes", {"tokenDays": 30, "idleDays": 30, "absoluteDays": 29}),
            ("rateLimit.everything", {"limit": 5, "window": 60}),
            ("of another release", {"on": True}),
        ],
    )
    def test_invalid_rows_are_ignored_and_logged(
        self, db: Db, alice: str, logs: io.StringIO, key: str, value: Any
    ) -> None:
        store_row(
            db, "audit.retention" if key != "audit.retention" else "rateLimit.api", {"days": 1}
        )
        store_row(db, key, value)
        assert {name: entry["value"] for name, entry in list_settings(alice).items()} == DEFAULTS
        assert all("updatedAt" not in entry for entry in list_settings(alice).values())
        assert f'"key":"{key}"' in logs.getvalue()

    def test_setting_of_a_deleted_admin_has_no_author(
        self, db: Db, alice: str, people: dict[str, str]
    ) -> None:
        db.execute("UPDATE users SET role = 'admin' WHERE username = 'bob'")
        assert put_setting(people["bob"], "audit.retention", {"days": 90}).status == 200
        db.execute("DELETE FROM users WHERE username = 'bob'")
        entry = list_settings(alice)["audit.retention"]
        assert entry["value"] == {"days": 90}
        assert entry.keys() == {"key", "value", "default", "updatedAt", "fields"}


class TestChange:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("rateLimit.media-request", {"limit": 1, "window": 1}),
            ("rateLimit.admin", {"limit": 20, "window": 300}),
            ("session.lifetimes", {"tokenDays": 1, "idleDays": 1, "absoluteDays": 1}),
            ("session.lifetimes", {"tokenDays": 30, "idleDays": 90, "absoluteDays": 365}),
            ("requestQuota.admin", QUOTAS),
            ("requestQuota.user", QUOTAS),
            ("requestQuota.user", QUOTAS | {"seasons": quota(None, 365)}),
            ("autoApprove.admin", {"movie": True, "tv": True}),
            ("autoApprove.user", {"movie": True, "tv": False}),
            ("audit.retention", {"days": 90}),
            ("audit.retention", {"days": 3650}),
        ],
    )
    def test_valid_value_is_stored_and_audited(
        self, db: Db, alice: str, key: str, value: Any
    ) -> None:
        answer = put_setting(alice, key, value)
        assert answer.status == 200, answer.text
        assert answer.data["key"] == key
        assert answer.data["value"] == value
        assert answer.data["default"] == DEFAULTS[key]
        assert stored_settings(db) == {key: value}
        assert audited_changes(db) == [
            (id_of(alice), "config", key, {"from": DEFAULTS[key], "to": value})
        ]

    def test_listed_values_can_be_sent_back_unchanged(self, db: Db, alice: str) -> None:
        put_setting(alice, "audit.retention", {"days": 90})
        before = list_settings(alice)
        for key, entry in before.items():
            answer = put_setting(alice, key, entry["value"])
            assert (answer.status, answer.data) == (200, entry)
        # Unchanged values are neither written nor audited.
        assert list_settings(alice) == before
        assert stored_settings(db) == {"audit.retention": {"days": 90}}
        assert len(audited_changes(db)) == 1

    def test_each_change_is_audited_with_the_previous_value(self, db: Db, alice: str) -> None:
        for days in (100, 200):
            put_setting(alice, "audit.retention", {"days": days})
        assert [details for *_, details in audited_changes(db)] == [
            {"from": {"days": 365}, "to": {"days": 100}},
            {"from": {"days": 100}, "to": {"days": 200}},
        ]

    def test_malformed_row_is_replaced(self, db: Db, alice: str) -> None:
        store_row(db, "audit.retention", "for ever")
        assert put_setting(alice, "audit.retention", {"days": 400}).status == 200
        assert stored_settings(db) == {"audit.retention": {"days": 400}}
        assert [details["from"] for *_, details in audited_changes(db)] == [{"days": 365}]
        store_row(db, "audit.retention", "for ever")
        assert put_setting(alice, "audit.retention", {"days": 365}).status == 200
        assert stored_settings(db) == {"audit.retention": {"days": 365}}

    @pytest.mark.parametrize(
        ("key", "value", "fields"),
        [
            ("rateLimit.api", {"limit": 0, "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": 1001, "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": 19, "window": 301}, ["limit", "window"]),
            ("rateLimit.admin", {"limit": 1, "window": 86_400}, ["limit", "window"]),
            ("rateLimit.login", {"limit": 2, "window": 900}, ["limit"]),
            ("rateLimit.plex-verify", {"limit": 90, "window": 61}, ["window"]),
            ("rateLimit.api", {"limit": 5, "window": 0}, ["window"]),
            ("rateLimit.api", {"limit": 5, "window": 86_401}, ["window"]),
            ("rateLimit.api", {"limit": "5", "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": 5.0, "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": True, "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": None, "window": 60}, ["limit"]),
            ("rateLimit.api", {"limit": -1, "window": 10**12}, ["limit", "window"]),
            ("rateLimit.api", {"limit": 5}, ["window"]),
            ("rateLimit.api", {}, ["limit", "window"]),
            ("rateLimit.api", {"limit": 5, "window": 60, "more": 1}, ["more"]),
            ("session.lifetimes", lifetimes(31, 1, 90), ["tokenDays"]),
            ("session.lifetimes", lifetimes(1, 0, 90), ["idleDays"]),
            ("session.lifetimes", lifetimes(1, 1, 366), ["absoluteDays"]),
            ("session.lifetimes", lifetimes(3, 1, 2), ["absoluteDays"]),
            ("session.lifetimes", lifetimes(1, 3, 2), ["absoluteDays"]),
            ("session.lifetimes", lifetimes(1, 1, 1) | {"token_days": 1}, ["token_days"]),
            ("requestQuota.user", {"movies": QUOTAS["movies"]}, ["seasons"]),
            ("requestQuota.user", QUOTAS | {"movies": None}, ["movies"]),
            ("requestQuota.user", QUOTAS | {"movies": {"days": 7}}, ["movies.limit"]),
            ("requestQuota.user", QUOTAS | {"movies": quota(-1, 7)}, ["movies.limit"]),
            ("requestQuota.user", QUOTAS | {"movies": quota(1001, 7)}, ["movies.limit"]),
            ("requestQuota.user", QUOTAS | {"seasons": quota(1, 0)}, ["seasons.days"]),
            ("requestQuota.user", QUOTAS | {"seasons": quota(1, 366)}, ["seasons.days"]),
            ("requestQuota.user", QUOTAS | {"seasons": quota(1, None)}, ["seasons.days"]),
            ("autoApprove.user", {"movie": 1, "tv": False}, ["movie"]),
            ("autoApprove.user", {"movie": "true", "tv": False}, ["movie"]),
            ("autoApprove.user", {"movie": True}, ["tv"]),
            ("audit.retention", {"days": 89}, ["days"]),
            ("audit.retention", {"days": 0}, ["days"]),
            ("audit.retention", {"days": 3651}, ["days"]),
            ("audit.retention", {"days": None}, ["days"]),
        ],
    )
    def test_invalid_value_is_refused_with_its_field(
        self, db: Db, alice: str, key: str, value: Any, fields: list[str]
    ) -> None:
        answer = put_setting(alice, key, value)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [each["field"] for each in answer.details] == [f"body.value.{f}" for f in fields]
        assert all(each["message"] for each in answer.details)
        assert stored_settings(db) == {}
        assert audited_changes(db) == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "body.value"),
            ({"value": None}, "body.value"),
            ({"value": 5}, "body.value"),
            ({"value": [1]}, "body.value"),
            ({"value": '{"days": 90}'}, "body.value"),
            ({"value": {"days": 90}, "key": "audit.retention"}, "body.key"),
            ([], "body"),
        ],
    )
    def test_body_without_an_object_as_value_is_refused(
        self, db: Db, alice: str, body: Any, field: str
    ) -> None:
        answer = call("PUT", "/api/admin/config/audit.retention", token=alice, body=body)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [each["field"] for each in answer.details] == [field]
        assert stored_settings(db) == {}

    def test_error_response_is_limited_for_many_invalid_fields(self, alice: str) -> None:
        answer = put_setting(alice, "audit.retention", {f"{n}{'x' * 500}": n for n in range(100)})
        assert answer.code == "VALIDATION_ERROR"
        assert len(answer.details) == 20
        assert max(len(each["field"]) for each in answer.details) == 100

    @pytest.mark.parametrize(
        "key",
        ["nothing", "rateLimit.everything", "ratelimit.api", "rateLimit", "requestQuota.root"],
    )
    def test_unknown_key_gets_404_for_any_body(self, db: Db, alice: str, key: str) -> None:
        answer = put_setting(alice, key, {"limit": 5, "window": 60})
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        for raw in (b"{}", b"[]", b"null", b'{"value": 1}', b'{"value": {}, "x": 1}', b"{", b""):
            answer = call("PUT", f"/api/admin/config/{key}", token=alice, raw=raw)
            assert (answer.status, answer.code) == (404, "NOT_FOUND"), raw
        assert stored_settings(db) == {}
        assert audited_changes(db) == []


class TestAccess:
    CALLS = [("GET", "/api/admin/config", None)] + [
        ("PUT", f"/api/admin/config/{key}", {"value": {"days": 90}})
        for key in ("audit.retention", "nothing")
    ]

    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    def test_users_and_unauthenticated_callers_are_refused(
        self, db: Db, alice: str, people: dict[str, str], method: str, path: str, body: Any
    ) -> None:
        answer = call(method, path, token=people["bob"], body=body)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
        answer = call(method, path, body=body)
        assert (answer.status, answer.code) == (401, "JWT_INVALID")
        assert stored_settings(db) == {}
        known = call(method, path, token=alice, body=body)
        assert known.status == (404 if path.endswith("nothing") else 200)

    def test_cookie_session_needs_the_csrf_token(self, db: Db, alice: str, plex_url: str) -> None:
        signed_in = plex.verify(plex.begin(plex_url, "alice"), session="cookie")
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        path, body = "/api/admin/config/audit.retention", {"value": {"days": 90}}
        answer = call("PUT", path, body=body, headers={"Cookie": cookie})
        assert answer.code == "CSRF_TOKEN_MISMATCH"
        assert stored_settings(db) == {}
        headers = {"Cookie": cookie, "X-CSRF-Token": signed_in.data["csrfToken"]}
        assert call("PUT", path, body=body, headers=headers).status == 200


class TestEffect:
    @pytest.fixture(autouse=True)
    def cached_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Cache the settings for 30 seconds, as an environment does."""
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)

    def limit(self, token: str) -> str:
        return call("GET", "/api/auth/me", token=token).headers["ratelimit-policy"]

    def test_changed_limit_applies_immediately_in_the_same_environment(
        self, alice: str, people: dict[str, str]
    ) -> None:
        system_config._settings_cache().invalidate()
        assert self.limit(people["bob"]) == '"api";q=100;w=60'
        put_setting(alice, "rateLimit.api", {"limit": 30, "window": 70})
        assert self.limit(people["bob"]) == '"api";q=30;w=70'
        for _ in range(30):
            answer = call("GET", "/api/auth/me", token=people["bob"])
        assert (answer.status, answer.code) == (429, "RATE_LIMITED")
        put_setting(alice, "rateLimit.api", {"limit": 50, "window": 70})
        assert call("GET", "/api/auth/me", token=people["bob"]).status == 200

    @pytest.mark.parametrize("policy", ["admin", "api"])
    def test_rate_limit_can_always_be_changed_back(
        self, db: Db, alice: str, people: dict[str, str], policy: str
    ) -> None:
        key = f"rateLimit.{policy}"
        # A previous release may have stored this limit, which is below the current minimum.
        store_row(db, key, {"limit": 1, "window": 86_400})
        system_config._settings_cache().invalidate()
        for _ in range(2):
            admin_call = call("GET", "/api/admin/users", token=alice)
            user_call = call("GET", "/api/auth/me", token=alice)
        assert 429 in {admin_call.status, user_call.status}
        for _ in range(5):
            assert call("GET", "/api/admin/config", token=alice).status == 200
        assert put_setting(alice, key, {"limit": 100, "window": 60}).status == 200
        assert call("GET", "/api/admin/users", token=alice).status == 200
        assert call("GET", "/api/auth/me", token=people["bob"]).status == 200

    def test_refused_value_does_not_change_the_limit(
        self, alice: str, people: dict[str, str]
    ) -> None:
        system_config._settings_cache().invalidate()
        put_setting(alice, "rateLimit.api", {"limit": 0, "window": 70})
        assert self.limit(people["bob"]) == '"api";q=100;w=60'

    def test_sessions_have_the_configured_lifetimes(
        self, db: Db, alice: str, plex_url: str
    ) -> None:
        put_setting(alice, "session.lifetimes", {"tokenDays": 2, "idleDays": 1, "absoluteDays": 3})
        signed_in = plex.sign_in(plex_url, "bob")
        expires = datetime.fromisoformat(signed_in["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '25 hours'")
        assert call("GET", "/api/auth/me", token=signed_in["token"]).code == "JWT_INVALID"

    def test_accessors_return_the_changed_values(self, alice: str) -> None:
        put_setting(alice, "requestQuota.user", QUOTAS)
        put_setting(alice, "autoApprove.user", {"movie": True, "tv": False})
        assert system_config.quotas("user").movies.limit == 0
        assert system_config.quotas("user").seasons.days == 365
        assert system_config.quotas("admin").movies.limit is None
        assert system_config.auto_approval("user").movie is True
        assert system_config.auto_approval("admin").movie is False

    def test_another_environment_reads_a_change_within_thirty_seconds(
        self, alice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = system_config.SettingsCache()
        assert other.current().auto_approval["user"].tv is False
        put_setting(alice, "autoApprove.user", {"movie": True, "tv": True})
        assert other.current().auto_approval["user"].tv is False
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 30)
        assert other.current().auto_approval["user"].tv is True

    def test_settings_are_read_again_soon_after_a_failure(
        self, alice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_setting(alice, "autoApprove.user", {"movie": True, "tv": True})
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        other = system_config.SettingsCache()
        unreachable = Database(SecretStr("postgresql://user@127.0.0.1:1/nothing"))
        with monkeypatch.context() as patched:
            patched.setattr(system_config, "database", lambda: unreachable)
            assert other.current().auto_approval["user"].tv is False
        assert other.current().auto_approval["user"].tv is False
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + system_config.RETRY_SECONDS)
        assert other.current().auto_approval["user"].tv is True


class TestExpected:
    """A change applies to the value that the admin has seen, and to no other."""

    def put(self, token: str, value: Any, expected: Any) -> Answer:
        path = "/api/admin/config/audit.retention"
        return call("PUT", path, token=token, body={"value": value, "expected": expected})

    def test_the_expected_value_is_replaced(self, db: Db, alice: str) -> None:
        assert self.put(alice, {"days": 100}, {"days": 365}).data["value"] == {"days": 100}
        assert self.put(alice, {"days": 200}, {"days": 100}).data["updatedByName"] == "alice"
        assert stored_settings(db) == {"audit.retention": {"days": 200}}

    def test_a_call_whose_answer_was_lost_can_be_repeated(self, db: Db, alice: str) -> None:
        first, second = [self.put(alice, {"days": 100}, {"days": 365}) for _ in range(2)]
        assert second.data == first.data
        assert len(audited_changes(db)) == 1

    def test_another_value_is_kept_and_told(self, db: Db, alice: str) -> None:
        current = put_setting(alice, "audit.retention", {"days": 100}).data
        for stale in ({"days": 365}, {}):
            refused = self.put(alice, {"days": 200}, stale)
            assert (refused.status, refused.code) == (409, "EDIT_CONFLICT")
            assert refused.details == {
                "value": {"days": 100},
                "updatedAt": current["updatedAt"],
                "updatedByName": "alice",
            }
        assert stored_settings(db) == {"audit.retention": {"days": 100}}
        assert len(audited_changes(db)) == 1

    def test_a_default_that_is_not_expected_is_told(self, alice: str) -> None:
        refused = self.put(alice, {"days": 200}, {"days": 100})
        assert (refused.code, refused.details) == ("EDIT_CONFLICT", {"value": {"days": 365}})


class TestConcurrentChanges:
    """The second writer waits; its audit row starts from the value of the first."""

    @pytest.mark.parametrize("first_ever", [True, False])
    def test_second_change_is_audited_from_the_value_of_the_first(
        self, db: Db, direct_url: str, alice: str, *, first_ever: bool
    ) -> None:
        if not first_ever:
            store_row(db, "audit.retention", {"days": 100})
        # Enough time for the start of a process on a busy machine.
        time_outs = "-c idle_in_transaction_session_timeout=60s -c lock_timeout=60s"
        with (
            psycopg.connect(direct_url, options=time_outs) as first,
            ThreadPoolExecutor(1) as pool,
        ):
            store_row(first, "audit.retention", {"days": 200})
            second = pool.submit(
                subprocess.run,
                [sys.executable, "-c", _CHANGE, alice],
                env=os.environ
                | {
                    "DATABASE_URL": direct_url,
                    "PGOPTIONS": f"{time_outs} -c statement_timeout=60s",
                },
                capture_output=True,
                text=True,
                check=False,
                cwd=ROOT,
            )
            eventually(lambda: waits_for_lock(db), seconds=60)
            first.commit()
            result = second.result(60)
        assert result.stdout.strip().endswith("200"), result.stderr
        assert stored_settings(db) == {"audit.retention": {"days": 300}}
        assert [details for *_, details in audited_changes(db)] == [
            {"from": {"days": 200}, "to": {"days": 300}}
        ]

    def test_readers_do_not_wait_for_a_writer(self, db: Db, alice: str) -> None:
        with db.transaction():
            db.execute("LOCK TABLE system_config IN SHARE ROW EXCLUSIVE MODE")
            assert call("GET", "/api/admin/config", token=alice).status == 200


# Runs in a separate process, which can wait for the lock while this one continues.
_CHANGE = """
import asyncio, sys
asyncio.set_event_loop(asyncio.new_event_loop())
from tests.support.api import call, id_of
answer = call("PUT", "/api/admin/config/audit.retention", token=sys.argv[1],
              body={"value": {"days": 300}})
print(answer.status)
"""
