"""One HTTP call of the load, and what is kept of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import urllib3

from tests.support.openapi import assert_described, path_of

# Longer than API Gateway lets anybody wait.
CLIENT_SECONDS = 35.0
# Refusals that concurrent callers meet without any fault.
ROUTINE: Mapping[str, frozenset[str]] = {
    "create": frozenset({"ALREADY_REQUESTED"}),
    "cancel": frozenset({"INVALID_STATE", "NOT_FOUND"}),
    "decide": frozenset({"INVALID_STATE", "NOT_FOUND"}),
    "one": frozenset({"NOT_FOUND"}),
}
# The kinds of calls, by what they need to work.
PARTS: Mapping[str, frozenset[str]] = {
    "session": frozenset({"me", "sessions"}),
    "read": frozenset({"own", "one", "pending", "users", "audit", "stats"}),
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
    """When a call was made and how it ended; `problem` is what no caller was ever told to expect.

    `failed` is an error that is not the everyday outcome of calling at the same time as others.
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
        """Tell whether somebody did not get what they should."""
        if self.problem:
            return True
        routine = self.code in ROUTINE.get(self.kind, ()) or self.excused
        return self.status >= 400 and not routine

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.ended - self.started


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call, as far as a client uses it."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Tell whether it worked."""
        return 200 <= self.status < 300

    @property
    def unanswered(self) -> bool:
        """Tell whether a write may have happened all the same."""
        return self.status == 0 or self.status >= 500

    @property
    def code(self) -> str:
        """Return the code of an error."""
        return "" if self.ok or not isinstance(self.body, dict) else self.body["error"]["code"]


@dataclass
class Journal:
    """All calls of a run."""

    calls: list[Call] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: Call) -> None:
        """Write one down."""
        with self._lock:
            self.calls.append(call)

    def between(self, start: float, end: float = float("inf")) -> list[Call]:
        """Return the calls that began within a time."""
        with self._lock:
            return [call for call in self.calls if start <= call.started < end]


class Http:
    """Makes calls to one service and writes each down."""

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
        """Make a call; the answer has to be one that the API document describes."""
        sent = {"User-Agent": "prove", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body).encode()
        started = time.monotonic()
        try:
            response = self._pool.request(
                method,
                self._url + path,
                body=content,
                headers=sent,
                timeout=CLIENT_SECONDS,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            ended = time.monotonic()
            problem = f"no answer: {type(error).__name__}"
            self._journal.add(Call(kind, started, ended, 0, "", problem))
            return Reply(0, None)
        ended = time.monotonic()
        lowered = {name.lower(): value for name, value in response.headers.items()}
        text = response.data.decode(errors="replace")
        reply, problem = read(method, path, response.status, lowered, text)
        code = reply.code
        call = Call(kind, started, ended, response.status, code, problem, code in excused)
        self._journal.add(call)
        return reply


def read(
    method: str, path: str, status: int, headers: Mapping[str, str], text: str
) -> tuple[Reply, str]:
    """Return an answer, and what is wrong with it by functions/health/openapi.json."""
    described = path_of(method, path)
    try:
        if described is None:
            raise AssertionError(f"{method} {path} is in no document")  # noqa: TRY301 - as the next
        assert_described(method, described, status, headers, text)
        return Reply(status, json.loads(text) if text else None), ""
    except (AssertionError, KeyError, ValueError) as error:
        reason = str(error) or f"{type(error).__name__} of {method} {path} {status}"
        return Reply(status if status >= 400 else 0, None), reason
