"""Sessions: cache, refresh, expiry, list, revocation, tombstones and cross-site calls."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from psycopg import sql

from medianest.core.cache import shared_cache
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.sessions import repository, service
from medianest.sessions.models import LiveSession
from medianest.system_config import service as system_config
from medianest.users import repository as users_repository
from tests.support import plex
from tests.support.api import Answer, call, run_schedule
from tests.support.concurrency import waits_for_lock
from tests.support.local import eventually

type Db = psycopg.Connection[tuple[Any, ...]]

UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def me(token: str) -> Answer:
    return call("GET", "/api/auth/me", token=token)


def sessions(token: str) -> Any:
    return call("GET", "/api/auth/sessions", token=token).data


def current_session_id(token: str) -> str:
    return str(next(session["id"] for session in sessions(token) if session["current"]))


def cache_key_of(token: str) -> str:
    """Return the cache key of a session; this also caches the session."""
    user_id = me(token).data["id"]
    return f"session:{{{user_id}}}:{current_session_id(token)}"


def count_audited(db: Db, action: str) -> int:
    row = db.execute("SELECT count(*) FROM audit_logs WHERE action = %s", (action,)).fetchone()
    assert row is not None
    return int(row[0])


class TestCache:
    def test_session_is_cached_for_a_minute_at_most(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        key = cache_key_of(people["bob"])
        assert 0 < keys.ttl(key) <= 60
        assert people["bob"] not in str(keys.get(key))

    def test_second_call_reads_the_session_from_the_cache(
        self, db: Db, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        db.execute("UPDATE sessions SET revoked_at = now()")  # bypasses the service and its cache
        assert call("GET", "/api/auth/csrf", token=people["bob"]).status == 200

    def test_admin_route_always_reads_the_session_from_the_database(
        self, db: Db, people: dict[str, str]
    ) -> None:
        me(people["alice"])
        db.execute("UPDATE sessions SET revoked_at = now()")
        answer = call("GET", "/api/admin/users", token=people["alice"])
        assert (answer.status, answer.code) == (401, "JWT_INVALID")

    def test_signed_out_session_is_invalid_at_once(self, people: dict[str, str]) -> None:
        me(people["bob"])
        call("POST", "/api/auth/logout", token=people["bob"])
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_concurrent_reader_cannot_cache_a_revoked_session(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        """The reader has read the row before the commit and writes to the cache after it."""
        user_id = UUID(me(people["bob"]).data["id"])
        session_id = UUID(current_session_id(people["bob"]))
        call("POST", "/api/auth/logout", token=people["bob"])
        later = datetime.now(UTC) + timedelta(days=1)
        service._cache(LiveSession(session_id, user_id, "user", later, recently_used=True))
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_session_is_not_cached_by_the_call_that_updates_last_seen(
        self, db: Db, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        """A concurrent revocation marks only sessions whose committed `last_seen_at` is recent."""
        key = cache_key_of(people["bob"])
        keys.flushdb()
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '6 minutes'")
        assert me(people["bob"]).status == 200
        assert keys.keys("session:*") == []
        assert me(people["bob"]).status == 200
        assert keys.keys("session:*") == [key]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/api/admin/users/{}", {"status": "suspended"}),
            ("DELETE", "/api/admin/users/{}", None),
            ("DELETE", "/api/admin/users/{}/sessions", None),
            ("POST", "/api/auth/logout", {"allSessions": True}),
        ],
    )
    def test_only_recently_seen_sessions_are_marked_in_the_cache(
        self,
        db: Db,
        keys: redis.Redis,
        people: dict[str, str],
        cache_round_trips: list[object],
        method: str,
        path: str,
        body: Any,
    ) -> None:
        bob = me(people["bob"]).data["id"]
        add = (
            "INSERT INTO sessions (user_id, expires_at, ip, user_agent, last_seen_at)"
            " SELECT %s, now() + interval '1 day', '::1', '', now() - %s::interval"
            " FROM generate_series(1, %s)"
        )
        db.execute(add, (bob, "1 hour", 1000))
        db.execute(add, (bob, "1 minute", 1000))
        keys.flushdb()
        cache_round_trips.clear()
        token = people["bob" if path.startswith("/api/auth") else "alice"]
        answer = call(method, path.format(bob), token=token, body=body)
        assert answer.status in {200, 204}
        # Only recently seen sessions are marked, in batches.
        assert 0 < len(cache_round_trips) < 30
        marked = [key for key in keys.keys("session:*") if keys.get(key) == "ended"]
        assert len(marked) == 1001
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (0,)
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_invalid_cached_value_is_a_cache_miss(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        key = cache_key_of(people["bob"])
        for invalid in ("{}", "nonsense", "[]", '{"expires_at": 7}'):
            keys.set(key, invalid, ex=60)
            assert me(people["bob"]).status == 200

    def test_cached_session_expires(self, keys: redis.Redis, people: dict[str, str]) -> None:
        user_id = UUID(me(people["bob"]).data["id"])
        session_id = UUID(current_session_id(people["bob"]))
        keys.flushdb()
        past = datetime.now(UTC) - timedelta(seconds=1)
        service._cache(LiveSession(session_id, user_id, "user", past, recently_used=True))
        assert me(people["bob"]).code == "JWT_INVALID"


class TestRefresh:
    def test_refresh_replaces_the_token(self, db: Db, people: dict[str, str]) -> None:
        me(people["bob"])
        answer = call("POST", "/api/auth/refresh", token=people["bob"], body={})
        assert answer.status == 200
        assert answer.data.keys() == {"user", "expiresAt", "token"}
        assert me(people["bob"]).code == "JWT_INVALID"
        assert me(answer.data["token"]).data["username"] == "bob"
        assert call("POST", "/api/auth/refresh", token=people["bob"]).code == "JWT_INVALID"
        assert len(sessions(answer.data["token"])) == 1
        assert count_audited(db, "session.refreshed") == 1

    def test_refreshes_within_an_hour_share_one_audit_row(
        self, db: Db, people: dict[str, str]
    ) -> None:
        count = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM audit_logs)"
        token = call("POST", "/api/auth/refresh", token=people["bob"]).data["token"]
        before = db.execute(count).fetchone()
        for _ in range(5):
            token = call("POST", "/api/auth/refresh", token=token).data["token"]
        assert db.execute(count).fetchone() == before
        [row] = db.execute(
            "SELECT details FROM audit_logs WHERE action = 'session.refreshed'"
        ).fetchall()
        assert row[0]["count"] == 6
        assert row[0]["lastAt"].endswith("Z")
        # A refresh more than an hour later gets a new row.
        db.execute("UPDATE audit_logs SET created_at = created_at - interval '61 minutes'")
        assert call("POST", "/api/auth/refresh", token=token).status == 200
        assert count_audited(db, "session.refreshed") == 2

    @pytest.mark.parametrize(
        "change", ["status = 'suspended'", "role = 'admin', status = 'suspended'"]
    )
    def test_suspended_user_cannot_refresh(
        self, db: Db, people: dict[str, str], change: str
    ) -> None:
        me(people["bob"])  # caches the session
        db.execute(f"UPDATE users SET {change} WHERE username = 'bob'".encode())
        assert call("POST", "/api/auth/refresh", token=people["bob"]).code == "JWT_INVALID"
        db.execute("UPDATE users SET status = 'active' WHERE username = 'bob'")
        assert call("POST", "/api/auth/refresh", token=people["bob"]).status == 200

    def test_refresh_never_extends_past_the_absolute_expiry(
        self, db: Db, people: dict[str, str]
    ) -> None:
        end = "now() + interval '2 days'"
        db.execute(f"UPDATE sessions SET absolute_expires_at = {end}".encode())
        answer = call("POST", "/api/auth/refresh", token=people["bob"])
        expires = datetime.fromisoformat(answer.data["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
        second = call("POST", "/api/auth/refresh", token=answer.data["token"])
        assert second.data["expiresAt"] == answer.data["expiresAt"]
        db.execute("UPDATE sessions SET absolute_expires_at = now()")
        third = call("POST", "/api/auth/refresh", token=second.data["token"])
        assert third.code == "JWT_INVALID"

    def test_refresh_of_a_cookie_session_sets_a_new_cookie(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        previous = {
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        refused = call("POST", "/api/auth/refresh", headers={"Cookie": previous["Cookie"]})
        assert refused.code == "CSRF_TOKEN_MISMATCH"
        answer = call("POST", "/api/auth/refresh", headers=previous)
        assert answer.data.keys() == {"user", "expiresAt", "csrfToken"}
        new = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        assert call("GET", "/api/auth/me", headers=previous).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", headers=new).status == 200
        stale = {**new, "X-CSRF-Token": previous["X-CSRF-Token"]}
        assert call("POST", "/api/auth/logout", headers=stale).code == "CSRF_TOKEN_MISMATCH"
        valid = {**new, "X-CSRF-Token": answer.data["csrfToken"]}
        assert call("POST", "/api/auth/logout", headers=valid).status == 204


class TestExpiry:
    def test_session_unused_for_31_days_is_expired(self, db: Db, people: dict[str, str]) -> None:
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '31 days'")
        assert me(people["bob"]).code == "JWT_INVALID"
        assert call("POST", "/api/auth/refresh", token=people["bob"]).code == "JWT_INVALID"

    def test_use_extends_only_the_idle_expiry(self, db: Db, people: dict[str, str]) -> None:
        ends = "SELECT expires_at, absolute_expires_at FROM sessions ORDER BY id"
        before = db.execute(ends).fetchall()
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '29 days'")
        assert me(people["bob"]).status == 200
        recently_seen = db.execute(
            "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'"
        ).fetchone()
        assert recently_seen == (1,)
        assert db.execute(ends).fetchall() == before

    def test_last_seen_is_updated_every_five_minutes_at_most(
        self, db: Db, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        last_seen = "SELECT last_seen_at FROM sessions ORDER BY id"
        before = db.execute(last_seen).fetchall()
        for _ in range(3):
            me(people["bob"])
            keys.flushdb()
        assert db.execute(last_seen).fetchall() == before

    def test_session_past_its_absolute_expiry_is_invalid(
        self, db: Db, people: dict[str, str]
    ) -> None:
        db.execute("UPDATE sessions SET absolute_expires_at = now()")
        assert me(people["bob"]).code == "JWT_INVALID"

    @pytest.mark.parametrize("zone", ["EST5EDT,M1.1.0,M12.1.0", "Etc/UTC", "Europe/Berlin"])
    def test_time_zone_of_the_database_does_not_change_lifetimes(
        self,
        db: Db,
        environment: dict[str, str],
        reconnect: Callable[[], None],
        plex_url: str,
        zone: str,
    ) -> None:
        """In a zone with daylight saving time, thirty days may be an hour longer or shorter."""
        name = environment["DATABASE_URL"].rpartition("/")[2]
        alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(name))
        db.execute(alter + sql.SQL("SET timezone = {}").format(sql.Literal(zone)))
        reconnect()
        try:
            token = plex.sign_in(plex_url, "bob")["token"]
            assert me(token).status == 200
            assert call("POST", "/api/auth/refresh", token=token).status == 200
            cookie = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
            assert cookie.status == 200
            assert cookie.data["expiresAt"].endswith("Z")
        finally:
            db.execute(alter + sql.SQL("RESET timezone"))
            reconnect()

    def test_changed_lifetimes_apply_to_new_sessions(
        self, db: Db, plex_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        db.execute(
            "INSERT INTO system_config (key, value) VALUES ('session.lifetimes',"
            """ '{"tokenDays": 2, "idleDays": 1, "absoluteDays": 3}')"""
        )
        monkeypatch.setattr(system_config, "_settings_cache", cache(system_config.SettingsCache))
        signed_in = plex.sign_in(plex_url, "bob")
        expires = datetime.fromisoformat(signed_in["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '25 hours'")
        assert me(signed_in["token"]).code == "JWT_INVALID"


class TestList:
    def test_list_has_the_callers_sessions_and_marks_the_current_one(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        listed = sessions(people["bob"])
        assert [session["current"] for session in listed] == [False, True]
        keys = {"id", "createdAt", "lastSeenAt", "expiresAt", "ip", "userAgent", "current"}
        assert all(session.keys() == keys for session in listed)
        assert listed[0]["userAgent"] == "tests"
        assert [session["current"] for session in sessions(second)] == [True, False]
        assert len(sessions(people["carol"])) == 1

    def test_signed_out_session_is_not_listed(self, plex_url: str, people: dict[str, str]) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        call("POST", "/api/auth/logout", token=second)
        assert len(sessions(people["bob"])) == 1


class TestRevoke:
    def revoke(self, token: str, session_id: str) -> Answer:
        return call("DELETE", f"/api/auth/sessions/{session_id}", token=token)

    def test_user_revokes_another_of_their_sessions(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        me(second)
        answer = self.revoke(people["bob"], current_session_id(second))
        assert (answer.status, answer.text) == (204, "")
        assert me(second).code == "JWT_INVALID"
        assert me(people["bob"]).status == 200
        assert count_audited(db, "session.revoked") == 1

    def test_user_revokes_the_current_session(self, people: dict[str, str]) -> None:
        assert self.revoke(people["bob"], current_session_id(people["bob"])).status == 204
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_session_of_another_user_is_not_found(self, people: dict[str, str]) -> None:
        for session_id in (current_session_id(people["carol"]), UNKNOWN_ID):
            answer = self.revoke(people["bob"], session_id)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert me(people["carol"]).status == 200

    def test_revoked_session_is_not_found(self, plex_url: str, people: dict[str, str]) -> None:
        second = current_session_id(plex.sign_in(plex_url, "bob")["token"])
        assert self.revoke(people["bob"], second).status == 204
        assert self.revoke(people["bob"], second).code == "NOT_FOUND"


class TestRevokeAllDuringRefresh:
    """A refresh that races with the revocation of all sessions does not leave a live session."""

    @pytest.mark.parametrize("revoked_by", ["logout", "admin"])
    def test_new_session_is_revoked_too_or_the_sign_out_is_refused(
        self,
        db: Db,
        direct_url: str,
        people: dict[str, str],
        functions_loop: asyncio.AbstractEventLoop,
        revoked_by: str,
    ) -> None:
        user_id = me(people["bob"]).data["id"]
        lifetimes = system_config.session_lifetimes()
        caller = Caller("request", "203.0.113.7", "tests")

        def revoke() -> int:
            asyncio.set_event_loop(functions_loop)  # that of this thread
            if revoked_by == "logout":
                body = {"allSessions": True}
                return call("POST", "/api/auth/logout", token=people["bob"], body=body).status
            path = f"/api/admin/users/{user_id}/sessions"
            return call("DELETE", path, token=people["alice"]).status

        # A busy machine may take longer than the idle timeout of a transaction.
        long_idle_timeout = "-c idle_in_transaction_session_timeout=60s"
        with psycopg.connect(direct_url, options=long_idle_timeout) as refreshing:
            previous = UUID(current_session_id(people["bob"]))
            assert users_repository.lock_active(refreshing, UUID(user_id), previous) is not None
            new_session = repository.replace(refreshing, previous, caller, lifetimes)
            assert new_session is not None
            with ThreadPoolExecutor(1) as pool:
                revocation = pool.submit(revoke)
                eventually(lambda: waits_for_lock(db))
                refreshing.commit()
                status = revocation.result(30)
        # The refresh has replaced the session of the sign-out, so the sign-out gets a 401.
        assert status == (401 if revoked_by == "logout" else 204)
        live = db.execute(
            "SELECT count(*) FROM sessions WHERE user_id = %s AND revoked_at IS NULL", (user_id,)
        ).fetchone()
        assert live == (1 if revoked_by == "logout" else 0,)


class TestWrites:
    """A transaction that writes for a session checks the row of the session, not the cache."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/api/media/request", {"mediaType": "movie", "tmdbId": 603}),
            ("DELETE", f"/api/media/requests/{UNKNOWN_ID}", None),
            ("POST", "/api/auth/refresh", {}),
            ("POST", "/api/auth/logout", {}),
            ("POST", "/api/auth/logout", {"allSessions": True}),
            ("DELETE", f"/api/auth/sessions/{UNKNOWN_ID}", None),
        ],
    )
    def test_revoked_session_writes_nothing(
        self, db: Db, people: dict[str, str], method: str, path: str, body: Any
    ) -> None:
        session_id = current_session_id(people["bob"])
        me(people["bob"])  # caches the session
        db.execute("UPDATE sessions SET revoked_at = now() WHERE id = %s", (session_id,))
        rows = "SELECT (SELECT count(*) FROM media_requests), (SELECT count(*) FROM audit_logs)"
        before = db.execute(rows).fetchone()
        answer = call(method, path, token=people["bob"], body=body)
        assert (answer.status, answer.code) == (401, "JWT_INVALID")
        assert db.execute(rows).fetchone() == before
        assert call(method, path, token=people["carol"], body=body).status in {200, 201, 204, 404}

    def test_revoked_session_changes_no_password(self, db: Db, people: dict[str, str]) -> None:
        account = {"email": "d@example.com", "username": "dora", "role": "user"}
        old_password, new_password = "Cellar-door_42", "Attic-window_17"
        body = {**account, "password": old_password}
        assert call("POST", "/api/admin/users", token=people["alice"], body=body).status == 201
        login = {"identifier": "dora", "password": old_password}
        token = call("POST", "/api/auth/login", body=login).data["token"]
        other = call("POST", "/api/auth/login", body=login).data["token"]
        db.execute(
            "UPDATE sessions SET revoked_at = now() WHERE id = %s", (current_session_id(token),)
        )
        change = {"currentPassword": old_password, "newPassword": new_password}
        assert call("POST", "/api/auth/password", token=token, body=change).code == "JWT_INVALID"
        assert call("POST", "/api/auth/login", body=login).status == 200
        assert call("POST", "/api/auth/password", token=other, body=change).status == 204
        assert call("POST", "/api/auth/login", body=login).code == "INVALID_CREDENTIALS"


class TestTombstones:
    """Revocations that the cache cannot store stay in the database until it can."""

    @pytest.fixture
    def poll_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "TOMBSTONE_POLL_SECONDS", 0.0)

    @pytest.fixture
    def pause_cache(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that pauses the use of the cache, as after a timeout."""

        def pause(seconds: float) -> None:
            monkeypatch.setattr(shared_cache(), "_paused_until", time.monotonic() + seconds)

        return pause

    @pytest.mark.parametrize("body", [{}, {"allSessions": True}])
    @pytest.mark.usefixtures("poll_always")
    def test_revocation_during_a_cache_outage_applies_after_the_outage(
        self,
        db: Db,
        keys: redis.Redis,
        people: dict[str, str],
        pause_cache: Any,
        body: dict[str, bool],
    ) -> None:
        key = cache_key_of(people["bob"])
        pause_cache(60)
        assert call("POST", "/api/auth/logout", token=people["bob"], body=body).status == 204
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (1,)
        assert keys.get(key) not in {None, "ended"}
        pause_cache(0)
        assert me(people["bob"]).code == "JWT_INVALID"
        assert keys.get(key) == "ended"
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (0,)

    @pytest.mark.usefixtures("poll_always")
    def test_call_of_any_user_writes_missing_tombstones_to_the_cache(
        self, db: Db, keys: redis.Redis, people: dict[str, str], pause_cache: Any
    ) -> None:
        key, bob = cache_key_of(people["bob"]), me(people["bob"]).data["id"]
        me(people["carol"])
        pause_cache(60)
        path = f"/api/admin/users/{bob}/sessions"
        assert call("DELETE", path, token=people["alice"]).status == 204
        pause_cache(0)
        assert me(people["carol"]).status == 200
        assert keys.get(key) == "ended"
        assert me(people["carol"]).status == 200

    def test_missing_tombstones_are_polled_once_per_second(
        self, db: Db, people: dict[str, str], pause_cache: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "_tombstones", cache(service.Tombstones))
        me(people["bob"])
        me(people["bob"])
        pause_cache(60)
        call("POST", "/api/auth/logout", token=people["bob"])
        pause_cache(0)
        later = time.time() + service.TOMBSTONE_POLL_SECONDS
        monkeypatch.setattr("medianest.sessions.service.time.time", lambda: later)
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_revocations_apply_while_the_cache_is_read_only(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "_tombstones", cache(service.Tombstones))
        monkeypatch.setattr(shared_cache(), "set_each", lambda *_, **__: False)
        for name in ("bob", "carol"):
            assert me(people[name]).status == 200
            assert call("POST", "/api/auth/logout", token=people[name]).status == 204
        later = time.time() + service.TOMBSTONE_POLL_SECONDS
        monkeypatch.setattr("medianest.sessions.service.time.time", lambda: later)
        # One poll finds both tombstones.
        assert me(people["bob"]).code == "JWT_INVALID"
        assert me(people["carol"]).code == "JWT_INVALID"
        assert me(people["alice"]).status == 200

    def test_full_cache_deletes_the_session_that_it_cannot_mark(
        self, db: Db, keys: redis.Redis, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = cache_key_of(people["bob"])

        def full(*_: Any) -> None:
            raise redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'")

        with monkeypatch.context() as patched:
            patched.setattr("redis.commands.core.Script.__call__", full)
            assert call("POST", "/api/auth/logout", token=people["bob"]).status == 204
            assert keys.get(key) is None
            assert me(people["bob"]).code == "JWT_INVALID"
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (1,)

    def test_old_tombstones_are_deleted(
        self, db: Db, people: dict[str, str], pause_cache: Any
    ) -> None:
        pause_cache(60)
        for name in ("bob", "carol"):
            call("POST", "/api/auth/logout", token=people[name])
        pause_cache(0)
        db.execute(
            "UPDATE session_tombstones SET created_at = now() - interval '6 minutes'"
            " WHERE session_id = (SELECT session_id FROM session_tombstones LIMIT 1)"
        )
        run_schedule("ExpiredSessions")
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (1,)

    def test_deletions_of_tombstones_do_not_wait_for_each_other(
        self, db: Db, direct_url: str, people: dict[str, str], pause_cache: Any
    ) -> None:
        pause_cache(60)
        for name in ("bob", "carol"):
            call("POST", "/api/auth/logout", token=people[name])
        pause_cache(0)
        ids = [row[0] for row in db.execute("SELECT session_id FROM session_tombstones")]
        with psycopg.connect(direct_url) as other:
            other.execute("DELETE FROM session_tombstones WHERE session_id = %s", (ids[0],))
            with database().transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '500ms'")
                repository.delete_tombstones(connection, ids)
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (0,)


class TestSignInWithSession:
    def test_new_sign_in_revokes_the_session_of_the_call(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        handle = plex.begin(plex_url, "bob")
        answer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, token=people["bob"])
        assert answer.status == 200
        assert me(people["bob"]).code == "JWT_INVALID"
        assert me(answer.data["token"]).status == 200

    def test_sign_in_ignores_an_invalid_token(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "bob")
        answer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, token="bad.to.ken")
        assert answer.status == 200

    def test_failed_sign_in_revokes_nothing(self, people: dict[str, str]) -> None:
        call("POST", "/api/auth/plex/verify", body={"pinId": "unknown"}, token=people["bob"])
        assert me(people["bob"]).status == 200


class TestCrossSite:
    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
    )
    def test_cross_site_sign_in_gets_no_session_cookie(
        self, db: Db, plex_url: str, headers: dict[str, str]
    ) -> None:
        handle = plex.begin(plex_url, "bob")
        body = {"pinId": handle, "session": "cookie"}
        refused = call("POST", "/api/auth/plex/verify", body=body, headers=headers)
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert "set-cookie" not in refused.headers
        # A bearer token is allowed: the browser does not store or send it by itself.
        bearer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, headers=headers)
        assert bearer.status == 200

    def test_same_site_sign_in_gets_a_session_cookie(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "bob")
        answer = call(
            "POST",
            "/api/auth/plex/verify",
            body={"pinId": handle, "session": "cookie"},
            headers={
                "Host": "media.example",
                "Origin": "https://media.example",
                "Sec-Fetch-Site": "same-origin",
            },
        )
        assert "set-cookie" in answer.headers

    def test_cookie_and_csrf_token_from_a_foreign_origin_are_refused(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        headers = {
            "Host": "media.example",
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        for origin in (
            "https://evil.example",
            "null",
            "https://media.example.evil.example",
            "http://media.example",
            "http://[",
            "https://a]b",
            "",
        ):
            refused = call("POST", "/api/auth/logout", headers={**headers, "Origin": origin})
            assert refused.code == "CSRF_TOKEN_MISMATCH"
        # Behind a proxy that changes the host, Sec-Fetch-Site decides.
        proxied = {**headers, "Origin": "https://front.example", "Sec-Fetch-Site": "same-origin"}
        assert call("POST", "/api/auth/refresh", headers=proxied).status == 200
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        headers |= {
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        same_origin = {**headers, "Origin": "https://media.example"}
        for host in ("127.0.0.1:3001", "localhost:3001", "[::1]:3001"):
            local = {**headers, "Host": host, "Origin": f"http://{host}"}
            assert call("POST", "/api/media/request", headers=local, body={}).status == 400
        assert call("POST", "/api/auth/logout", headers=same_origin).status == 204
