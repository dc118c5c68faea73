"""Functions are safe under SnapStart: what is imported once runs many times and shares nothing."""

import ast
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from local.gateway.proxy_event import GatewayRequest, proxy_event
from tests.support import snapshot
from tests.support.api import ROOT, TEMPLATE, route_of

COPIES = 3
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:medianest-AbCdEf"
ON_AWS = {
    **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "TMDB_API_KEY"), ARN),
    "APP_DATABASE_URL": ARN,
    "DATABASE_HOST": "db.example",
    "REDIS_HOST": "cache.example",
    "NODE_ENV": "production",
    "PLEX_CLIENT_ID": "tests",
    "POWERTOOLS_SERVICE_NAME": "tests",
}


def request(method: str, path: str, *, body: Any = None, token: str = "") -> dict[str, Any]:
    """Return an event as API Gateway sends it."""
    _, resource, parameters = route_of(method, path)
    headers = {"User-Agent": ["tests"], "Content-Type": ["application/json"]}
    if token:
        headers["Authorization"] = [f"Bearer {token}"]
    call = GatewayRequest(
        id=str(uuid.uuid4()),
        started=time.time(),
        method=method,
        path=path,
        query="",
        headers=headers,
        source_ip="203.0.113.7",
        stage=TEMPLATE.stage,
    )
    raw = b"" if body is None else json.dumps(body).encode()
    return proxy_event(call, resource=resource, parameters=parameters, body=raw)


def run(
    function: str, environment: dict[str, str], events: list[Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what importing a function leaves behind, and what copies make of events."""
    given = {"module": f"functions.{function}.app", "events": events, "copies": COPIES}
    done = subprocess.run(
        [sys.executable, snapshot.__file__],
        input=json.dumps(given),
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left, *copies = map(json.loads, done.stdout.splitlines())
    assert len(copies) == COPIES, done.stderr
    return left, copies


def assert_nothing_shared(copies: list[dict[str, Any]]) -> None:
    open_sockets = [socket for each in copies for socket in each["sockets"]]
    assert len(open_sockets) == len(set(open_sockets))
    ids = [name for each in copies for name in each["ids"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_import_connects_to_nothing_and_keeps_no_time(function: str) -> None:
    left, copies = run(function, ON_AWS, [])
    assert left == {"calls": [], "moments": [], "sockets": [], "threads": 1}
    assert_nothing_shared(copies)


@pytest.mark.parametrize(
    ("function", "route"),
    [
        ("health", ("GET", "/api/health")),
        ("auth", ("GET", "/api/auth/me")),
        ("media", ("GET", "/api/media/requests")),
        ("admin", ("GET", "/api/admin/users")),
    ],
)
def test_copies_connect_each_for_itself(
    environment: dict[str, str], people: dict[str, str], function: str, route: tuple[str, str]
) -> None:
    events = [request(*route, token=people["alice"]) for _ in range(2)]
    left, copies = run(function, environment, events)
    assert left["sockets"] == []
    for each in copies:
        assert [answer["statusCode"] for answer in each["answers"]] == [200, 200]
        # The database and the cache.
        assert len(each["sockets"]) == 2
    assert_nothing_shared(copies)


def test_copies_of_the_cleaning_connect_each_for_itself(environment: dict[str, str]) -> None:
    _, copies = run("cleanup", environment, [{"task": "sessions"}])
    assert [len(each["sockets"]) for each in copies] == [1] * COPIES
    assert_nothing_shared(copies)


def test_copies_make_up_different_handles(
    environment: dict[str, str], plex_url: str, people: object
) -> None:
    events = [request("POST", "/api/auth/plex/pin", body={}) for _ in range(2)]
    _, copies = run("plex", environment, events)
    answers = [json.loads(answer["body"]) for each in copies for answer in each["answers"]]
    handles = {answer["data"]["pinId"] for answer in answers}
    assert len(handles) == 2 * COPIES
    assert_nothing_shared(copies)


def imports(path: Path) -> set[str]:
    """Return what a module imports, by the first part of its name."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_nothing_of_ours_draws_from_a_generator_that_copies_repeat() -> None:
    modules = [
        *(ROOT / "layers/shared/python").rglob("*.py"),
        *(ROOT / "functions").rglob("*.py"),
    ]
    found = {path: imports(path) for path in modules}
    assert "secrets" in set().union(*found.values())
    assert [path for path, names in found.items() if "random" in names] == []


CARELESS = """
import socket
import threading
import time
from datetime import UTC, datetime

class Kept:
    __slots__ = ("times",)

    def __init__(self):
        self.times = [datetime.now(UTC)]

kept = Kept()
started = {"at": time.time()}
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()

def handler(event, context):
    return event
"""


def test_what_an_import_must_not_leave_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "functions" / "careless"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(CARELESS)
    left, copies = run("careless", {"PYTHONPATH": str(tmp_path)}, [])
    assert "socket.connect" in left["calls"]
    assert len(left["sockets"]) == 2
    assert left["threads"] == 2
    module = "functions.careless.app"
    assert left["moments"] == [f"{module}.kept.times.0", f"{module}.started.at"]
    with pytest.raises(AssertionError):
        assert_nothing_shared(copies)
