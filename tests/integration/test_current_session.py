"""The session of a call, what the sign-in page offers, and cookies over plain HTTP."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
import redis

from medianest.rate_limits import service as rate_limits
from medianest.system_config import service as system_config
from tests.support import plex
from tests.support.api import Answer, call, event_of, invoke
from tests.support.limits import default_limits
from tests.support.variables import variables

pytestmark = pytest.mark.usefixtures("uncached_settings")

type Db = psycopg.Connection[tuple[Any, ...]]

SESSION = "/api/auth/session"
OPTIONS = "/api/auth/options"
SECURE, PLAIN = "__Host-medianest_session", "medianest_session"


def cookie_of(answer: Answer) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def sign_in(plex_url: str) -> Answer:
    return plex.verify(plex.begin(plex_url, "alice"), session="cookie")


class TestCurrentSession:
    def test_cookie_session_has_the_user_the_expiry_and_a_valid_csrf_token(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        signed_in = sign_in(plex_url)
        cookie = cookie_of(signed_in)
        # From the row, then from the cache.
        for _ in range(2):
            answer = call("GET", SESSION, headers=cookie)
            assert answer.data.keys() == {"user", "csrfToken", "expiresAt"}
            assert answer.data["user"] == signed_in.data["user"]
            assert answer.data["expiresAt"] == signed_in.data["expiresAt"]
            assert answer.headers["cache-control"] == "no-store"
        headers = {**cookie, "X-CSRF-Token": answer.data["csrfToken"]}
        assert call("POST", "/api/auth/logout", headers=headers).status == 204
        assert call("GET", SESSION, headers=cookie).data == {}

    def test_bearer_session_has_no_csrf_token(self, people: dict[str, str]) -> None:
        answer = call("GET", SESSION, token=people["bob"])
        assert answer.data.keys() == {"user", "expiresAt"}
        assert answer.data["user"]["username"] == "bob"
        [listed] = call("GET", "/api/auth/sessions", token=people["bob"]).data
        assert answer.data["expiresAt"] == listed["expiresAt"]
        assert datetime.fromisoformat(answer.data["expiresAt"]).timestamp() > time.time()

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Basic YTpi"},
            {"Authorization": ""},
            {"Cookie": f"{SECURE}=nonsense"},
            {"Cookie": f"{SECURE}="},
            {"Cookie": f"{SECURE}=a; {SECURE}=b"},
        ],
    )
    def test_call_without_a_valid_credential_gets_an_empty_object(
        self, db: Db, keys: object, headers: dict[str, str]
    ) -> None:
        answer = call("GET", SESSION, headers=headers)
        assert (answer.status, answer.data) == (200, {})
        assert "www-authenticate" not in answer.headers
        assert call("HEAD", SESSION, headers=headers).status == 200

    def test_invalid_bearer_token_does_not_fall_back_to_the_cookie(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        cookie = cookie_of(sign_in(plex_url))
        assert call("GET", SESSION, headers={**cookie, "Authorization": "Bearer a"}).data == {}

    def test_suspended_and_deleted_users_get_an_empty_object(self, people: dict[str, str]) -> None:
        for name, method, body in (
            ("bob", "PATCH", {"status": "suspended"}),
            ("carol", "DELETE", None),
        ):
            user = call("GET", SESSION, token=people[name]).data["user"]["id"]
            changed = call(method, f"/api/admin/users/{user}", token=people["alice"], body=body)
            assert changed.status in {200, 204}
            assert call("GET", SESSION, token=people[name]).data == {}

    def test_user_suspended_after_authentication_gets_an_empty_object(
        self, db: Db, people: dict[str, str]
    ) -> None:
        assert "user" in call("GET", SESSION, token=people["bob"]).data
        # Without the service, so that the cached session stays valid.
        db.execute("UPDATE users SET status = 'suspended' WHERE username = 'bob'")
        assert call("GET", SESSION, token=people["bob"]).data == {}

    def test_expired_session_gets_an_empty_object(self, db: Db, people: dict[str, str]) -> None:
        db.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
        assert call("GET", SESSION, token=people["bob"]).data == {}

    def test_anonymous_calls_count_by_address_and_those_with_a_session_by_user(
        self, db: Db, people: dict[str, str]
    ) -> None:
        default_limits(db)
        for ip in ("198.51.100.1", "198.51.100.2"):
            anonymous = call("GET", SESSION, ip=ip)
            assert anonymous.headers["x-ratelimit-remaining"] == "99"
        assert anonymous.headers["ratelimit-policy"] == '"api";q=100;w=60'
        for remaining in ("99", "98"):
            answer = call("GET", SESSION, token=people["bob"], ip="198.51.100.1")
            assert answer.headers["x-ratelimit-remaining"] == remaining
        for _ in range(99):
            invoke(*event_of("GET", SESSION, ip="198.51.100.1"))
        refused = call("GET", SESSION, ip="198.51.100.1")
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert call("GET", SESSION, token=people["bob"], ip="198.51.100.1").status == 200


class TestOptions:
    @pytest.fixture(autouse=True)
    def _default_settings(self, db: Db, keys: redis.Redis) -> Iterator[None]:
        default_limits(db)
        yield
        system_config._settings_cache().invalidate()

    def test_defaults_need_no_session(self) -> None:
        answer = call("GET", OPTIONS)
        assert answer.data == {
            "plex": True,
            "local": True,
            "name": "MediaNest",
            "languages": ["en", "de"],
            "secureCookie": True,
            "address": "203.0.113.7",
        }
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["ratelimit-policy"] == '"api";q=100;w=60'

    @pytest.mark.parametrize(
        ("ip", "address"), [("2001:db8::1", "2001:db8::1"), ("test-invoke-source-ip", None)]
    )
    def test_address_is_that_of_the_caller(self, ip: str, address: str | None) -> None:
        forged = {"X-Forwarded-For": "192.0.2.9"}
        assert call("GET", OPTIONS, ip=ip, headers=forged).data.get("address") == address

    def test_admin_sets_the_name_and_the_kinds_of_accounts(self, people: dict[str, str]) -> None:
        value = {"name": "  Cafe\N{COMBINING ACUTE ACCENT}\tKino ", "plex": False, "local": True}
        changed = call(
            "PUT",
            "/api/admin/config/signIn.page",
            token=people["alice"],
            body={"value": value},
        )
        assert changed.data["value"]["name"] == "Caf\N{LATIN SMALL LETTER E WITH ACUTE} Kino"
        options = call("GET", OPTIONS).data
        assert (options["name"], options["plex"], options["local"]) == (
            "Caf\N{LATIN SMALL LETTER E WITH ACUTE} Kino",
            False,
            True,
        )

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 61}, "name"),
            ({"name": "a\x07b"}, "name"),
            ({"name": 5}, "name"),
            ({"plex": False, "local": False}, "local"),
            ({"plex": "yes"}, "plex"),
        ],
    )
    def test_invalid_value_is_refused(
        self, people: dict[str, str], change: dict[str, Any], field: str
    ) -> None:
        value = {"name": "Kino", "plex": True, "local": True, **change}
        path = "/api/admin/config/signIn.page"
        refused = call("PUT", path, token=people["alice"], body={"value": value})
        assert [problem["field"] for problem in refused.details] == [f"body.value.{field}"]
        assert call("GET", OPTIONS).data["name"] == "MediaNest"

    def test_calls_count_by_address(self, db: Db) -> None:
        for _ in range(100):
            invoke(*event_of("GET", OPTIONS, ip="198.51.100.3"))
        assert call("GET", OPTIONS, ip="198.51.100.3").code == "RATE_LIMITED"
        assert call("GET", OPTIONS, ip="198.51.100.4").status == 200
        rate_limits.memory.cache_clear()


class TestPlainCookie:
    @pytest.fixture
    def signed_in(self, db: Db, keys: object, plex_url: str) -> Iterator[Answer]:
        with variables(COOKIE_SECURE="false"):
            yield sign_in(plex_url)

    def test_cookie_has_neither_the_prefix_nor_secure(self, signed_in: Answer) -> None:
        cookie = signed_in.headers["set-cookie"]
        assert cookie.startswith(f"{PLAIN}=")
        attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        assert attributes == {"expires", "path", "httponly", "samesite"}
        assert call("GET", OPTIONS).data["secureCookie"] is False
        assert "csrfToken" in call("GET", SESSION, headers=cookie_of(signed_in)).data

    def test_sign_out_clears_it(self, signed_in: Answer) -> None:
        headers = {**cookie_of(signed_in), "X-CSRF-Token": signed_in.data["csrfToken"]}
        answer = call("POST", "/api/auth/logout", headers=headers)
        assert re.search(rf'^{PLAIN}="";.*Max-Age=0', answer.headers["set-cookie"])
        assert "Secure" not in answer.headers["set-cookie"]

    def test_a_cookie_of_the_other_name_never_counts(self, signed_in: Answer) -> None:
        token = cookie_of(signed_in)["Cookie"].partition("=")[2]
        for other in ("nonsense", token):
            both = {"Cookie": f"{PLAIN}={token}; {SECURE}={other}"}
            assert "user" in call("GET", SESSION, headers=both).data
            assert (
                call("GET", SESSION, headers={"Cookie": f"{PLAIN}=x; {SECURE}={token}"}).data == {}
            )
            assert (
                call("GET", "/api/auth/me", headers={"Cookie": f"{SECURE}={token}"}).status == 401
            )
        with variables(COOKIE_SECURE="true"):
            for cookies in (f"{PLAIN}={token}", f"{SECURE}=x; {PLAIN}={token}"):
                assert call("GET", SESSION, headers={"Cookie": cookies}).data == {}
            assert "user" in call("GET", SESSION, headers={"Cookie": f"{SECURE}={token}"}).data
