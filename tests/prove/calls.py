"""Make the HTTP calls of the load, and record each one."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import urllib3

from tests.support.openapi import assert_described, path_of

# Longer than the timeout of API Gateway.
CLIENT_SECONDS = 35.0
# Errors that concurrent callers get without a fault.
ROUTINE: Mapping[str, frozenset[str]] = {
    "create": frozenset({"ALREADY_REQUESTED"}),
    "cancel": frozenset({"INVALID_STATE", "NOT_FOUND"}),
    "decide": frozenset({"INVALID_STATE", "NOT_FOUND"}),
    "one_request": frozenset({"NOT_FOUND"}),
}
# The kinds of calls, by the part of the service that they depend on.
PARTS: Mapping[str, frozenset[str]] = {
    "session": frozenset({"me", "sessions"}),
    "read": frozenset({"my_requests", "one_request", "pending", "users", "audit", "stats"}),
    "catalog": frozenset({"search", "details"}),
    "create": frozenset({"create"}),
    "decide": frozenset({"cancel", "decide", "bulk"}),
    "sign-in": frozenset({"pin", "verify"}),
    "session end": frozenset({"refresh", "logout"}),
    "health": frozenset({"health"}),
}
KINDS = frozenset().union(*PARTS.values())


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its times and result; `problem` is a deviation from the API document.

    `failed` excludes the errors that are normal for concurrent calls.
    """

    kind: str
    started: float
    ended: float
    status: int
    code: str
    problem: str = ""
    excused: bool = False

    @property
    def failed(self) -> bool:
        """Return whether the call failed."""
        if self.problem:
            return True
        routine = self.code in ROUTINE.get(self.kind, ()) or self.excused
        return self.status >= 400 and not routine

    @property
    def seconds(self) -> float:
        """Return the duration."""
        return self.ended - self.started


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of a response that a client uses."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Return whether the call succeeded."""
        return 200 <= self.status < 300

    @property
    def outcome_unknown(self) -> bool:
        """Return whether a write may have been committed without an acknowledgement."""
        return self.status == 0 or self.status >= 500

    @property
    def code(self) -> str:
        """Return the error code, empty for a success."""
        return "" if self.ok or not isinstance(self.body, dict) else self.body["error"]["code"]


@dataclass
class Journal:
    """All calls of a run."""

    calls: list[Call] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: Call) -> None:
        """Record a call."""
        with self._lock:
            self.calls.append(call)

    def between(self, start: float, end: float = float("inf")) -> list[Call]:
        """Return the calls that started in an interval."""
        with self._lock:
            return [call for call in self.calls if start <= call.started < end]


class Http:
    """Makes calls to one service and records each one."""

    def __init__(self, url: str, journal: Journal, *, connections: int) -> None:
        self._url = url
        self._journal = journal
        self._pool = urllib3.PoolManager(maxsize=connections, retries=False)

    def call(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        body: Any = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        excused: frozenset[str] = frozenset(),
    ) -> Reply:
        """Make a call, and validate the response against the API document."""
        request_headers = {"User-Agent": "prove", **(headers or {})}
        if body is not None:
            request_headers["Content-Type"] = "application/json"
        if token is not None:
            request_headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body).encode()
        started = time.monotonic()
        try:
            response = self._pool.request(
                method,
                self._url + path,
                body=content,
                headers=request_headers,
                timeout=CLIENT_SECONDS,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            ended = time.monotonic()
            problem = f"no response: {type(error).__name__}"
            self._journal.add(Call(kind, started, ended, 0, "", problem))
            return Reply(0, None)
        ended = time.monotonic()
        response_headers = {name.lower(): value for name, value in response.headers.items()}
        text = response.data.decode(errors="replace")
        reply, problem = read(method, path, response.status, response_headers, text)
        code = reply.code
        call = Call(kind, started, ended, response.status, code, problem, code in excused)
        self._journal.add(call)
        return reply


def read(
    method: str, path: str, status: int, headers: Mapping[str, str], text: str
) -> tuple[Reply, str]:
    """Return a response, and its deviation from functions/health/openapi.json."""
    described = path_of(method, path)
    try:
        if described is None:
            raise AssertionError(f"{method} {path} is not in the API document")  # noqa: TRY301 - as the next
        assert_described(method, described, status, headers, text)
        return Reply(status, json.loads(text) if text else None), ""
    except (AssertionError, KeyError, ValueError) as error:
        reason = str(error) or f"{type(error).__name__} of {method} {path} {status}"
        return Reply(status if status >= 400 else 0, None), reason
