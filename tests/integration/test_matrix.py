"""Access matrix: every route by every method and kind of caller, and attempts to bypass it."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from local.gateway.server import Gateway
from local.lambda_.runtime import Runtime
from local.run_config import PROJECT
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.error_codes import REGISTRY, ErrorCode
from medianest.sessions import service as sessions
from medianest.users import repository as users_repository
from medianest.users.models import User
from tests.conftest import ENCRYPTION_KEY, JWT_SECRET
from tests.integration.test_edge import snapshot
from tests.support.api import ROUTES, TEMPLATE, Answer, call
from tests.support.openapi import OPERATIONS, SOME_ID, concrete
from tests.support.permissions import callers
from tests.support.walk import ACCOUNT, FILM, PASSWORD, SERVER_KEY, Walk

type Db = psycopg.Connection[tuple[Any, ...]]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CALLERS = ("anonymous", "suspended", "user", "admin")
PATHS = sorted({path for _, path in ROUTES})


@dataclass(frozen=True)
class Row:
    """The expected outcome of a route for each caller: a status below 300 or an error code."""

    user: str
    admin: str
    unauthenticated: str = "JWT_INVALID"
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)


def any_caller(outcome: str, **options: Any) -> Row:
    return Row(outcome, outcome, outcome, **options)


def signed_in_callers(outcome: str, **options: Any) -> Row:
    return Row(outcome, outcome, **options)


def only_admins(outcome: str, **options: Any) -> Row:
    return Row("FORBIDDEN", outcome, **options)


SERVER = {
    "kind": "radarr",
    "name": "matrix",
    "baseUrl": "https://radarr.example",
    "apiKey": "k" * 20,
}
# Exact outcomes, in the order of the contract's section 3; the calls use an id that is unknown.
# For a route without a row, `row_of` derives one from its path and the API document's examples.
ROWS = {
    ("GET", "/api/health"): any_caller("200"),
    ("GET", "/api/openapi.json"): any_caller("200"),
    ("GET", "/api/docs"): any_caller("200"),
    ("GET", "/api/docs/{asset}"): any_caller("200"),
    ("POST", "/api/auth/plex/pin"): any_caller("200", body={}),
    ("POST", "/api/auth/plex/verify"): any_caller("PIN_EXPIRED", body={"pinId": "x"}),
    ("POST", "/api/auth/login"): any_caller(
        "INVALID_CREDENTIALS", body={"identifier": "x", "password": "x"}
    ),
    ("POST", "/api/auth/password"): signed_in_callers(
        "INVALID_CREDENTIALS", body={"currentPassword": "x", "newPassword": "x"}
    ),
    ("GET", "/api/auth/options"): any_caller("200"),
    ("GET", "/api/auth/session"): any_caller("200"),
    ("GET", "/api/auth/me"): signed_in_callers("200"),
    ("POST", "/api/auth/logout"): signed_in_callers("204"),
    ("POST", "/api/auth/refresh"): signed_in_callers("200"),
    ("GET", "/api/auth/csrf"): signed_in_callers("200"),
    ("GET", "/api/auth/sessions"): signed_in_callers("200"),
    ("DELETE", "/api/auth/sessions/{id}"): signed_in_callers("NOT_FOUND"),
    ("GET", "/api/media/search"): signed_in_callers("200", query={"q": "matrix"}),
    ("GET", "/api/media/discover"): signed_in_callers("200", query={"list": "popular"}),
    ("GET", "/api/media/{mediaType}/{tmdbId}"): signed_in_callers("200"),
    ("GET", "/api/media/quota"): signed_in_callers("200"),
    # The user's request comes first, so the admin's is a duplicate.
    ("POST", "/api/media/request"): Row("201", "ALREADY_REQUESTED", body=FILM),
    ("GET", "/api/media/requests"): signed_in_callers("200"),
    ("GET", "/api/media/requests/{id}"): signed_in_callers("NOT_FOUND"),
    ("DELETE", "/api/media/requests/{id}"): signed_in_callers("NOT_FOUND"),
    ("GET", "/api/admin/users"): only_admins("200"),
    ("POST", "/api/admin/users"): only_admins("201", body=ACCOUNT),
    ("GET", "/api/admin/users/{id}"): only_admins("NOT_FOUND"),
    ("PATCH", "/api/admin/users/{id}"): only_admins("NOT_FOUND", body={"role": "user"}),
    ("DELETE", "/api/admin/users/{id}"): only_admins("NOT_FOUND"),
    ("DELETE", "/api/admin/users/{id}/sessions"): only_admins("NOT_FOUND"),
    ("GET", "/api/admin/requests"): only_admins("200"),
    ("GET", "/api/admin/requests/counts"): only_admins("200"),
    ("POST", "/api/admin/requests/{id}/approve"): only_admins("NOT_FOUND", body={}),
    ("POST", "/api/admin/requests/{id}/decline"): only_admins("NOT_FOUND", body={"reason": "no"}),
    ("POST", "/api/admin/requests/decisions"): only_admins(
        "200", body={"decision": "approve", "ids": [SOME_ID]}
    ),
    ("GET", "/api/admin/audit-logs"): only_admins("200"),
    ("GET", "/api/admin/config"): only_admins("200"),
    ("PUT", "/api/admin/config/{key}"): only_admins(
        "200", body={"value": {"limit": 1000, "window": 1}}
    ),
    ("GET", "/api/admin/stats"): only_admins("200"),
    ("POST", "/api/admin/requests/{id}/retry"): only_admins("NOT_FOUND"),
    ("POST", "/api/admin/requests/{id}/withdraw"): only_admins("NOT_FOUND", body={"reason": "x"}),
    ("POST", "/api/admin/fulfilment/adopt"): only_admins("200", body={}),
    ("GET", "/api/admin/jobs"): only_admins("200"),
    ("GET", "/api/admin/jobs/{id}"): only_admins("NOT_FOUND"),
    ("POST", "/api/admin/jobs/{id}/retry"): only_admins("NOT_FOUND"),
    ("POST", "/api/admin/jobs/{id}/cancel"): only_admins("NOT_FOUND"),
    ("POST", "/api/admin/jobs/retry"): only_admins("200", body={}),
    ("GET", "/api/admin/servers"): only_admins("200"),
    ("POST", "/api/admin/servers"): only_admins("201", body=SERVER),
    ("GET", "/api/admin/servers/{id}"): only_admins("NOT_FOUND"),
    ("PATCH", "/api/admin/servers/{id}"): only_admins("NOT_FOUND", body={"enabled": True}),
    ("DELETE", "/api/admin/servers/{id}"): only_admins("NOT_FOUND"),
    ("POST", "/api/admin/servers/{id}/test"): only_admins("NOT_FOUND"),
    ("GET", "/api/admin/servers/{id}/inventory"): only_admins("NOT_FOUND"),
    ("GET", "/api/admin/routing-rules"): only_admins("200"),
    ("PUT", "/api/admin/routing-rules"): only_admins("200", body={"rules": []}),
}


# Matches any outcome except a failure or a refusal because of the caller or the method.
SERVED = "served"
REFUSALS = {"JWT_INVALID", "FORBIDDEN", "METHOD_NOT_ALLOWED", "401", "403", "405"}


def row_of(method: str, path: str) -> Row | None:
    """Return the row of a route, None if the path has no such method; HEAD counts as GET."""
    route = ("GET" if method == "HEAD" else method, path)
    if route in ROWS or route not in OPERATIONS:
        return ROWS.get(route)
    kinds = {"public": any_caller, "signed in": signed_in_callers, "admin": only_admins}
    operation = OPERATIONS[route]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return kinds[callers(*route)](
        SERVED,
        body=None if body is None else next(iter(body["examples"].values()))["value"],
        query={
            parameter["name"]: str(parameter["example"])
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query" and parameter["required"]
        },
    )


def matches(actual: str, expected_outcome: str) -> bool:
    if expected_outcome != SERVED:
        return actual == expected_outcome
    failed = actual.startswith("5") or (
        not actual.isdigit() and REGISTRY[ErrorCode(actual)].status >= 500
    )
    return actual not in REFUSALS and not failed


def expected_outcome_of(method: str, path: str, caller: str) -> str:
    row = row_of(method, path)
    if row is not None:
        expected_outcome = {"user": row.user, "admin": row.admin}.get(caller, row.unauthenticated)
        # The response to a HEAD has no body, hence no error code.
        return (
            str(REGISTRY[ErrorCode(expected_outcome)].status)
            if has_no_code(method, expected_outcome)
            else expected_outcome
        )
    # Without a route the gateway itself responds: 204 to a preflight, otherwise 405.
    return {"OPTIONS": "204", "HEAD": "405"}.get(method, "METHOD_NOT_ALLOWED")


def has_no_code(method: str, expected_outcome: str) -> bool:
    return method == "HEAD" and expected_outcome != SERVED and not expected_outcome.isdigit()


def methods_of(path: str) -> set[str]:
    methods = {method for method, route_path in ROUTES if route_path == path}
    return methods | ({"HEAD"} if "GET" in methods else set())


def outcome(answer: Answer) -> str:
    has_code = answer.status >= 300 and answer.text
    return answer.code if has_code else str(answer.status)


@pytest.fixture(scope="module")
def gateways(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Run the functions in separate processes behind the local gateway.

    Return its URL and that of a second gateway for a custom domain with the base path /base.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()

    async def start() -> tuple[str, str]:
        runtime = Runtime(
            TEMPLATE.functions,
            runtime=PROJECT / ".venv/var/runtime",
            pycache=PROJECT / ".local/pycache",
            environment={**environment, "NODE_ENV": "development"},
        )
        await stack.enter_async_context(runtime)
        served, mapped = [
            await stack.enter_async_context(
                Gateway(TEMPLATE, runtime, throttles=False, base_path=base_path)
            )
            for base_path in ("", "/base")
        ]
        return served.url, mapped.url

    yield asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def gateway(gateways: tuple[str, str]) -> str:
    """Return the URL of the API."""
    return gateways[0]


@dataclass(frozen=True)
class Crowd:
    """One user of each kind, and the URL of the API."""

    url: str
    users: dict[str, User]
    tokens: dict[str, str | None] = field(default_factory=lambda: {"anonymous": None})

    def token(self, caller: str) -> str | None:
        """Return the token of the caller's session; open one if the caller has none."""
        if caller not in self.tokens:
            caller_details = Caller("matrix", "203.0.113.7", "tests")
            with database().transaction() as connection:
                signed_in = sessions.open_session(connection, self.users[caller], caller_details)
            self.tokens[caller] = signed_in.token
        return self.tokens[caller]

    def call(
        self,
        method: str,
        path: str,
        caller: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one HTTP call without normalizing the path."""
        request_headers = {"Content-Type": "application/json", **(headers or {})}
        token = self.token(caller)
        if token is not None:
            request_headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body)
        target = f"{path}?{urlencode(query)}" if query else path
        # http.client does not normalize the path.
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        connection.request(method, target, body=content, headers=request_headers)
        response = connection.getresponse()
        text = response.read().decode()
        response_headers = {name.lower(): value for name, value in response.getheaders()}
        connection.close()
        if method == "POST" and token is not None:
            del self.tokens[caller]  # the call may have ended the session
        return Answer(response.status, response_headers, text)


@pytest.fixture
def crowd(gateway: str, db: Db, keys: object) -> Crowd:
    """Create a user of each kind."""
    created = {}
    with database().transaction() as connection:
        for number, caller in enumerate(("suspended", "user", "admin"), 1):
            user = users_repository.add_plex_user(
                connection,
                plex_id=number,
                email=f"{caller}@example.com",
                username=caller,
                admin=caller == "admin",
                first_is_admin=False,
            )
            assert user is not None
            created[caller] = user
        users_repository.change(
            connection, created["suspended"].id, role="user", status="suspended", quota=None
        )
    return Crowd(gateway, created)


def test_every_row_belongs_to_a_route() -> None:
    assert sorted(set(ROWS) - set(ROUTES)) == [], "remove the rows of routes that do not exist"


def test_derived_row_rejects_the_same_callers_as_the_exact_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for method, path in ROUTES:
        exact = row_of(method, path)
        monkeypatch.delitem(ROWS, (method, path), raising=False)
        derived = row_of(method, path)
        assert exact is not None
        assert derived is not None
        for caller in CALLERS:
            expected_outcome = {"user": exact.user, "admin": exact.admin}.get(
                caller, exact.unauthenticated
            )
            derived_outcome = {"user": derived.user, "admin": derived.admin}.get(
                caller, derived.unauthenticated
            )
            assert matches(expected_outcome, derived_outcome), (method, path, caller)


def test_refusal_or_failure_does_not_count_as_served() -> None:
    for actual in ("401", "403", "405", "500", "INTERNAL_ERROR", "FORBIDDEN"):
        assert not matches(actual, SERVED), actual


@pytest.mark.parametrize("path", PATHS)
def test_every_method_has_the_expected_outcome_for_every_caller(crowd: Crowd, path: str) -> None:
    allowed = sorted(methods_of(path))
    for method in METHODS:
        row = row_of(method, path) or Row("", "")
        for caller in CALLERS:
            answer = crowd.call(method, concrete(path), caller, body=row.body, query=row.query)
            context = (method, caller, answer.text)
            assert matches(outcome(answer), expected_outcome_of(method, path, caller)), context
            if method == "HEAD" and "GET" in allowed:
                assert answer.text == ""
                assert int(answer.headers["content-length"]) > 0
            if answer.status == 405:
                assert answer.headers["allow"] == ", ".join([*allowed, "OPTIONS"]), context


def exchange(url: str, head: bytes, body: bytes = b"") -> Answer:
    """Send raw bytes over a new connection and return the response."""
    address = urlsplit(url)
    request = head.replace(b"\n", b"\r\n") + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection((str(address.hostname), address.port), timeout=20) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        text = response.read().decode()
        response_headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response_headers, text)


class TestInvalidBytes:
    """Headers and text that are not ASCII or UTF-8, over a real connection."""

    def test_credential_with_invalid_bytes_is_rejected(self, crowd: Crowd) -> None:
        for header in (
            b"Authorization: Bearer caf\xe9",
            b"Authorization: \xff",
            b"Cookie: __Host-medianest_session=\xc3\xa9",
        ):
            answer = exchange(crowd.url, b"GET /api/auth/me HTTP/1.1\nHost: a\n%b\n" % header)
            assert outcome(answer) == "JWT_INVALID", header

    def test_other_headers_with_invalid_bytes_are_ignored(self, crowd: Crowd) -> None:
        token = str(crowd.token("user")).encode()
        for header in (
            b"Host: a\nX-Odd: caf\xe9",
            b"Host: a\nUser-Agent: \xff\xfe",
            b"Host: a\nX-Forwarded-Port: 443",
            b"Host: a\nX-Forwarded-Proto: \xe9",
            b"Host: a\nX-Amzn-Trace-Id: \xe9",
            b"Host: a:b:c",
        ):
            answer = exchange(
                crowd.url,
                b"GET /api/auth/me HTTP/1.1\n%b\nAuthorization: Bearer %b\n" % (header, token),
            )
            assert answer.status == 200, header

    def test_text_that_is_not_utf8_is_rejected(self, db: Db, crowd: Crowd) -> None:
        headers = b"Host: a\nContent-Type: application/json\nAuthorization: Bearer %b\n"
        headers %= str(crowd.token("user")).encode()
        body = '{"mediaType": "movie", "tmdbId": 603, "comment": "café"}'
        request_head = b"POST /api/media/request HTTP/1.1\n" + headers
        refused = exchange(crowd.url, request_head, body.encode("latin-1"))
        assert [problem["field"] for problem in refused.details] == ["body"]
        with_invalid_key = exchange(
            crowd.url, request_head + b"Idempotency-Key: \xe9\n", body.encode()
        )
        assert [problem["field"] for problem in with_invalid_key.details] == [
            "header.Idempotency-Key"
        ]
        assert exchange(crowd.url, request_head, body.encode()).data["comment"] == "café"
        search = b"GET /api/media/search?q=%b HTTP/1.1\n" + headers
        refused = exchange(crowd.url, search.replace(b"%b", b"Am%E9lie"))
        assert [problem["field"] for problem in refused.details] == ["query.q"]
        assert exchange(crowd.url, search.replace(b"%b", b"Am%C3%A9lie")).status == 200


def test_custom_domain_with_a_base_path_serves_the_api_below_it(
    crowd: Crowd, gateways: tuple[str, str]
) -> None:
    mapped = Crowd(gateways[1], crowd.users)
    user = f"/base/api/admin/users/{crowd.users['user'].id}"
    assert mapped.call("GET", "/base/api/health", "anonymous").status == 200
    assert mapped.call("GET", "/base/api/docs/page.js", "anonymous").status == 200
    assert mapped.call("GET", user, "admin").data["username"] == "user"
    assert outcome(mapped.call("GET", user, "user")) == "FORBIDDEN"
    assert mapped.call("HEAD", user, "admin").status == 200
    assert outcome(mapped.call("POST", user, "admin")) == "METHOD_NOT_ALLOWED"
    assert outcome(mapped.call("GET", "/api/health", "anonymous")) == "NOT_FOUND"


class TestMethodOverrides:
    HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")

    @pytest.mark.parametrize("header", HEADERS)
    def test_override_header_does_not_change_the_method(
        self, db: Db, crowd: Crowd, header: str
    ) -> None:
        user_id = crowd.users["user"].id
        before = snapshot(db)[0]
        for path, overriding_method in (
            (f"/api/admin/users/{user_id}", "DELETE"),
            ("/api/admin/config", "PUT"),
            ("/api/admin/users", "POST"),
            ("/api/auth/me", "POST"),
        ):
            response = crowd.call(
                "GET", path, "admin", body=ACCOUNT, headers={header: overriding_method}
            )
            assert response.status == 200
        # The header does not give access to a route of another method either.
        for method, path, outcomes in (
            ("POST", "/api/admin/users", ("JWT_INVALID", "JWT_INVALID", "FORBIDDEN")),
            ("POST", "/api/admin/stats", ("METHOD_NOT_ALLOWED",) * 3),
            ("GET", "/api/admin/stats", ("JWT_INVALID", "JWT_INVALID", "FORBIDDEN")),
        ):
            responses = [
                crowd.call(method, path, caller, body=ACCOUNT, headers={header: "OPTIONS"})
                for caller in CALLERS[:3]
            ]
            assert tuple(map(outcome, responses)) == outcomes
        assert snapshot(db)[0] == before

    def test_override_parameter_is_rejected(self, db: Db, crowd: Crowd) -> None:
        path = f"/api/admin/users/{crowd.users['user'].id}"
        before = snapshot(db)[0]
        in_query = crowd.call("GET", path, "admin", query={"_method": "DELETE"})
        assert in_query.details == [{"field": "query._method", "message": "Unknown parameter"}]
        body = {"_method": "DELETE", "role": "user"}
        in_body = crowd.call("PATCH", path, "admin", body=body)
        assert [problem["field"] for problem in in_body.details] == ["body._method"]
        assert snapshot(db)[0] == before
        assert crowd.call("DELETE", path, "admin").status == 204


# A proxy or framework could normalize these to /api/admin/users, but none of them is a route.
NON_CANONICAL_PATHS = [
    "//api/admin/users",
    "/api//admin/users",
    "/api/admin//users",
    "/api/Admin/users",
    "/API/ADMIN/USERS",
    "/api/%61dmin/users",
    "/api/%2561dmin/users",
    "/api%2fadmin%2fusers",
    "/api/./admin/users",
    "/api/%2e/admin/users",
    "/api/media/../admin/users",
    "/api/media/%2e%2e/admin/users",
    "/api/media/..;/admin/users",
    "/api/health/../admin/users",
    "/api/admin/users/",
    "/api/admin/users;x",
    "/api/admin/users;/x/y",
    "/api/admin;x/users",
    "/api/admin/users%00",
    "/api/admin/users%20",
    "/api/admin/users%2f",
    "/api/admin/users%3fpage=1",
    "/api/admin/users%23",
    "/api/admin/users.json",
    "/api\\admin\\users",
    "/live/api/admin/users",
    "/api/admin/users/./..",
    "/api/admin/users/%2e%2e/%2e%2e",
]
# Values for a user's id that are not UUIDs.
MALFORMED_IDS = [".", "..", "%2e%2e", "%2e%2e%2fhealth", "..%5chealth", ";x", "%00", "*", "me"]


def test_non_canonical_path_is_not_found_for_any_caller(crowd: Crowd) -> None:
    for path in NON_CANONICAL_PATHS:
        for caller in CALLERS:
            assert outcome(crowd.call("GET", path, caller)) == "NOT_FOUND", (path, caller)
    assert crowd.call("GET", "/api/admin/users", "admin").status == 200


def test_malformed_id_is_rejected_only_after_authorization(crowd: Crowd) -> None:
    for name in MALFORMED_IDS:
        path = f"/api/admin/users/{name}"
        for method in ("GET", "DELETE"):
            outcomes = [outcome(crowd.call(method, path, caller)) for caller in CALLERS]
            expected = ["JWT_INVALID", "JWT_INVALID", "FORBIDDEN", "VALIDATION_ERROR"]
            assert outcomes == expected, (method, path)
    valid_path = f"/api/admin/users/{crowd.users['user'].id}"
    assert crowd.call("GET", valid_path, "admin").status == 200


UNKNOWN_PATHS = [
    "/api/admin",
    "/api/admin/",
    "/api/admin/secret",
    "/api/admin/users/me/roles",
    f"/api/admin/users/{SOME_ID}/password",
    f"/api/admin/requests/{SOME_ID}",
    f"/api/admin/requests/{SOME_ID}/delete",
    f"/api/admin/audit-logs/{SOME_ID}",
    "/api/admin/config/a/b",
]


def test_unknown_path_gives_every_caller_the_same_response(crowd: Crowd) -> None:
    responses = [
        crowd.call(method, path, caller)
        for path in UNKNOWN_PATHS
        for method in ("GET", "POST", "DELETE")
        for caller in CALLERS
    ]
    varying_headers = {"x-request-id", "date"}
    distinct = {
        (
            response.status,
            response.text,
            *sorted(item for item in response.headers.items() if item[0] not in varying_headers),
        )
        for response in responses
    }
    assert len(distinct) == 1
    assert outcome(responses[0]) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path in ROUTES if "{id}" in path]
)
def test_id_of_another_user_is_refused_like_an_unknown_id(
    db: Db, people: dict[str, str], method: str, path: str
) -> None:
    bob = call("GET", "/api/auth/me", token=people["bob"]).data["id"]
    objects = {
        "user": bob,
        "session": call("GET", "/api/auth/sessions", token=people["bob"]).data[0]["id"],
        "request": call("POST", "/api/media/request", token=people["bob"], body=FILM).data["id"],
    }
    # It is an admin's, so admins find it; the other callers of the test may not even ask.
    added = call("POST", "/api/admin/servers", token=people["alice"], body=SERVER)
    objects["server"] = added.data["id"]
    # The first reading of the server's inventory.
    objects["job"] = call("GET", "/api/admin/jobs", token=people["alice"]).data[0]["id"]
    if path in {"/api/admin/requests/{id}/retry", "/api/admin/requests/{id}/withdraw"}:
        approve = f"/api/admin/requests/{objects['request']}/approve"
        assert call("POST", approve, token=people["alice"]).status == 200
    kind = path.partition("/{id}")[0].rpartition("/")[2].removesuffix("s")
    assert kind in objects, f"create a {kind} of bob in this test: {path} takes its id"
    object_path = path.replace("{id}", objects[kind])
    row = row_of(method, path)
    assert row is not None
    body = row.body
    is_for_admins = path.startswith("/api/admin/")
    before = snapshot(db)
    other_users = ["carol", "bob"] if is_for_admins else ["carol"]
    if path == "/api/auth/sessions/{id}":
        other_users.append("alice")
    for name in other_users:
        refused = call(method, object_path, token=people[name], body=body)
        assert outcome(refused) == ("FORBIDDEN" if is_for_admins else "NOT_FOUND")
        # The response does not reveal whether the object exists.
        unknown = call(method, path.replace("{id}", SOME_ID), token=people[name], body=body)
        assert (unknown.status, unknown.text) == (refused.status, refused.text)
    after = snapshot(db)
    audit = 6
    assert after[:audit] + after[audit + 1 :] == before[:audit] + before[audit + 1 :]
    owner = "alice" if is_for_admins else "bob"
    assert call(method, object_path, token=people[owner], body=body).status in {200, 204}


def test_no_response_contains_a_secret(
    db: Db, people: dict[str, str], plex_url: str, environment: dict[str, str]
) -> None:
    """`call` checks each response against the schema of its route, which names every field."""
    walk = Walk(people, plex_url)
    walk.sign_in()
    tokens = set(walk.tokens.values())
    hashes = db.execute("SELECT password_hash FROM users WHERE password_hash IS NOT NULL")
    secrets = {row[0] for row in hashes.fetchall()}
    session_ids = [row[0] for row in db.execute("SELECT id::text FROM sessions").fetchall()]
    walk.request_and_decide()
    walk.read_admin_pages()
    walk.read_new_routes()
    walk.end_sessions()
    assert sorted(walk.bodies) == ROUTES

    def routes_containing(*texts: str) -> set[tuple[str, str]]:
        return {route for route, body in walk.bodies.items() if any(text in body for text in texts)}

    secrets |= {PASSWORD, JWT_SECRET, ENCRYPTION_KEY, SERVER_KEY, environment["TMDB_API_KEY"]}
    assert (
        routes_containing(*secrets, environment["DATABASE_URL"], environment["REDIS_URL"]) == set()
    )
    assert routes_containing(*tokens, walk.tokens["dave"]) == {
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/plex/verify"),
        ("POST", "/api/auth/refresh"),
    }
    assert routes_containing(*session_ids) == {("GET", "/api/auth/sessions")}
