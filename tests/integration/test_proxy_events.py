"""Unusual proxy events of API Gateway: none of them makes a function fail."""

import base64
import io
import json
from collections.abc import Callable
from itertools import product
from typing import Any

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medianest.api.event import NO_ADDRESS
from tests.integration.test_edge import assert_error
from tests.support import plex
from tests.support.api import ROUTES, call, event_of, invoke
from tests.support.cases import case
from tests.support.openapi import SOME_ID, concrete
from tests.support.pairs import paired

type Db = psycopg.Connection[tuple[Any, ...]]

FILM = {"mediaType": "movie", "tmdbId": 603}
# Bytes outside ASCII as they occur in an event: decoded, replaced, or as lone surrogates.
NON_ASCII = ["caf\u00e9", "caf\ufffd", "caf\udce9", "日本", "\u00a0"]
EVENT_PARTS = [
    *("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters"),
    *("pathParameters", "stageVariables", "requestContext", "body", "isBase64Encoded", "path"),
]


def console_test_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event as the Test button of API Gateway's console sends it."""
    single = {name: values[-1] for name, values in event["multiValueHeaders"].items()}
    context = event["requestContext"]
    identity = {
        **context["identity"],
        "sourceIp": "test-invoke-source-ip",
        "userAgent": None,
        "accessKey": "test-invoke-access-key",
    }
    return event | {
        "headers": single | {"Accept": None},
        "multiValueHeaders": None,
        "multiValueQueryStringParameters": None,
        "requestContext": context
        | {"identity": identity, "stage": "test-invoke-stage", "path": event["resource"]},
    }


def assert_no_error_logged(logs: io.StringIO) -> None:
    assert "UnhandledError" not in logs.getvalue()
    assert "Traceback" not in logs.getvalue()
    assert '"level":"ERROR"' not in logs.getvalue()


def test_every_route_handles_an_event_of_the_consoles_test_button(
    people: dict[str, str], people_anew: Callable[[], dict[str, str]], logs: io.StringIO
) -> None:
    for method, path in ROUTES:
        query = {"q": "matrix"} if path.endswith("search") else {}
        function, event = event_of(
            method, concrete(path), token=people["alice"], body={"reason": "x"}, query=query
        )
        answer = invoke(function, console_test_event(event))
        assert answer.status in {200, 204, 400, 404}, (method, path, answer.text)
        assert_no_error_logged(logs)
        if method != "GET":
            people = people_anew()


def test_caller_without_an_ip_address_is_recorded(db: Db, keys: object, plex_url: str) -> None:
    handle = plex.begin(plex_url, "alice")
    function, event = event_of("POST", "/api/auth/plex/verify", body={"pinId": handle})
    answer = invoke(function, console_test_event(event))
    assert answer.status == 200
    function, event = event_of("GET", "/api/auth/sessions", token=answer.data["token"])
    sessions = invoke(function, console_test_event(event)).data
    assert [session["ip"] for session in sessions] == [NO_ADDRESS]
    assert db.execute("SELECT DISTINCT host(ip) FROM audit_logs").fetchall() == [(NO_ADDRESS,)]


@pytest.mark.parametrize(
    ("source_ip", "recorded"),
    [
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::0:7", "2001:db8::7"),
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.1", NO_ADDRESS),
        ("", NO_ADDRESS),
        (None, NO_ADDRESS),
        (7, "0.0.0.0"),
    ],
)
def test_source_address_is_normalized_before_it_is_recorded(
    db: Db, people: dict[str, str], source_ip: object, recorded: str
) -> None:
    function, event = event_of("POST", "/api/auth/logout", token=people["bob"])
    event["requestContext"]["identity"] |= {"sourceIp": source_ip, "userAgent": "a\0b\udce9\ud83d"}
    assert invoke(function, event).status == 204
    query = "SELECT host(ip), user_agent FROM audit_logs WHERE action = 'auth.sign_out'"
    assert db.execute(query).fetchone() == (recorded, "ab\ufffd\ufffd")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("GET", "/api/health", {200}), ("POST", "/api/auth/login", {401, 400, 415})],
)
def test_missing_null_or_mistyped_part_of_an_event_is_no_failure(
    db: object, keys: redis.Redis, logs: io.StringIO, method: str, path: str, expected: set[int]
) -> None:
    function, complete = event_of(method, path, body={"identifier": "x", "password": "x"})
    replacements: list[object] = ["missing", None, "text", 7, []]
    for part, replacement in product(EVENT_PARTS, replacements):
        keys.flushdb()  # only a few attempts to sign in are allowed
        event = {name: value for name, value in complete.items() if name != part}
        event |= {} if replacement == "missing" else {part: replacement}
        with case(part, replacement):
            answer = invoke(function, event)
            assert answer.status in expected, answer.text
            assert answer.headers["x-request-id"]
            assert_no_error_logged(logs)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("caf\udce9"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(EVENT_PARTS, JSON),
            "headers": st.dictionaries(
                st.sampled_from(["Host", "X-Forwarded-Port", "X-Forwarded-Proto", "Content-Type"])
                | st.text(),
                JSON,
            ),
            "queryStringParameters": st.dictionaries(st.text(), JSON),
        },
    )
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_event_is_no_failure(environment: object, parts: dict[str, Any]) -> None:
    function, event = event_of("GET", "/api/health")
    assert invoke(function, event | parts).status in {200, 400, 413}
    assert invoke(function, parts).code == "NOT_FOUND"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Port": "443, 443"},
        {"X-Forwarded-Port": ""},
        {"X-Forwarded-Port": "https"},
        {"X-Forwarded-Proto": "https, http"},
        {"X-Forwarded-Proto": "\u00e9"},
        {"Host": "a:b:c"},
        {"Host": "[::1]:3001"},
        {"Host": ""},
        {"Host": "caf\udce9"},
    ],
)
def test_malformed_forwarding_headers_are_ignored(
    people: dict[str, str], logs: io.StringIO, headers: dict[str, str]
) -> None:
    assert call("GET", "/api/auth/me", token=people["bob"], headers=headers).status == 200
    answer = call("POST", "/api/media/request", token=people["bob"], body=FILM, headers=headers)
    assert answer.status == 201
    assert_no_error_logged(logs)


@pytest.mark.parametrize("non_ascii", NON_ASCII)
class TestNonAsciiHeaders:
    def test_non_ascii_credential_is_rejected(
        self, db: object, keys: object, non_ascii: str, logs: io.StringIO
    ) -> None:
        for headers in (
            {"Authorization": non_ascii},
            {"Authorization": f"Bearer {non_ascii}"},
            {"Authorization": f"Be{non_ascii} x"},
            {"Cookie": f"__Host-medianest_session={non_ascii}"},
        ):
            answer = call("GET", "/api/auth/me", headers=headers)
            assert_error(answer, 401, "JWT_INVALID")
        assert_no_error_logged(logs)

    def test_non_ascii_csrf_token_is_rejected(
        self, people: dict[str, str], non_ascii: str, logs: io.StringIO
    ) -> None:
        cookie = {"Cookie": f"other={non_ascii}; __Host-medianest_session={people['bob']}"}
        token = call("GET", "/api/auth/csrf", headers=cookie).data["csrfToken"]
        for invalid in (non_ascii, token + non_ascii, non_ascii + token):
            headers = cookie | {"X-CSRF-Token": invalid}
            answer = call("POST", "/api/auth/logout", headers=headers)
            assert_error(answer, 403, "CSRF_TOKEN_MISMATCH")
        assert_no_error_logged(logs)
        answer = call("POST", "/api/auth/logout", headers=cookie | {"X-CSRF-Token": token})
        assert answer.status == 204

    def test_non_ascii_idempotency_key_is_rejected(
        self, db: Db, people: dict[str, str], non_ascii: str, logs: io.StringIO
    ) -> None:
        answer = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body=FILM,
            headers={"Idempotency-Key": non_ascii},
        )
        assert_error(answer, 400, "VALIDATION_ERROR")
        assert [problem["field"] for problem in answer.details] == ["header.Idempotency-Key"]
        assert db.execute("SELECT FROM media_requests").fetchall() == []
        assert_no_error_logged(logs)

    def test_other_non_ascii_header_is_ignored(
        self, people: dict[str, str], non_ascii: str, logs: io.StringIO
    ) -> None:
        names = ("X-Any", "User-Agent", "Accept", "Origin", "Sec-Fetch-Site", "Cookie", "X-\u00e9")
        for name in names:
            answer = call("GET", "/api/auth/me", token=people["bob"], headers={name: non_ascii})
            assert answer.status == 200, name
            assert_no_error_logged(logs)

    def test_non_ascii_content_type_is_rejected(
        self, people: dict[str, str], non_ascii: str
    ) -> None:
        answer = call(
            "POST",
            "/api/media/request",
            token=people["bob"],
            body=FILM,
            headers={"Content-Type": f"application/json; charset={non_ascii}"},
        )
        assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_header_names_match_by_ascii_case_only(people: dict[str, str]) -> None:
    cookie = f"__Host-medianest_session={people['bob']}"
    assert call("GET", "/api/auth/me", headers={"coo\u212aie": cookie}).status == 401
    assert call("GET", "/api/auth/me", headers={"cooKie": cookie}).status == 200


def test_base_path_of_a_custom_domain_is_ignored(db: object, keys: object) -> None:
    for method, path in ROUTES:
        function, event = event_of(method, concrete(path))
        event["path"] = event["requestContext"]["path"] = f"/base{event['path']}"
        answer = invoke(function, event)
        assert answer.status in {200, 400, 401}, (method, path, answer.text)


MALFORMED_VALUES = [
    "a/b",
    "/",
    "..",
    "%",
    "%2F",
    "a b",
    " ",
    "\u00e9",
    "日本",
    "caf\ufffd",
    "\0",
    "a\udce9",
    "x?y",
]


def test_malformed_path_parameter_is_rejected(people: dict[str, str], logs: io.StringIO) -> None:
    routes = [route for route in ROUTES if "{" in route[1]]
    for method, path, value in paired(routes, [*MALFORMED_VALUES, "{id}", "search"]):
        function, event = event_of(
            method, concrete(path), token=people["alice"], body={"reason": "x"}
        )
        with case(method, path, value):
            for name in event["pathParameters"]:
                changed = event | {"pathParameters": event["pathParameters"] | {name: value}}
                answer = invoke(function, changed)
                if answer.code == "NOT_FOUND":
                    assert name in {"asset", "key"}
                    continue
                assert answer.code == "VALIDATION_ERROR"
                assert f"path.{name}" in [problem["field"] for problem in answer.details]
            assert invoke(function, event | {"pathParameters": None}).code == "VALIDATION_ERROR"
            assert_no_error_logged(logs)


def test_unsupported_method_is_refused_with_the_allowed_ones(people: dict[str, str]) -> None:
    function, event = event_of("GET", f"/api/media/requests/{SOME_ID}", token=people["bob"])
    answer = invoke(function, event | {"httpMethod": "PUT"})
    assert_error(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


class TestUtf8:
    """UTF-8 text is accepted; text in any other encoding is rejected and not stored."""

    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "application/json; charset=utf-8",
            'Application/JSON;charset="UTF-8"',
            "application/json; Charset = Utf-8 ; x=y",
            "application/json; version=1",
            "application/json; charset=utf8",
        ],
    )
    @pytest.mark.parametrize("is_base64", [False, True])
    def test_utf8_body_is_accepted_with_or_without_a_declared_charset(
        self, people: dict[str, str], content_type: str, *, is_base64: bool
    ) -> None:
        raw = json.dumps(FILM | {"comment": "café 日本"}, ensure_ascii=False).encode()
        function, event = event_of(
            "POST",
            "/api/media/request",
            token=people["bob"],
            raw=raw,
            headers={"Content-Type": content_type},
        )
        if is_base64:
            event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        assert invoke(function, event).data["comment"] == "café 日本"

    @pytest.mark.parametrize("is_base64", [False, True])
    def test_body_that_is_not_utf8_is_rejected(
        self, db: Db, people: dict[str, str], *, is_base64: bool
    ) -> None:
        raw = json.dumps(FILM | {"comment": "café"}, ensure_ascii=False).encode("latin-1")
        function, event = event_of("POST", "/api/media/request", token=people["bob"], raw=raw)
        if is_base64:
            event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        answer = invoke(function, event)
        assert_error(answer, 400, "VALIDATION_ERROR")
        assert [problem["field"] for problem in answer.details] == ["body"]
        assert "UTF-8" in answer.details[0]["message"]
        assert db.execute("SELECT FROM media_requests").fetchall() == []

    def test_body_with_invalid_base64_is_rejected(self, people: dict[str, str]) -> None:
        function, event = event_of("POST", "/api/media/request", token=people["bob"], body=FILM)
        answer = invoke(function, event | {"body": "?", "isBase64Encoded": True})
        assert_error(answer, 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"q": b"Am\xe9lie"}, "query.q"),
            ({"q": "x", b"t\xffpe": "all"}, "query.t\ufffdpe"),
            ({"q": "x", "type": b"\xc3"}, "query.type"),
            ({"q": "\ufffd"}, "query.q"),
        ],
    )
    def test_query_that_is_not_utf8_is_rejected(
        self, people: dict[str, str], query: dict[Any, Any], field: str
    ) -> None:
        answer = call("GET", "/api/media/search", token=people["bob"], query=query)
        assert_error(answer, 400, "VALIDATION_ERROR")
        assert [problem["field"] for problem in answer.details] == [field]
        assert "UTF-8" in answer.details[0]["message"]
        assert call("GET", "/api/media/search", query=query).code == "JWT_INVALID"

    @pytest.mark.parametrize("text", ["Amélie", "café", "日本", "😀", "Ame\u0301lie"])
    def test_utf8_query_is_accepted(self, people: dict[str, str], text: str) -> None:
        answer = call("GET", "/api/media/search", token=people["bob"], query={"q": text})
        assert answer.status == 200

    def test_path_that_is_not_utf8_is_rejected(self, people: dict[str, str]) -> None:
        answer = call("GET", "/api/media/movie/6%e93", token=people["bob"])
        assert_error(answer, 400, "VALIDATION_ERROR")
        assert answer.details == [
            {"field": "path.tmdbId", "message": "Must be valid UTF-8, percent-encoded"}
        ]
