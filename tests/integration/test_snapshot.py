"""Functions are safe under SnapStart: copies of one imported process share no state."""

import ast
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from local.gateway.proxy_event import GatewayRequest, proxy_event
from tests.support import snapshot
from tests.support.api import ROOT, TEMPLATE, route_of

COPIES = 3
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:medianest-AbCdEf"
AWS_ENVIRONMENT = {
    **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "TMDB_API_KEY"), ARN),
    "ENCRYPTION_KEY": ARN,
    "APP_DATABASE_URL": ARN,
    "DATABASE_HOST": "db.example",
    "REDIS_HOST": "cache.example",
    "NODE_ENV": "production",
    "PLEX_CLIENT_ID": "tests",
    "POWERTOOLS_SERVICE_NAME": "tests",
}


def request(method: str, path: str, *, body: Any = None, token: str = "") -> dict[str, Any]:
    """Return a proxy event as API Gateway sends it."""
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
    environment: dict[str, str], events: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the state after the import of functions, and the results of the copies of each.

    One process imports all of them: most of what each of them imports is the same.
    """
    modules = {f"functions.{function}.app": each for function, each in events.items()}
    result = subprocess.run(
        [sys.executable, snapshot.__file__],
        input=json.dumps({"events": modules, "copies": COPIES}),
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    state, *copies = map(json.loads, result.stdout.splitlines())
    assert len(copies) == COPIES * len(events), result.stderr
    return state, dict(zip(events, map(list, batched(copies, COPIES, strict=True)), strict=True))


def assert_nothing_shared(copies: list[dict[str, Any]]) -> None:
    open_sockets = [socket for each in copies for socket in each["sockets"]]
    assert len(open_sockets) == len(set(open_sockets))
    ids = [name for each in copies for name in each["ids"]]
    assert len(ids) == len(set(ids))


def test_import_opens_no_connection_and_stores_no_time() -> None:
    state, copies = run(AWS_ENVIRONMENT, dict.fromkeys(FUNCTIONS, ()))
    assert state == {"calls": [], "moments": [], "sockets": [], "threads": 1}
    for each in copies.values():
        assert_nothing_shared(each)


ROUTES = {
    "health": ("GET", "/api/health"),
    "auth": ("GET", "/api/auth/me"),
    "media": ("GET", "/api/media/requests"),
    "admin": ("GET", "/api/admin/users"),
}


def test_copies_open_separate_connections_and_generate_different_handles(
    environment: dict[str, str], plex_url: str, people: dict[str, str]
) -> None:
    events: dict[str, list[Any]] = {
        function: [request(*route, token=people["alice"]) for _ in range(2)]
        for function, route in ROUTES.items()
    }
    events["cleanup"] = [{"task": "sessions"}]
    events["plex"] = [request("POST", "/api/auth/plex/pin", body={}) for _ in range(2)]
    state, copies = run(environment, events)
    assert state["sockets"] == []
    for function in ROUTES:
        for each in copies[function]:
            assert [answer["statusCode"] for answer in each["responses"]] == [200, 200]
            # One connection to the database, one to the cache.
            assert len(each["sockets"]) == 2
    assert [len(each["sockets"]) for each in copies["cleanup"]] == [1] * COPIES
    responses = [
        json.loads(response["body"]) for each in copies["plex"] for response in each["responses"]
    ]
    handles = {response["data"]["pinId"] for response in responses}
    assert len(handles) == 2 * COPIES
    assert_nothing_shared([each for found in copies.values() for each in found])


def imports(path: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_no_module_imports_random_whose_state_copies_share() -> None:
    modules = [
        *(ROOT / "layers/shared/python").rglob("*.py"),
        *(ROOT / "functions").rglob("*.py"),
    ]
    imported = {path: imports(path) for path in modules}
    assert "secrets" in set().union(*imported.values())
    assert [path for path, names in imported.items() if "random" in names] == []


UNSAFE_FUNCTION = """
import socket
import threading
import time
from datetime import UTC, datetime

class Holder:
    __slots__ = ("times",)

    def __init__(self):
        self.times = [datetime.now(UTC)]

holder = Holder()
started = {"at": time.time()}
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()

def handler(event, context):
    return event
"""


def test_forbidden_state_after_an_import_is_detected(tmp_path: Path) -> None:
    folder = tmp_path / "functions" / "careless"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(UNSAFE_FUNCTION)
    state, copies = run({"PYTHONPATH": str(tmp_path)}, {"careless": ()})
    assert "socket.connect" in state["calls"]
    assert len(state["sockets"]) == 2
    assert state["threads"] == 2
    module = "functions.careless.app"
    assert state["moments"] == [f"{module}.holder.times.0", f"{module}.started.at"]
    with pytest.raises(AssertionError):
        assert_nothing_shared(copies["careless"])
