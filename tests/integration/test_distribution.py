"""Calls through a CloudFront distribution: the proof, the viewer's address, the page's origin."""

import io
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from medianest.api.headers import SECURITY_HEADERS
from medianest.core.db import Database
from tests.support import plex
from tests.support.api import ROUTES, Answer, call, event_of, invoke, run_schedule
from tests.support.limits import default_limits
from tests.support.openapi import concrete
from tests.support.variables import variables

pytestmark = pytest.mark.usefixtures("uncached_settings")

type Db = psycopg.Connection[tuple[Any, ...]]

SECRET, PREVIOUS = "4f9d" * 12, "b07c" * 12
VERIFY, ADDRESS = "X-Origin-Verify", "X-MediaNest-Viewer-Address"
PUBLIC_URL_HEADER = "X-MediaNest-Public-Url"
EDGE = "203.0.113.200"
UNKNOWN = "5d7f5a0e-6b0c-4b57-8d3e-0a8f4c1b2d3e"


def send(method: str, path: str, headers: dict[str, Any], **options: Any) -> Answer:
    """Call a function as API Gateway does for an edge of CloudFront, or for a forger."""
    return invoke(*event_of(method, path, headers=headers, **{"ip": EDGE, **options}))


def through(address: str, secret: str = SECRET, **headers: str) -> dict[str, str]:
    """Return the headers that the distribution adds to a call of a viewer."""
    return {VERIFY: secret, ADDRESS: address, **headers}


def request_lines(logs: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.getvalue().splitlines()]


@pytest.fixture
def behind(db: Db) -> Iterator[None]:
    """Let the functions serve only calls of the distribution."""
    with variables(ORIGIN_VERIFY_SECRET=SECRET):
        yield


FORGED = [
    {},
    {ADDRESS: "198.51.100.1"},
    {VERIFY: "", ADDRESS: "198.51.100.1"},
    {VERIFY: SECRET[:-1], ADDRESS: "198.51.100.1"},
    {VERIFY: f"{SECRET}0", ADDRESS: "198.51.100.1"},
    {VERIFY: SECRET.upper(), ADDRESS: "198.51.100.1"},
    {VERIFY: "\u00e9" * 48, ADDRESS: "198.51.100.1"},
    {VERIFY: PREVIOUS, ADDRESS: "198.51.100.1"},
    {VERIFY: [SECRET, SECRET], ADDRESS: "198.51.100.1"},
    {VERIFY: ["x", SECRET], ADDRESS: "198.51.100.1"},
    {f"{VERIFY}-2": SECRET, ADDRESS: "198.51.100.1"},
]


class TestRefusal:
    @pytest.mark.parametrize(("method", "path"), ROUTES)
    def test_call_past_the_distribution_is_refused_before_anything_else(
        self,
        behind: None,
        people: dict[str, str],
        cache_round_trips: list[object],
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
    ) -> None:
        def fail(*_: object) -> None:
            raise AssertionError("a refusal must cost no SQL")

        for name in ("read", "transaction", "ping"):
            monkeypatch.setattr(Database, name, fail)
        cache_round_trips.clear()
        for options in ({"token": people["alice"]}, {"raw": b"x" * 70_000}):
            answer = send(method, concrete(path), {ADDRESS: "198.51.100.1"}, **options)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
            assert answer.json.keys() == {"success", "error"}
            for name, value in SECURITY_HEADERS.items():
                assert answer.headers[name.lower()] == value
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
            assert len(answer.headers["x-request-id"]) == 36
            assert "x-ratelimit-limit" not in answer.headers
        assert cache_round_trips == []

    @pytest.mark.parametrize("headers", FORGED)
    def test_forged_proof_is_refused_with_one_log_line(
        self, behind: None, logs: io.StringIO, headers: dict[str, Any]
    ) -> None:
        answer = send("GET", "/api/auth/options", headers)
        assert answer.code == "FORBIDDEN"
        [line] = request_lines(logs)
        assert (line["level"], line["status"], line["code"]) == ("WARNING", 403, "FORBIDDEN")
        assert (line["cause"], line["ip"]) == ("origin_not_verified", EDGE)
        assert SECRET not in logs.getvalue()
        assert SECRET not in answer.text

    @pytest.mark.parametrize(
        "address",
        ["", "unknown", "0.0.0.0", "198.51.100.1:443", "198.51.100.1, 192.0.2.1", "198.51.100"],
    )
    def test_call_of_a_distribution_that_reports_no_address_is_refused(
        self, behind: None, logs: io.StringIO, address: str
    ) -> None:
        for sent in (address, [address, "198.51.100.1"]):
            answer = send("GET", "/api/health", {VERIFY: SECRET, ADDRESS: sent})
            assert answer.code == "FORBIDDEN"
        assert {line["cause"] for line in request_lines(logs)} == {"viewer_address_missing"}

    def test_other_methods_are_refused_too(self, behind: None) -> None:
        _, event = event_of("GET", "/api/auth/me")
        for method in ("OPTIONS", "HEAD", "DELETE"):
            assert invoke("AuthFunction", event | {"httpMethod": method}).status == 403

    def test_unreadable_secret_serves_no_call(self, db: Db, logs: io.StringIO) -> None:
        arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nothing"
        closed = {
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        }
        keys = {
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        closed["ALLOW_PRIVATE_SERVERS"] = "false"
        with variables(ORIGIN_VERIFY_SECRET=arn, **closed, **keys):
            answer = send("GET", "/api/auth/options", through("198.51.100.1"))
        assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
        assert "ORIGIN_VERIFY_SECRET cannot be read" in logs.getvalue()
        assert "arn:" not in answer.text

    def test_schedules_need_no_proof(self, behind: None) -> None:
        assert run_schedule("ExpiredSessions")["task"] == "sessions"


class TestAddress:
    def test_viewer_of_the_distribution_is_the_caller(
        self, behind: None, db: Db, people: dict[str, str], logs: io.StringIO
    ) -> None:
        headers = through(
            "198.51.100.9",
            **{
                "X-Forwarded-For": "192.0.2.1",
                "CloudFront-Viewer-Address": "192.0.2.2:443",
                "Forwarded": "for=192.0.2.3",
                "X-Real-IP": "192.0.2.4",
            },
        )
        options = send("GET", "/api/auth/options", headers).data
        assert options["address"] == "198.51.100.9"
        assert send("POST", "/api/auth/logout", headers, token=people["bob"]).status == 204
        assert send("GET", "/api/auth/me", headers, token=people["bob"]).status == 401
        [row] = db.execute(
            "SELECT host(ip) FROM audit_logs WHERE action = 'auth.sign_out'"
        ).fetchall()
        assert row == ("198.51.100.9",)
        assert [line["ip"] for line in request_lines(logs) if "ip" in line] == ["198.51.100.9"]

    def test_limits_count_by_the_address_of_the_viewer(
        self, behind: None, db: Db, keys: object
    ) -> None:
        default_limits(db)
        for _ in range(100):
            send("GET", "/api/auth/options", through("2001:db8:1:2::5"))
        # Another address of the same /64, and other addresses of edges.
        for address, status in (("2001:db8:1:2:ffff::6", 429), ("2001:db8:1:3::5", 200)):
            for edge in (EDGE, "203.0.113.201"):
                headers = through(address)
                assert send("GET", "/api/auth/options", headers, ip=edge).status == status

    def test_both_headers_are_ignored_without_the_secret(self, db: Db, keys: object) -> None:
        default_limits(db)
        for number in range(100):
            send("GET", "/api/auth/options", through(f"198.51.100.{number}"))
        refused = send("GET", "/api/auth/options", through("198.51.100.200"))
        assert refused.code == "RATE_LIMITED"
        options = send("GET", "/api/auth/options", through("198.51.100.200"), ip="192.0.2.77")
        assert options.data["address"] == "192.0.2.77"

    def test_both_values_are_valid_while_the_secret_rotates(self, db: Db) -> None:
        rotating = json.dumps({"send": SECRET, "accept": [PREVIOUS]})
        with variables(ORIGIN_VERIFY_SECRET=rotating):
            for secret, status in (
                (SECRET, 200),
                (PREVIOUS, 200),
                (rotating, 403),
                ("x" * 48, 403),
            ):
                headers = through("198.51.100.1", secret)
                assert send("GET", "/api/health", headers).status == status


class TestPageOrigin:
    """Browsers without Sec-Fetch-Site (Safari before 16.4) send only Origin."""

    @pytest.fixture
    def session(self, db: Db, keys: object, plex_url: str) -> dict[str, str]:
        signed_in = plex.verify(plex.begin(plex_url, "bob"), session="cookie")
        return {
            "Host": "abc.execute-api.eu-west-1.amazonaws.com",
            "Cookie": signed_in.headers["set-cookie"].partition(";")[0],
            "X-CSRF-Token": signed_in.data["csrfToken"],
        }

    @staticmethod
    def refusal(session: dict[str, str], origin: str, **headers: str) -> str | None:
        """Return the error code of a call that only a wrong origin can refuse."""
        sent = {**session, "Origin": origin, **headers}
        answer = invoke(*event_of("DELETE", f"/api/auth/sessions/{UNKNOWN}", headers=sent))
        return None if answer.code == "NOT_FOUND" else answer.code

    def test_only_the_public_url_is_our_origin(self, session: dict[str, str]) -> None:
        with variables(PUBLIC_URL="https://media.example.org"):
            assert self.refusal(session, "https://media.example.org") is None
            for origin in (
                "https://evil.example",
                "https://abc.execute-api.eu-west-1.amazonaws.com",
                "http://media.example.org",
                "https://media.example.org.evil.example",
                "https://media.example.org:8443",
                "null",
                "",
            ):
                assert self.refusal(session, origin) == "CSRF_TOKEN_MISMATCH", origin
            cross = {"Sec-Fetch-Site": "cross-site"}
            refused = self.refusal(session, "https://media.example.org", **cross)
            assert refused == "CSRF_TOKEN_MISMATCH"
            # Scripts cannot set it; the page may have more than one name.
            same = {"Sec-Fetch-Site": "same-origin"}
            assert self.refusal(session, "https://d1.cloudfront.net", **same) is None
        assert self.refusal(session, "https://abc.execute-api.eu-west-1.amazonaws.com") is None

    def test_origins_of_other_web_clients_stay_allowed(self, session: dict[str, str]) -> None:
        with variables(PUBLIC_URL="https://media.example.org", CORS_ORIGIN="https://app.example"):
            assert self.refusal(session, "https://app.example") is None
            assert self.refusal(session, "https://other.example") == "CSRF_TOKEN_MISMATCH"

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
    def test_local_page_works_under_each_name_of_the_machine(
        self, session: dict[str, str], name: str
    ) -> None:
        with variables(PUBLIC_URL="http://127.0.0.1:3001"):
            assert self.refusal(session, f"http://{name}:3001") is None
            for origin in (f"http://{name}:3002", f"https://{name}:3001", f"http://{name}"):
                assert self.refusal(session, origin) == "CSRF_TOKEN_MISMATCH"

    def test_distribution_reports_the_origin_of_a_page_without_a_domain(
        self, session: dict[str, str]
    ) -> None:
        page = {PUBLIC_URL_HEADER: "https://d1.cloudfront.net"}
        with variables(ORIGIN_VERIFY_SECRET=SECRET):
            reported = through("198.51.100.1", **page)
            assert self.refusal(session, "https://d1.cloudfront.net", **reported) is None
            assert (
                self.refusal(session, "https://evil.example", **reported) == "CSRF_TOKEN_MISMATCH"
            )
            with variables(PUBLIC_URL="https://media.example.org"):
                refused = self.refusal(session, "https://d1.cloudfront.net", **reported)
                assert refused == "CSRF_TOKEN_MISMATCH"
        # Everyone can send the header to API Gateway.
        forged = {PUBLIC_URL_HEADER: "https://evil.example", VERIFY: SECRET}
        assert self.refusal(session, "https://evil.example", **forged) == "CSRF_TOKEN_MISMATCH"

    def test_sign_in_from_another_origin_sets_no_cookie(self, db: Db, plex_url: str) -> None:
        with variables(PUBLIC_URL="https://media.example.org"):
            for origin, status in (
                ("https://evil.example", 403),
                ("null", 403),
                ("https://media.example.org", 200),
            ):
                body = {"pinId": plex.begin(plex_url, "bob"), "session": "cookie"}
                headers = {"Origin": origin}
                answer = call("POST", "/api/auth/plex/verify", body=body, headers=headers)
                assert answer.status == status
                assert ("set-cookie" in answer.headers) == (status == 200)
            body = {"identifier": "nobody", "password": "x", "session": "cookie"}
            for origin, code in (
                ("https://evil.example", "FORBIDDEN"),
                ("https://media.example.org", "INVALID_CREDENTIALS"),
            ):
                headers = {"Origin": origin}
                assert call("POST", "/api/auth/login", body=body, headers=headers).code == code
