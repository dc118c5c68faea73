"""Sessions: the cache, refresh, ends, the list, revoking."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from psycopg import sql

from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.sessions import repository, service
from medianest.sessions.models import LiveSession
from medianest.settings import service as settings
from tests.support import plex
from tests.support.api import ROOT, Answer, call
from tests.support.local import eventually

type Db = psycopg.Connection[tuple[Any, ...]]

NOBODYS = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def me(token: str) -> Answer:
    return call("GET", "/api/auth/me", token=token)


def sessions(token: str) -> Any:
    return call("GET", "/api/auth/sessions", token=token).data


def current(token: str) -> str:
    return str(next(session["id"] for session in sessions(token) if session["current"]))


def audited(db: Db, action: str) -> int:
    row = db.execute("SELECT count(*) FROM audit_logs WHERE action = %s", (action,)).fetchone()
    assert row is not None
    return int(row[0])


class TestCache:
    def test_a_session_is_kept_for_a_minute_at_most(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        key = f"session:{current(people['bob'])}"
        assert 0 < keys.ttl(key) <= 60
        assert people["bob"] not in str(keys.get(key))

    def test_the_second_call_does_not_ask_the_database_for_the_session(
        self, db: Db, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        db.execute("UPDATE sessions SET revoked_at = now()")  # behind the service's back
        assert call("GET", "/api/auth/csrf", token=people["bob"]).status == 200

    def test_an_admin_route_always_asks_the_database(self, db: Db, people: dict[str, str]) -> None:
        me(people["alice"])
        db.execute("UPDATE sessions SET revoked_at = now()")
        answer = call("GET", "/api/admin/users", token=people["alice"])
        assert (answer.status, answer.code) == (401, "JWT_INVALID")

    def test_an_end_is_written_through(self, people: dict[str, str]) -> None:
        me(people["bob"])
        call("POST", "/api/auth/logout", token=people["bob"])
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_a_late_reader_cannot_bring_an_ended_session_back(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        """An environment read the row before the commit and fills the cache after it."""
        user_id = UUID(me(people["bob"]).data["id"])
        session_id = UUID(current(people["bob"]))
        call("POST", "/api/auth/logout", token=people["bob"])
        later = datetime.now(UTC) + timedelta(days=1)
        service._cache(LiveSession(session_id, user_id, "user", later, seen=True))
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_what_others_cannot_find_yet_is_not_kept(
        self, db: Db, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        """Who changes a user meanwhile looks for the sessions that were noted as seen lately."""
        session_id = current(people["bob"])
        keys.flushdb()
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '6 minutes'")
        assert me(people["bob"]).status == 200
        assert keys.keys("session:*") == []
        assert me(people["bob"]).status == 200
        assert keys.keys("session:*") == [f"session:{session_id}"]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/api/admin/users/{}", {"status": "suspended"}),
            ("DELETE", "/api/admin/users/{}", None),
            ("DELETE", "/api/admin/users/{}/sessions", None),
            ("POST", "/api/auth/logout", {"allSessions": True}),
        ],
    )
    def test_sessions_that_it_cannot_hold_cost_nothing(
        self,
        db: Db,
        keys: redis.Redis,
        people: dict[str, str],
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
        reads = keys.info("stats")["total_reads_processed"]
        token = people["bob" if path.startswith("/api/auth") else "alice"]
        answer = call(method, path.format(bob), token=token, body=body)
        assert answer.status in {200, 204}
        # Those that were seen lately, all at once.
        assert keys.info("stats")["total_reads_processed"] - reads < 200
        marked = [key for key in keys.keys("session:*") if keys.get(key) == "ask the row"]
        assert len(marked) == 1001
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_an_odd_value_counts_as_none(self, keys: redis.Redis, people: dict[str, str]) -> None:
        key = f"session:{current(people['bob'])}"
        for odd in ("{}", "nonsense", "[]", '{"expires_at": 7}'):
            keys.set(key, odd, ex=60)
            assert me(people["bob"]).status == 200

    def test_a_cached_session_still_expires(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        user_id = UUID(me(people["bob"]).data["id"])
        session_id = UUID(current(people["bob"]))
        keys.delete(f"session:{session_id}")
        past = datetime.now(UTC) - timedelta(seconds=1)
        service._cache(LiveSession(session_id, user_id, "user", past, seen=True))
        assert me(people["bob"]).code == "JWT_INVALID"


class TestRefresh:
    def test_the_new_token_works_and_the_old_one_is_dead(
        self, db: Db, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        answer = call("POST", "/api/auth/refresh", token=people["bob"], body={})
        assert answer.status == 200
        assert answer.data.keys() == {"user", "expiresAt", "token"}
        assert me(people["bob"]).code == "JWT_INVALID"
        assert me(answer.data["token"]).data["username"] == "bob"
        assert call("POST", "/api/auth/refresh", token=people["bob"]).code == "JWT_INVALID"
        assert len(sessions(answer.data["token"])) == 1
        assert audited(db, "session.refreshed") == 1

    def test_never_past_the_absolute_end(self, db: Db, people: dict[str, str]) -> None:
        end = "now() + interval '2 days'"
        db.execute(f"UPDATE sessions SET absolute_expires_at = {end}".encode())
        answer = call("POST", "/api/auth/refresh", token=people["bob"])
        expires = datetime.fromisoformat(answer.data["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
        again = call("POST", "/api/auth/refresh", token=answer.data["token"])
        assert again.data["expiresAt"] == answer.data["expiresAt"]
        db.execute("UPDATE sessions SET absolute_expires_at = now()")
        ended = call("POST", "/api/auth/refresh", token=again.data["token"])
        assert ended.code == "JWT_INVALID"

    def test_a_cookie_gets_a_cookie(self, db: Db, keys: object, plex_url: str) -> None:
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        old = {
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        refused = call("POST", "/api/auth/refresh", headers={"Cookie": old["Cookie"]})
        assert refused.code == "CSRF_TOKEN_MISMATCH"
        answer = call("POST", "/api/auth/refresh", headers=old)
        assert answer.data.keys() == {"user", "expiresAt", "csrfToken"}
        new = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        assert call("GET", "/api/auth/me", headers=old).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", headers=new).status == 200
        stale = {**new, "X-CSRF-Token": old["X-CSRF-Token"]}
        assert call("POST", "/api/auth/logout", headers=stale).code == "CSRF_TOKEN_MISMATCH"
        good = {**new, "X-CSRF-Token": answer.data["csrfToken"]}
        assert call("POST", "/api/auth/logout", headers=good).status == 204


class TestEnds:
    def test_unused_for_too_long(self, db: Db, people: dict[str, str]) -> None:
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '31 days'")
        assert me(people["bob"]).code == "JWT_INVALID"
        assert call("POST", "/api/auth/refresh", token=people["bob"]).code == "JWT_INVALID"

    def test_use_moves_the_idle_end_and_no_other(self, db: Db, people: dict[str, str]) -> None:
        ends = "SELECT expires_at, absolute_expires_at FROM sessions ORDER BY id"
        before = db.execute(ends).fetchall()
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '29 days'")
        assert me(people["bob"]).status == 200
        seen = db.execute(
            "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'"
        ).fetchone()
        assert seen == (1,)
        assert db.execute(ends).fetchall() == before

    def test_use_is_noted_every_five_minutes_at_most(
        self, db: Db, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        noted = "SELECT last_seen_at FROM sessions ORDER BY id"
        before = db.execute(noted).fetchall()
        for _ in range(3):
            me(people["bob"])
            keys.flushdb()
        assert db.execute(noted).fetchall() == before

    def test_absolute_end(self, db: Db, people: dict[str, str]) -> None:
        db.execute("UPDATE sessions SET absolute_expires_at = now()")
        assert me(people["bob"]).code == "JWT_INVALID"

    @pytest.mark.parametrize("zone", ["EST5EDT,M1.1.0,M12.1.0", "Etc/UTC", "Europe/Berlin"])
    def test_the_time_zone_of_the_database_does_not_matter(
        self, db: Db, environment: dict[str, str], plex_url: str, zone: str
    ) -> None:
        """Thirty days of a calendar with a change in autumn have an hour more, for example."""
        name = environment["DATABASE_URL"].rpartition("/")[2]
        alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(name))
        database().close()
        db.execute(alter + sql.SQL("SET timezone = {}").format(sql.Literal(zone)))
        try:
            token = plex.sign_in(plex_url, "bob")["token"]
            assert me(token).status == 200
            assert call("POST", "/api/auth/refresh", token=token).status == 200
            cookie = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
            assert cookie.status == 200
            assert cookie.data["expiresAt"].endswith("Z")
        finally:
            db.execute(alter + sql.SQL("RESET timezone"))
            database().close()

    def test_lifetimes_can_be_changed_at_run_time(
        self, db: Db, plex_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        db.execute(
            "INSERT INTO system_config (key, value) VALUES ('session.lifetimes',"
            """ '{"tokenDays": 2, "idleDays": 1, "absoluteDays": 3}')"""
        )
        monkeypatch.setattr(settings, "_memory", cache(settings.Memory))
        signed_in = plex.sign_in(plex_url, "bob")
        expires = datetime.fromisoformat(signed_in["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '25 hours'")
        assert me(signed_in["token"]).code == "JWT_INVALID"


class TestList:
    def test_lists_ones_own_with_the_current_one_marked(
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

    def test_ended_ones_are_gone(self, plex_url: str, people: dict[str, str]) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        call("POST", "/api/auth/logout", token=second)
        assert len(sessions(people["bob"])) == 1


class TestRevoke:
    def revoke(self, token: str, session_id: str) -> Answer:
        return call("DELETE", f"/api/auth/sessions/{session_id}", token=token)

    def test_ends_another_session_of_ones_own(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        me(second)
        answer = self.revoke(people["bob"], current(second))
        assert (answer.status, answer.text) == (204, "")
        assert me(second).code == "JWT_INVALID"
        assert me(people["bob"]).status == 200
        assert audited(db, "session.revoked") == 1

    def test_ends_the_one_that_asks(self, people: dict[str, str]) -> None:
        assert self.revoke(people["bob"], current(people["bob"])).status == 204
        assert me(people["bob"]).code == "JWT_INVALID"

    def test_somebody_elses_is_not_found(self, people: dict[str, str]) -> None:
        for session_id in (current(people["carol"]), NOBODYS):
            answer = self.revoke(people["bob"], session_id)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert me(people["carol"]).status == 200

    def test_a_second_time_is_not_found(self, plex_url: str, people: dict[str, str]) -> None:
        second = current(plex.sign_in(plex_url, "bob")["token"])
        assert self.revoke(people["bob"], second).status == 204
        assert self.revoke(people["bob"], second).code == "NOT_FOUND"


class TestEndOfAllAgainstARefresh:
    """A refresh that is under way when all sessions end does not outlive them."""

    @pytest.mark.parametrize("how", ["logout", "admin"])
    def test_its_new_session_ends_too(
        self, db: Db, environment: dict[str, str], people: dict[str, str], how: str
    ) -> None:
        user_id = me(people["bob"]).data["id"]
        lifetimes = settings.session_lifetimes()
        caller = Caller("request", "203.0.113.7", "tests")
        # The other process may take longer to start than a transaction may be idle.
        patient = "-c idle_in_transaction_session_timeout=60s"
        with psycopg.connect(environment["DATABASE_URL"], options=patient) as refreshing:
            former = UUID(current(people["bob"]))
            new = repository.replace(refreshing, former, caller, lifetimes)
            assert new is not None
            with ThreadPoolExecutor(1) as pool:
                path = f"/api/admin/users/{user_id}/sessions"
                script = _END_ALL.format(how=how)
                ending = pool.submit(
                    subprocess.run,
                    [sys.executable, "-c", script, people["bob"], people["alice"], path],
                    capture_output=True,
                    text=True,
                    check=False,
                    cwd=ROOT,
                )
                eventually(lambda: _waits_for_a_lock(db))
                refreshing.commit()
                done = ending.result(30)
        assert done.stdout.strip().endswith("204"), done.stderr
        alive = db.execute(
            "SELECT count(*) FROM sessions WHERE user_id = %s AND revoked_at IS NULL", (user_id,)
        ).fetchone()
        assert alive == (0,)


# In a process of its own: this one is in the middle of the refresh.
_END_ALL = """
import asyncio, sys
asyncio.set_event_loop(asyncio.new_event_loop())
from tests.support.api import call
bob, alice, path = sys.argv[1:]
if "{how}" == "logout":
    answer = call("POST", "/api/auth/logout", token=bob, body={{"allSessions": True}})
else:
    answer = call("DELETE", path, token=alice)
print(answer.status)
"""


def _waits_for_a_lock(db: Db) -> bool:
    return bool(
        db.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    )


class TestSignInAnew:
    def test_ends_the_session_one_signs_in_with(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        me(people["bob"])
        handle = plex.begin(plex_url, "bob")
        answer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, token=people["bob"])
        assert answer.status == 200
        assert me(people["bob"]).code == "JWT_INVALID"
        assert me(answer.data["token"]).status == 200

    def test_a_bad_credential_does_not_keep_one_out(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "bob")
        answer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, token="bad.to.ken")
        assert answer.status == 200

    def test_a_failed_sign_in_ends_nothing(self, people: dict[str, str]) -> None:
        call("POST", "/api/auth/plex/verify", body={"pinId": "unknown"}, token=people["bob"])
        assert me(people["bob"]).status == 200


class TestForeignSites:
    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
    )
    def test_cannot_plant_a_session_cookie(
        self, db: Db, plex_url: str, headers: dict[str, str]
    ) -> None:
        handle = plex.begin(plex_url, "bob")
        body = {"pinId": handle, "session": "cookie"}
        refused = call("POST", "/api/auth/plex/verify", body=body, headers=headers)
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert "set-cookie" not in refused.headers
        # A token is another matter: the page that asks for it has to keep it itself.
        bearer = call("POST", "/api/auth/plex/verify", body={"pinId": handle}, headers=headers)
        assert bearer.status == 200

    def test_own_site_gets_its_cookie(self, db: Db, plex_url: str) -> None:
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

    def test_foreign_origin_with_cookie_and_csrf_token(
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
        # Behind a proxy that changes the host, the browser's own word for "the same" counts.
        proxied = {**headers, "Origin": "https://front.example", "Sec-Fetch-Site": "same-origin"}
        assert call("POST", "/api/auth/refresh", headers=proxied).status == 200
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        headers |= {
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        own = {**headers, "Origin": "https://media.example"}
        assert call("POST", "/api/auth/logout", headers=own).status == 204
