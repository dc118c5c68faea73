"""All routes: response headers, the envelope, invalid input."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from medianest.api import headers
from medianest.api.headers import SECURITY_HEADERS
from medianest.core.environment import load
from medianest.users import service as users
from tests.support.api import ROOT, ROUTES, Answer, call, event_of, invoke, route_of
from tests.support.cases import case
from tests.support.openapi import REQUIRED_QUERY, SOME_ID, concrete
from tests.support.pairs import paired
from tests.support.permissions import PUBLIC

type Db = psycopg.Connection[tuple[Any, ...]]

EVENTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
REQUESTS = {name: event for name, event in EVENTS.items() if "requestContext" in event}
# The responses of these routes are cacheable and have no envelope.
DOCUMENTS = {"/api/docs", "/api/docs/{asset}", "/api/openapi.json"}
PROTECTED = [route for route in ROUTES if route not in PUBLIC]
WITH_BODY = [(method, path) for method, path in ROUTES if method in {"POST", "PUT", "PATCH"}]
READ = [path for method, path in ROUTES if method == "GET"]
ADMINS = [(method, path) for method, path in ROUTES if path.startswith("/api/admin/")]


TABLES = (
    *("users", "sessions", "signin_handles", "media_requests", "request_items"),
    *("idempotency_keys", "audit_logs", "system_config"),
)
# The position of audit_logs in a snapshot.
AUDIT = TABLES.index("audit_logs")
READ_ALL = "; ".join(f"SELECT * FROM {table} ORDER BY 1" for table in TABLES).encode()


def snapshot(db: Db) -> list[list[tuple[Any, ...]]]:
    """Return all rows that a call could change."""
    return [each.fetchall() for each in db.execute(READ_ALL).results()]


def assert_error(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert answer.json.keys() == {"success", "error"}
    assert answer.json["error"].keys() <= {"code", "message", "details"}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_every_response_has_the_standard_headers(
    people: dict[str, str], people_anew: Callable[[], dict[str, str]]
) -> None:
    for method, path in ROUTES:
        for token in (people["alice"], None):
            with case(method, path, "anonymous" if token is None else "alice"):
                assert_standard_headers(method, path, token)
        if method != "GET":
            people = people_anew()


def assert_standard_headers(method: str, path: str, token: str | None) -> None:
    answer = call(method, concrete(path), token=token)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name.lower()] == value
    assert len(answer.headers["x-request-id"]) == 36
    assert (answer.headers["cache-control"] == "no-store") == (path not in DOCUMENTS)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert not {"server", "x-powered-by"} & answer.headers.keys()
    if answer.status != 204 and path not in DOCUMENTS:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_unauthenticated_call_gets_401_and_changes_nothing(db: Db, keys: object) -> None:
    before = snapshot(db)
    for method, path in PROTECTED:
        # The response to an unauthenticated caller does not depend on the body or the query.
        for extra in ({}, {"body": {"unknown": 1}}, {"raw": b"{"}, {"query": {"unknown": "1"}}):
            with case(method, path, extra):
                assert_error(call(method, concrete(path), **extra), 401, "JWT_INVALID")
                assert snapshot(db) == before


@pytest.mark.parametrize(("method", "path"), ADMINS)
def test_admin_routes_refuse_users(db: Db, people: dict[str, str], method: str, path: str) -> None:
    before = snapshot(db)
    answer = call(method, concrete(path), token=people["bob"], body={"reason": "no"})
    assert_error(answer, 403, "FORBIDDEN")
    after = snapshot(db)
    denied = [row for row in after[AUDIT] if row not in before[AUDIT]]
    assert [row[2] for row in denied] == ["access.denied"]
    assert after[:AUDIT] + after[AUDIT + 1 :] == before[:AUDIT] + before[AUDIT + 1 :]
    allowed = call(method, concrete(path), token=people["alice"], body={"reason": "no"})
    assert allowed.status != 403


BAD_BODIES: list[tuple[str, bytes, int, str]] = [
    ("malformed", b"{", 400, "VALIDATION_ERROR"),
    ("not utf-8", b'{"a": "\xff"}', 400, "VALIDATION_ERROR"),
    ("unreadable characters", '{"surprise": "caf\ufffd"}'.encode(), 400, "VALIDATION_ERROR"),
    ("escaped replacement", b'{"surprise": "\\ufffd"}', 400, "VALIDATION_ERROR"),
    ("a list", b"[]", 400, "VALIDATION_ERROR"),
    ("a string", b'"text"', 400, "VALIDATION_ERROR"),
    ("null", b"null", 400, "VALIDATION_ERROR"),
    ("unknown field", b'{"surprise": 1}', 400, "VALIDATION_ERROR"),
    ("a key twice", b'{"surprise": 1, "surprise": 1}', 400, "VALIDATION_ERROR"),
    ("NaN", b'{"surprise": NaN}', 400, "VALIDATION_ERROR"),
    ("NUL", b'{"surprise": "\\u0000"}', 400, "VALIDATION_ERROR"),
    ("lone surrogate", b'{"surprise": "\\ud800"}', 400, "VALIDATION_ERROR"),
    ("deep nesting", b"[" * 30_000 + b"]" * 30_000, 400, "VALIDATION_ERROR"),
    ("huge number", b'{"surprise": ' + b"9" * 5000 + b"}", 400, "VALIDATION_ERROR"),
    ("oversized", b'{"surprise": "' + b"x" * 65_536 + b'"}', 413, "PAYLOAD_TOO_LARGE"),
]


def test_invalid_body_is_refused_and_changes_nothing(db: Db, people: dict[str, str]) -> None:
    before = snapshot(db)
    for method, path, (name, raw, status, code) in paired(WITH_BODY, BAD_BODIES):
        with case(method, path, name):
            answer = call(method, concrete(path), token=people["alice"], raw=raw)
            assert_error(answer, status, code)
            if code == "VALIDATION_ERROR":
                assert all(item["field"].startswith("body") for item in answer.details)
                assert all(item.keys() == {"field", "message"} for item in answer.details)
            assert snapshot(db) == before


MEDIA_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
    "application/json; charset=iso-8859-1",
    'application/json; charset="utf-16"',
    "application/json;CHARSET=latin1",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json; charset=",
    "application/json; charset=klingon",
    "application/json\u00e9",
]


def test_body_of_another_media_type_gets_415(db: Db, people: dict[str, str]) -> None:
    before = snapshot(db)
    for method, path, media_type in paired(WITH_BODY, MEDIA_TYPES):
        headers = {"Content-Type": media_type}
        with case(method, path, media_type):
            answer = call(method, concrete(path), token=people["alice"], raw=b"{}", headers=headers)
            assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
            assert snapshot(db) == before


INVALID_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("/api/auth/plex/verify", {}, "body.pinId"),
    ("/api/auth/plex/verify", {"pinId": 7}, "body.pinId"),
    ("/api/auth/plex/verify", {"pinId": ""}, "body.pinId"),
    ("/api/auth/plex/verify", {"pinId": "x", "session": "both"}, "body.session"),
    ("/api/auth/login", {"identifier": "x"}, "body.password"),
    ("/api/auth/login", {"password": "x"}, "body.identifier"),
    ("/api/auth/login", {"identifier": "", "password": "x"}, "body.identifier"),
    ("/api/auth/login", {"identifier": "x" * 255, "password": "x"}, "body.identifier"),
    ("/api/auth/login", {"identifier": "x", "password": "x" * 129}, "body.password"),
    ("/api/auth/login", {"identifier": "x", "password": 12345678}, "body.password"),
    ("/api/auth/login", {"identifier": "x", "password": "x", "session": "both"},
     "body.session"),
    ("/api/auth/password", {"currentPassword": "x"}, "body.newPassword"),
    ("/api/auth/password", {"newPassword": "x" * 129}, "body.newPassword"),
    ("/api/auth/password", {"currentPassword": "x" * 129, "newPassword": "x"},
     "body.currentPassword"),
    ("/api/auth/logout", {"allSessions": "yes"}, "body.allSessions"),
    ("/api/media/request", {"tmdbId": 603}, "body.mediaType"),
    ("/api/media/request", {"mediaType": "book", "tmdbId": 603}, "body.mediaType"),
    ("/api/media/request", {"mediaType": "movie"}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": "603"}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 603.5}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": True}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 0}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 2**31}, "body.tmdbId"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 603, "status": "approved"},
     "body.status"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 603, "title": "X"}, "body.title"),
    ("/api/media/request", {"mediaType": "movie", "tmdbId": 603, "comment": " "},
     "body.comment"),
    ("/api/media/request", {"mediaType": "tv", "tmdbId": 1396, "seasons": []}, "body.seasons"),
    ("/api/media/request", {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 1]},
     "body.seasons"),
    ("/api/media/request", {"mediaType": "tv", "tmdbId": 1396, "seasons": ["1"]},
     "body.seasons.0"),
    (f"/api/admin/requests/{SOME_ID}/decline", {}, "body.reason"),
    (f"/api/admin/requests/{SOME_ID}/decline", {"reason": ""}, "body.reason"),
    (f"/api/admin/requests/{SOME_ID}/approve", {"note": 1}, "body.note"),
    ("/api/admin/requests/not-a-uuid/approve", {}, "path.id"),
]  # fmt: skip


def test_invalid_body_field_is_named_in_the_error(db: Db, people: dict[str, str]) -> None:
    before = snapshot(db)
    for path, body, field in INVALID_FIELDS:
        with case(path, body):
            answer = call("POST", path, token=people["alice"], body=body)
            assert_error(answer, 400, "VALIDATION_ERROR")
            assert [item["field"] for item in answer.details] == [field]
            assert snapshot(db) == before


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/media/search", {}, "query.q"),
        ("/api/media/search", {"q": ""}, "query.q"),
        ("/api/media/search", {"q": "  "}, "query.q"),
        ("/api/media/search", {"q": "x" * 201}, "query.q"),
        ("/api/media/search", {"q": "x", "type": "person"}, "query.type"),
        ("/api/media/search", {"q": "x", "limit": "5"}, "query.limit"),
        ("/api/media/requests", {"userId": SOME_ID}, "query.userId"),
    ],
)
def test_invalid_query_parameter_is_named_in_the_error(
    people: dict[str, str], path: str, query: dict[str, Any], field: str
) -> None:
    answer = call("GET", path, token=people["alice"], query=query)
    assert_error(answer, 400, "VALIDATION_ERROR")
    assert [item["field"] for item in answer.details] == [field]


def test_get_changes_nothing(db: Db, people: dict[str, str]) -> None:
    before = snapshot(db)
    for path in READ:
        # Denied access is audited, so only permitted users read: see the test of admin routes.
        readers = ["alice"] if path.startswith("/api/admin/") else list(people)
        for name in readers:
            with case(path, name):
                query = REQUIRED_QUERY.get(path)
                answer = call("GET", concrete(path), token=people[name], query=query)
                assert answer.status == (404 if "{id}" in path else 200)
                assert snapshot(db) == before


def test_head_has_the_status_and_headers_of_get(people: dict[str, str]) -> None:
    for path in READ:
        query = REQUIRED_QUERY.get(path, {})
        for name, parameters in (
            ("alice", query),
            ("bob", query),
            (None, query),
            ("alice", {"page": "0"}),
        ):
            with case(path, name, parameters):
                token = name and people[name]
                answer = call("GET", concrete(path), token=token, query=parameters)
                head = call("HEAD", concrete(path), token=token, query=parameters)
                assert (head.status, head.text) == (answer.status, "")
                assert head.headers.keys() == answer.headers.keys()
                assert head.headers["content-type"] == answer.headers["content-type"]
                # The latency in a health check has a varying number of digits.
                length = len(answer.text.encode())
                assert int(head.headers["content-length"]) in range(length - 4, length + 5)


def test_head_counts_towards_the_rate_limit_of_get(db: Db, people: dict[str, str]) -> None:
    remaining = [
        int(call(method, "/api/auth/me", token=people["bob"]).headers["x-ratelimit-remaining"])
        for method in ("GET", "HEAD", "GET")
    ]
    assert remaining == [remaining[0], remaining[0] - 1, remaining[0] - 2]


def test_head_needs_no_csrf_token(people: dict[str, str]) -> None:
    cookie = {"Cookie": f"__Host-medianest_session={people['bob']}"}
    assert call("HEAD", "/api/auth/me", headers=cookie).status == 200
    assert call("POST", "/api/auth/logout", headers=cookie).code == "CSRF_TOKEN_MISMATCH"


def test_preflight_names_the_methods_of_the_route(environment: object) -> None:
    for path in sorted({path for _, path in ROUTES}):
        with case(path):
            answer = call("OPTIONS", concrete(path), headers={"Origin": "https://web.example"})
            assert (answer.status, answer.text) == (204, "")
            assert answer.headers["access-control-allow-origin"] == "*"
            methods = {method for method, route_path in ROUTES if route_path == path}
            methods |= {"HEAD"} if "GET" in methods else set()
            allowed = answer.headers["access-control-allow-methods"]
            assert allowed == ", ".join(sorted(methods))
            assert "authorization" in answer.headers["access-control-allow-headers"].lower()
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["x-frame-options"] == "DENY"


class TestCorsOrigins:
    @pytest.fixture(autouse=True)
    def _origins(self, environment: object, monkeypatch: pytest.MonkeyPatch) -> None:
        with_origins = load({"CORS_ORIGIN": "https://web.example,http://localhost:5173"})
        monkeypatch.setattr(headers, "environment", lambda: with_origins)

    @pytest.mark.parametrize("origin", ["https://web.example", "http://localhost:5173"])
    @pytest.mark.parametrize("method", ["OPTIONS", "GET"])
    def test_configured_origin_is_allowed_with_credentials(self, method: str, origin: str) -> None:
        headers = call(method, "/api/auth/me", headers={"Origin": origin}).headers
        assert headers["access-control-allow-origin"] == origin
        assert headers["access-control-allow-credentials"] == "true"
        assert headers["vary"] == "Origin"

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "http://web.example",
            "https://web.example.evil.example",
            "https://evil.example",
            "https://web.example:444",
            "HTTPS://WEB.EXAMPLE",
            "*",
            "",
        ],
    )
    @pytest.mark.parametrize("method", ["OPTIONS", "GET"])
    def test_other_origin_is_not_allowed(self, method: str, origin: str) -> None:
        headers = call(method, "/api/auth/me", headers={"Origin": origin}).headers
        assert "access-control-allow-origin" not in headers
        assert "access-control-allow-credentials" not in headers
        assert headers["vary"] == "Origin"


def test_forwarded_headers_do_not_change_the_caller_address(db: Db, people: dict[str, str]) -> None:
    headers = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP")
    spoofed = dict.fromkeys(headers, "198.51.100.66")
    call("POST", "/api/auth/logout", token=people["bob"], headers=spoofed, ip="2001:db8::7")
    row = db.execute("SELECT host(ip) FROM audit_logs WHERE action = 'auth.sign_out'").fetchone()
    assert row == ("2001:db8::7",)


def test_unexpected_error_gets_500_without_details(
    people: dict[str, str], monkeypatch: pytest.MonkeyPatch, logs: io.StringIO
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("secret-detail-of-the-failure")

    monkeypatch.setattr(users, "me", broken)
    answer = call("GET", "/api/auth/me", token=people["bob"])
    assert_error(answer, 500, "INTERNAL_ERROR")
    assert "secret-detail" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    logged = [json.loads(line) for line in logs.getvalue().splitlines()]
    failures = [line for line in logged if line["message"] == "unhandled_error"]
    assert len(failures) == 1
    assert failures[0]["request_id"] == answer.headers["x-request-id"]


def test_line_breaks_from_a_caller_stay_in_one_log_line(
    people: dict[str, str], logs: io.StringIO
) -> None:
    body = {"mediaType": "movie", "tmdbId": 603, 'x\r\n{"level":"forged"}\x1b[31m': 1}
    answer = call("POST", "/api/media/request", token=people["bob"], body=body)
    assert answer.code == "VALIDATION_ERROR"
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert any("forged" in json.dumps(line) for line in lines)
    assert all(line["level"] != "forged" for line in lines)


def test_error_response_is_limited_for_many_invalid_fields(
    people: dict[str, str], logs: io.StringIO
) -> None:
    body = {f"{number:04}{'x' * 200}": 1 for number in range(200)}
    answer = call("POST", "/api/media/request", token=people["bob"], body=body)
    assert answer.code == "VALIDATION_ERROR"
    assert len(answer.details) == 20
    assert len(answer.text) < 10_000
    assert len(logs.getvalue()) < 20_000


def test_every_sample_event_gets_its_expected_status(db: Db, keys: object) -> None:
    public = {"docs", "docs-get", "health", "openapi"}
    public |= {"auth-options", "auth-plex-pin", "auth-session"}
    for name, event in REQUESTS.items():
        function, _, _ = route_of(event["httpMethod"], event["path"])
        answer = invoke(function, event)
        expected = 200 if name in public else {"auth-plex-verify": 404}.get(name, 401)
        assert answer.status == expected, (name, answer.text)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unused_body_over_the_limit_gets_413(
    people: dict[str, str], logs: io.StringIO, method: str
) -> None:
    path = "/api/auth/me" if method == "GET" else "/api/auth/logout"
    answer = call(method, path, token=people["bob"], raw=b" " * 65_537)
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")
    [line] = [json.loads(each) for each in logs.getvalue().splitlines()]
    assert (line["status"], line["code"], line["ip"]) == (413, "PAYLOAD_TOO_LARGE", "203.0.113.7")
    fits = call("GET", "/api/auth/me", token=people["bob"], raw=b" " * 65_536)
    assert fits.status == 200


@pytest.mark.parametrize("is_base64", [False, True])
@pytest.mark.parametrize("character", ["x", "é", "日", "😀"])
def test_body_size_is_measured_in_bytes(
    people: dict[str, str], character: str, *, is_base64: bool
) -> None:
    frame = len('{"surprise": ""}')
    width = len(character.encode())
    text = character * ((65_536 - frame) // width)
    filled = text + "x" * (65_536 - frame - len(text.encode()))
    for extra, code in (("", "VALIDATION_ERROR"), ("x", "PAYLOAD_TOO_LARGE")):
        raw = f'{{"surprise": "{filled}{extra}"}}'.encode()
        assert len(raw) == 65_536 + len(extra)
        function, event = event_of("POST", "/api/auth/logout", token=people["bob"], raw=raw)
        if is_base64:
            event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        assert invoke(function, event).code == code


def test_secrets_are_not_logged(people: dict[str, str], logs: io.StringIO) -> None:
    secret = people["bob"]
    for method, path in ROUTES:
        call(method, concrete(path), token=secret, body={"reason": "CANARY-in-a-body"})
    logged = logs.getvalue()
    assert "request" in logged
    assert secret not in logged
    assert secret.split(".")[2] not in logged
    assert "CANARY" not in logged
    assert "key-of-the-tests" not in logged
