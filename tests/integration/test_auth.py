"""Sign-in with Plex, bearer sessions, cookie sessions and sign-out."""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import redis

from local.standins.plex.resources import SERVER_ID
from medianest.core import upstream
from medianest.core.breaker import FAILURES
from medianest.core.environment import load
from medianest.signin import with_plex
from tests.support import plex
from tests.support.api import Answer, call

type Db = psycopg.Connection[tuple[Any, ...]]

USER_KEYS = {"id", "email", "username", "role", "plexId", "createdAt", "updatedAt"}


def count_rows(db: Db, table: str) -> int:
    count = db.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert count is not None
    return int(count[0])


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


class TestBegin:
    def test_returns_a_handle_a_code_and_the_address_of_the_hosted_page(
        self, db: Db, plex_url: str
    ) -> None:
        answer = call("POST", "/api/auth/plex/pin", body={})
        assert answer.status == 200
        assert answer.data.keys() == {"pinId", "code", "authUrl", "expiresAt"}
        page = urlsplit(answer.data["authUrl"])
        fragment = parse_qs(page.fragment.removeprefix("?"))
        assert f"{page.scheme}://{page.netloc}" == plex_url
        assert fragment["clientID"] == ["medianest-tests"]
        assert fragment["code"] == [answer.data["code"]]
        assert count_rows(db, "signin_handles") == 1

    def test_handle_is_random_and_stored_only_as_a_hash(self, db: Db, plex_url: str) -> None:
        plex.control(plex_url, "DELETE", "requests")
        first, second = (
            call("POST", "/api/auth/plex/pin", body={}).data["pinId"] for _ in range(2)
        )
        assert first != second
        assert len(first) >= 43
        assert not first.isdigit()
        stored = db.execute("SELECT handle_hash, plex_pin_id FROM signin_handles").fetchall()
        assert all(first.encode() not in handle for handle, _ in stored)
        assert str(stored[0][1]) not in first

    def test_body_may_be_missing(self, db: Db) -> None:
        assert call("POST", "/api/auth/plex/pin").status == 200

    def test_plex_gets_its_required_headers(self, db: Db, plex_url: str) -> None:
        plex.control(plex_url, "DELETE", "requests")
        call("POST", "/api/auth/plex/pin", body={})
        received = plex.control(plex_url, "GET", "requests")[-1]
        headers = {name.lower(): value for name, value in received["headers"].items()}
        assert headers["accept"] == "application/json"
        assert headers["x-plex-client-identifier"] == "medianest-tests"
        assert headers["x-plex-product"] == "MediaNest"


class TestFinish:
    def test_approved_sign_in_returns_a_bearer_token(self, db: Db, plex_url: str) -> None:
        answer = plex.verify(plex.begin(plex_url, "alice"))
        assert answer.status == 200
        assert answer.data.keys() == {"user", "expiresAt", "token"}
        assert answer.data["user"].keys() == USER_KEYS
        assert answer.data["user"]["plexId"] == "1001"
        assert answer.data["user"]["email"] == "alice@example.com"
        assert "set-cookie" not in answer.headers
        expires = datetime.fromisoformat(answer.data["expiresAt"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
        me = call("GET", "/api/auth/me", token=answer.data["token"])
        assert me.status == 200
        assert me.data == answer.data["user"]

    def test_first_user_is_admin_and_the_next_is_not(self, db: Db, plex_url: str) -> None:
        assert plex.sign_in(plex_url, "bob")["user"]["role"] == "admin"
        assert plex.sign_in(plex_url, "alice")["user"]["role"] == "user"
        assert plex.sign_in(plex_url, "bob")["user"]["role"] == "admin"
        assert count_rows(db, "users") == 2

    def test_sign_in_is_pending_until_approved(self, db: Db, plex_url: str) -> None:
        pin = call("POST", "/api/auth/plex/pin", body={}).data
        pending = plex.verify(pin["pinId"])
        assert (pending.status, pending.code) == (409, "PIN_PENDING")
        assert count_rows(db, "sessions") == 0
        plex.approve(plex_url, pin["code"], "bob")
        assert plex.verify(pin["pinId"]).status == 200

    def test_second_use_of_a_handle_is_refused(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "alice")
        assert plex.verify(handle).status == 200
        repeated = plex.verify(handle)
        assert (repeated.status, repeated.code) == (404, "PIN_EXPIRED")
        assert count_rows(db, "sessions") == 1

    @pytest.mark.parametrize("handle", ["unknown", "1", "308667304", "x" * 200])
    def test_unknown_handle_is_refused(self, db: Db, plex_url: str, handle: str) -> None:
        plex.begin(plex_url, "alice")
        answer = plex.verify(handle)
        assert (answer.status, answer.code) == (404, "PIN_EXPIRED")
        assert count_rows(db, "sessions") == 0

    def test_pin_id_of_plex_is_not_accepted_as_a_handle(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "alice")
        number = db.execute("SELECT plex_pin_id FROM signin_handles").fetchone()
        assert number is not None
        assert plex.verify(str(number[0])).code == "PIN_EXPIRED"
        assert plex.verify(handle).status == 200

    def test_expired_handle_is_refused(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "alice")
        db.execute("UPDATE signin_handles SET expires_at = now() - interval '1 second'")
        assert plex.verify(handle).code == "PIN_EXPIRED"
        assert count_rows(db, "sessions") == 0

    def test_handle_expires_before_the_pin_of_plex(self, db: Db, plex_url: str) -> None:
        expires = call("POST", "/api/auth/plex/pin", body={}).data["expiresAt"]
        remaining = datetime.fromisoformat(expires) - datetime.now(UTC)
        assert timedelta(minutes=9) < remaining <= timedelta(minutes=10)

    def test_managed_user_without_email_gets_a_placeholder_address(
        self, db: Db, plex_url: str
    ) -> None:
        user = plex.sign_in(plex_url, "kids")["user"]
        assert user["email"] == "1005@plex.invalid"

    def test_identity_is_the_plex_id_not_the_email(self, db: Db, plex_url: str) -> None:
        db.execute(
            "INSERT INTO users (plex_id, email, username, role)"
            " VALUES (77, 'bob@example.com', 'bob', 'admin')"
        )
        user = plex.sign_in(plex_url, "bob")["user"]
        assert user["plexId"] == "1002"
        assert user["role"] == "user"
        assert count_rows(db, "users") == 2

    def test_suspended_user_cannot_sign_in_until_reactivated(self, db: Db, plex_url: str) -> None:
        plex.sign_in(plex_url, "bob")
        db.execute("UPDATE users SET status = 'suspended'")
        answer = plex.verify(plex.begin(plex_url, "bob"))
        assert (answer.status, answer.code) == (403, "ACCOUNT_SUSPENDED")
        db.execute("UPDATE users SET status = 'active'")
        assert plex.sign_in(plex_url, "bob")["user"]["username"] == "bob"

    def test_plex_token_is_not_in_the_response(self, db: Db, plex_url: str) -> None:
        plex.control(plex_url, "DELETE", "requests")
        answer = plex.verify(plex.begin(plex_url, "alice"))
        received = plex.control(plex_url, "GET", "requests")
        tokens = {
            value
            for request in received
            for name, value in request["headers"].items()
            if name.lower() == "x-plex-token"
        }
        assert len(tokens) == 1
        assert tokens.pop() not in answer.text

    def test_sign_in_is_audited_with_its_caller(self, db: Db, plex_url: str) -> None:
        answer = plex.verify(plex.begin(plex_url, "alice"))
        audited = db.execute(
            "SELECT action, host(ip), user_agent, request_id FROM audit_logs ORDER BY action"
        ).fetchall()
        request_id = answer.headers["x-request-id"]
        assert audited == [
            ("auth.sign_in", "203.0.113.7", "tests", request_id),
            ("user.created", "203.0.113.7", "tests", request_id),
        ]

    def test_address_that_began_the_sign_in_is_audited(self, db: Db, plex_url: str) -> None:
        pin = call("POST", "/api/auth/plex/pin", body={}, ip="2001:db8::7").data
        plex.approve(plex_url, pin["code"], "alice")
        assert plex.verify(pin["pinId"]).status == 200
        audited = db.execute(
            "SELECT host(ip), details FROM audit_logs WHERE action = 'auth.sign_in'"
        ).fetchone()
        assert audited == ("203.0.113.7", {"method": "plex", "begunFrom": "2001:db8::7"})


class TestServerAccess:
    @pytest.fixture(autouse=True)
    def _server(self, environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
        with_server = load({**os.environ, "PLEX_SERVER_ID": SERVER_ID})
        monkeypatch.setattr(with_plex, "environment", lambda: with_server)

    def test_account_without_access_is_refused_and_not_created(self, db: Db, plex_url: str) -> None:
        answer = plex.verify(plex.begin(plex_url, "dave"))
        assert (answer.status, answer.code) == (403, "PLEX_ACCESS_DENIED")
        assert count_rows(db, "users") == 0
        assert count_rows(db, "sessions") == 0

    def test_refused_sign_in_consumes_the_handle(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "dave")
        assert plex.verify(handle).code == "PLEX_ACCESS_DENIED"
        assert plex.verify(handle).code in {"PIN_EXPIRED", "RATE_LIMITED"}
        assert count_rows(db, "signin_handles") == 0

    def test_first_user_with_access_is_not_admin_when_a_server_is_configured(
        self, db: Db, plex_url: str
    ) -> None:
        assert plex.sign_in(plex_url, "bob")["user"]["role"] == "user"

    def test_promotion_at_sign_in_revokes_the_other_sessions(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        first = plex.sign_in(plex_url, "alice")["token"]
        bob = plex.sign_in(plex_url, "bob")["token"]
        db.execute("UPDATE users SET role = 'user' WHERE username = 'alice'")
        second = plex.sign_in(plex_url, "alice")
        assert second["user"]["role"] == "admin"
        assert call("GET", "/api/auth/me", token=first).code == "JWT_INVALID"
        assert call("GET", "/api/admin/users", token=second["token"]).status == 200
        third = plex.sign_in(plex_url, "alice")["token"]
        for token in (second["token"], third, bob):
            assert call("GET", "/api/auth/me", token=token).status == 200

    def test_owner_of_the_server_is_admin(self, db: Db, plex_url: str) -> None:
        plex.sign_in(plex_url, "bob")
        alice = plex.sign_in(plex_url, "alice")["user"]
        assert alice["role"] == "admin"
        db.execute("UPDATE users SET role = 'user' WHERE id = %s", (alice["id"],))
        assert plex.sign_in(plex_url, "alice")["user"]["role"] == "admin"
        # Sign-in made the owner an admin again, which nobody else has recorded.
        changes = "SELECT target_id, details FROM audit_logs WHERE action = 'user.changed'"
        assert db.execute(changes).fetchall() == [
            (alice["id"], {"role": {"from": "user", "to": "admin"}})
        ]

    def test_sign_in_without_news_of_plex_leaves_the_time_of_the_last_change(
        self, db: Db, plex_url: str
    ) -> None:
        first = plex.sign_in(plex_url, "bob")["user"]
        assert plex.sign_in(plex_url, "bob")["user"]["updatedAt"] == first["updatedAt"]
        db.execute("UPDATE users SET email = 'earlier@example.com'")
        assert plex.sign_in(plex_url, "bob")["user"]["updatedAt"] > first["updatedAt"]


class TestPlexFaults:
    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 429},
            {"kind": "html"},
            {"kind": "wrong-types"},
            {"kind": "close"},
            {"kind": "redirect", "location": "http://127.0.0.1:1/"},
        ],
        ids=lambda fault: "-".join(str(value) for value in list(fault.values())[:2]),
    )
    def test_plex_fault_gets_503_and_changes_nothing(
        self, db: Db, plex_url: str, fault: dict[str, Any]
    ) -> None:
        handle = plex.begin(plex_url, "alice")
        plex.control(plex_url, "PUT", "fault", fault)
        for answer in (plex.verify(handle), call("POST", "/api/auth/plex/pin", body={})):
            assert (answer.status, answer.code) == (503, "PLEX_UNREACHABLE")
            assert int(answer.headers["retry-after"]) >= 1
        assert count_rows(db, "signin_handles") == 1
        assert count_rows(db, "users") == 0
        plex.control(plex_url, "DELETE", "fault")
        assert plex.verify(handle).status == 200

    def test_request_for_a_pin_is_not_retried(self, db: Db, plex_url: str) -> None:
        for fault in ({"kind": "close"}, {"kind": "status", "status": 503}):
            plex.control(plex_url, "PUT", "fault", fault)
            plex.control(plex_url, "DELETE", "requests")
            assert call("POST", "/api/auth/plex/pin", body={}).code == "PLEX_UNREACHABLE"
            assert len(plex.control(plex_url, "GET", "requests")) == 1

    def test_poll_is_retried_after_one_failure(self, db: Db, plex_url: str) -> None:
        for fault in ({"kind": "close"}, {"kind": "status", "status": 503}):
            handle = plex.begin(plex_url, "alice")
            plex.control(plex_url, "PUT", "fault", {**fault, "count": 1})
            assert plex.verify(handle).status == 200

    def test_sign_in_can_be_repeated_after_plex_fails_halfway(self, db: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, "alice")
        plex.control(plex_url, "PUT", "fault", {"kind": "html", "path": "/api/v2/user"})
        assert plex.verify(handle).code == "PLEX_UNREACHABLE"
        plex.control(plex_url, "DELETE", "fault")
        assert plex.verify(handle).status == 200


class TestPlexBreaker:
    def count_plex_requests(self, plex_url: str) -> int:
        return len(plex.control(plex_url, "GET", "requests"))

    def test_plex_is_not_called_before_its_retry_after_has_passed(
        self, db: Db, keys: redis.Redis, plex_url: str
    ) -> None:
        handle = plex.begin(plex_url, "alice")
        fault = {"kind": "status", "status": 429, "retryAfter": 20, "count": 1}
        plex.control(plex_url, "PUT", "fault", fault)
        plex.control(plex_url, "DELETE", "requests")
        for answer in (
            plex.verify(handle),
            plex.verify(handle),
            call("POST", "/api/auth/plex/pin", body={}),
        ):
            assert (answer.status, answer.code) == (503, "PLEX_UNREACHABLE")
            assert 15 < int(answer.headers["retry-after"]) <= 20
        assert self.count_plex_requests(plex_url) == 1
        assert keys.delete(*keys.scan_iter("{breaker:*}:state")) == 1
        assert plex.verify(handle).status == 200

    def test_breaker_opens_when_plex_hangs_and_sessions_stay_valid(
        self, people: dict[str, str], plex_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short_timeout = load({**os.environ, "UPSTREAM_TIMEOUT_SECONDS": "1"})
        monkeypatch.setattr(upstream, "environment", lambda: short_timeout)
        handle = plex.begin(plex_url, "bob")
        plex.control(plex_url, "PUT", "fault", {"kind": "hang"})
        plex.control(plex_url, "DELETE", "requests")
        for _ in range(FAILURES):
            assert plex.verify(handle).code == "PLEX_UNREACHABLE"
            assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
        assert self.count_plex_requests(plex_url) == FAILURES
        started = time.monotonic()
        answer = plex.verify(handle)
        assert time.monotonic() - started < 1  # the timeout
        assert (answer.status, answer.code) == (503, "PLEX_UNREACHABLE")
        assert 20 < int(answer.headers["retry-after"]) <= 30
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
        assert self.count_plex_requests(plex_url) == FAILURES

    def test_all_calls_of_a_sign_in_share_one_time_budget(
        self, db: Db, keys: object, plex_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short_timeout = load(
            {**os.environ, "PLEX_SERVER_ID": SERVER_ID, "UPSTREAM_TIMEOUT_SECONDS": "1"}
        )
        monkeypatch.setattr(with_plex, "environment", lambda: short_timeout)
        handle = plex.begin(plex_url, "bob")
        # Each call stays below its timeout, but together they exceed the budget.
        plex.control(plex_url, "PUT", "fault", {"kind": "slow", "seconds": 1})
        started = time.monotonic()
        assert plex.verify(handle).code == "PLEX_UNREACHABLE"
        assert time.monotonic() - started < 2
        plex.control(plex_url, "DELETE", "fault")
        assert plex.verify(handle).status == 200

    def test_unknown_pins_do_not_open_the_breaker(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        handle = plex.begin(plex_url, None)
        db.execute("UPDATE signin_handles SET plex_pin_id = 1")
        for _ in range(2 * FAILURES):
            assert plex.verify(handle).code == "PIN_EXPIRED"
        for _ in range(FAILURES):
            plex.control(plex_url, "PUT", "fault", {"kind": "status", "status": 401, "count": 1})
            assert plex.verify(handle).code == "PLEX_UNREACHABLE"
        assert plex.verify(plex.begin(plex_url, "alice")).status == 200


class TestSession:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": ""},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Bearer a.b.c"},
            {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
            {"Authorization": "Bearer " + "a" * 5000},
            {"Authorization": "Bearer é.è.à"},
            {"Authorization": ["Bearer a.b.c", "Bearer d.e.f"]},
            {"Cookie": "__Host-medianest_session=nonsense"},
        ],
    )
    @pytest.mark.parametrize("path", ["/api/auth/me", "/api/media/requests", "/api/admin/users"])
    def test_invalid_credentials_get_401(
        self, db: Db, path: str, headers: dict[str, str | list[str]]
    ) -> None:
        answer = call("GET", path, headers=headers)
        assert (answer.status, answer.code) == (401, "JWT_INVALID")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_authorization_scheme_is_case_insensitive(self, people: dict[str, str]) -> None:
        headers = {"Authorization": f"bEaReR {people['bob']}"}
        assert call("GET", "/api/auth/me", headers=headers).status == 200

    def test_tampered_token_is_refused(self, people: dict[str, str]) -> None:
        header, payload, signature = people["bob"].split(".")
        _, other, _ = people["alice"].split(".")
        for token in (
            f"{header}.{other}.{signature}",
            f"{header}.{payload}.{signature[:-4]}AAAA",
            f"{header}.{payload}.{signature}=",
            f"{header}.{payload}.",
        ):
            assert call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["bob"]).status == 200

    def test_token_in_the_query_is_ignored(self, people: dict[str, str]) -> None:
        assert call("GET", "/api/auth/me", query={"token": people["bob"]}).code == "JWT_INVALID"

    def test_expired_session_is_refused(self, db: Db, people: dict[str, str]) -> None:
        db.execute("UPDATE sessions SET expires_at = now()")
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"

    def test_session_of_a_suspended_user_is_refused_immediately(
        self, db: Db, people: dict[str, str]
    ) -> None:
        db.execute("UPDATE users SET status = 'suspended' WHERE username = 'bob'")
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200

    def test_session_of_a_deleted_user_is_refused_immediately(
        self, db: Db, people: dict[str, str]
    ) -> None:
        db.execute("DELETE FROM users WHERE username = 'bob'")
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"

    def test_role_comes_from_the_database_not_from_the_token(
        self, db: Db, people: dict[str, str]
    ) -> None:
        assert call("GET", "/api/admin/users", token=people["alice"]).status == 200
        db.execute("UPDATE users SET role = 'user' WHERE username = 'alice'")
        answer = call("GET", "/api/admin/users", token=people["alice"])
        assert (answer.status, answer.code) == (403, "FORBIDDEN")


class TestCookieSession:
    @pytest.fixture
    def signed_in(self, db: Db, plex_url: str) -> Answer:
        return plex.verify(plex.begin(plex_url, "alice"), session="cookie")

    def test_token_is_only_in_an_http_only_cookie(self, signed_in: Answer) -> None:
        assert signed_in.data.keys() == {"user", "expiresAt", "csrfToken"}
        cookie = signed_in.headers["set-cookie"]
        assert cookie.startswith("__Host-medianest_session=")
        attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        assert attributes == {"expires", "path", "secure", "httponly", "samesite"}
        assert "path=/;" in cookie.lower() + ";"
        assert "samesite=lax" in cookie.lower()
        assert len(cookie) <= 4096
        assert cookie_of(signed_in).partition("=")[2] not in signed_in.text

    def test_cookie_authenticates_the_user(self, signed_in: Answer) -> None:
        me = call("GET", "/api/auth/me", headers={"Cookie": cookie_of(signed_in)})
        assert me.data == signed_in.data["user"]

    def test_session_cookie_is_found_among_other_cookies_and_headers(
        self, signed_in: Answer
    ) -> None:
        for cookies in (f"a=1; {cookie_of(signed_in)}; b=2", ["a=1", cookie_of(signed_in)]):
            assert call("GET", "/api/auth/me", headers={"Cookie": cookies}).status == 200

    def test_session_cookie_inside_the_value_of_another_cookie_is_ignored(
        self, plex_url: str, signed_in: Answer
    ) -> None:
        other = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        planted = f"{cookie_of(signed_in)}; other=x,{cookie_of(other)}"
        me = call("GET", "/api/auth/me", headers={"Cookie": planted})
        assert me.data == signed_in.data["user"]

    def test_two_session_cookies_are_refused(self, plex_url: str, signed_in: Answer) -> None:
        other = cookie_of(plex.verify(plex.begin(plex_url, "bob"), session="cookie"))
        for cookies in (f"{cookie_of(signed_in)}; {other}", [cookie_of(signed_in), other]):
            me = call("GET", "/api/auth/me", headers={"Cookie": cookies})
            assert me.code == "JWT_INVALID"

    def test_unsafe_method_without_the_csrf_token_is_refused(
        self, db: Db, signed_in: Answer
    ) -> None:
        cookie = {"Cookie": cookie_of(signed_in)}
        valid = signed_in.data["csrfToken"]
        for token in ("", "nonsense", valid[:-1], valid[1:], f"{valid}0", "é" * 97):
            refused = call(
                "POST", "/api/auth/logout", body={}, headers={**cookie, "X-CSRF-Token": token}
            )
            assert (refused.status, refused.code) == (403, "CSRF_TOKEN_MISMATCH")
        assert call("POST", "/api/auth/logout", headers=cookie).code == "CSRF_TOKEN_MISMATCH"
        assert call("GET", "/api/auth/me", headers=cookie).status == 200
        accepted = call("POST", "/api/auth/logout", headers={**cookie, "X-CSRF-Token": valid})
        assert accepted.status == 204

    def test_csrf_token_of_another_session_is_refused(
        self, plex_url: str, signed_in: Answer
    ) -> None:
        other = plex.verify(plex.begin(plex_url, "alice"), session="cookie").data["csrfToken"]
        headers = {"Cookie": cookie_of(signed_in), "X-CSRF-Token": other}
        assert call("POST", "/api/auth/logout", headers=headers).code == "CSRF_TOKEN_MISMATCH"

    def test_cross_site_request_is_refused(self, signed_in: Answer) -> None:
        headers = {
            "Cookie": cookie_of(signed_in),
            "X-CSRF-Token": signed_in.data["csrfToken"],
            "Sec-Fetch-Site": "cross-site",
        }
        assert call("POST", "/api/auth/logout", headers=headers).code == "CSRF_TOKEN_MISMATCH"
        headers["Sec-Fetch-Site"] = "same-origin"
        assert call("POST", "/api/auth/logout", headers=headers).status == 204

    def test_newly_issued_csrf_token_is_accepted(self, signed_in: Answer) -> None:
        cookie = {"Cookie": cookie_of(signed_in)}
        token = call("GET", "/api/auth/csrf", headers=cookie).data["csrfToken"]
        headers = {**cookie, "X-CSRF-Token": token}
        assert call("POST", "/api/auth/logout", headers=headers).status == 204

    def test_invalid_bearer_token_does_not_fall_back_to_the_cookie(self, signed_in: Answer) -> None:
        headers = {"Cookie": cookie_of(signed_in), "Authorization": "Bearer nonsense"}
        assert call("GET", "/api/auth/me", headers=headers).code == "JWT_INVALID"

    def test_csrf_token_is_not_accepted_as_a_bearer_token(self, signed_in: Answer) -> None:
        token = signed_in.data["csrfToken"]
        assert call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"

    def test_sign_out_clears_the_cookie(self, signed_in: Answer) -> None:
        headers = {
            "Cookie": cookie_of(signed_in),
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }
        answer = call("POST", "/api/auth/logout", headers=headers)
        assert re.search(r'__Host-medianest_session="";.*Max-Age=0', answer.headers["set-cookie"])
        assert "Secure" in answer.headers["set-cookie"]


class TestSignOut:
    def test_sign_out_of_a_bearer_session_leaves_the_cookie_of_another_session(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        cookie = cookie_of(plex.verify(plex.begin(plex_url, "bob"), session="cookie"))
        answer = call("POST", "/api/auth/logout", token=people["bob"], headers={"Cookie": cookie})
        assert answer.status == 204
        assert "set-cookie" not in answer.headers
        assert call("GET", "/api/auth/me", headers={"Cookie": cookie}).status == 200

    def test_token_is_refused_immediately_after_sign_out(
        self, db: Db, people: dict[str, str]
    ) -> None:
        answer = call("POST", "/api/auth/logout", token=people["bob"], body={})
        assert answer.status == 204
        assert answer.text == ""
        assert "content-type" not in answer.headers
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        assert call("POST", "/api/auth/logout", token=people["bob"]).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200

    def test_sign_out_leaves_the_other_sessions_of_the_user(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        other = plex.sign_in(plex_url, "bob")["token"]
        call("POST", "/api/auth/logout", token=people["bob"])
        assert call("GET", "/api/auth/me", token=other).status == 200

    def test_sign_out_of_all_sessions_revokes_every_session_of_the_user(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        other = plex.sign_in(plex_url, "bob")["token"]
        answer = call("POST", "/api/auth/logout", token=people["bob"], body={"allSessions": True})
        assert answer.status == 204
        for token in (people["bob"], other):
            assert call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
