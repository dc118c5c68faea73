"""Import functions once and run them in forked copies, as SnapStart does with snapshots.

Run as `python snapshot.py`, with `{"events": {module: […]}, "copies": N}` on standard input.
It prints the state after the imports and the results of each copy of each module, in their order.
"""

import importlib
import json
import os
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

PROJECT_PACKAGES = ("medianest", "functions")
OUTGOING_CALLS = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen"}
DAY = 86400.0


class Context:
    """The context object that Lambda passes with the event."""

    function_name = "medianest-test"
    function_version = "1"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:medianest-test"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


def sockets() -> list[str]:
    """Return the inode numbers of the open network sockets, which are unique in the kernel.

    The socket pair of an event loop is no network socket; a snapshot may contain it.
    """
    network = {
        line.split()[9]
        for kind in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/self/net/{kind}").read_text().splitlines()[1:]
    }
    descriptors = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of this listing is closed already
            descriptors.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    return sorted(descriptors & network)


def moments() -> list[str]:
    """Return the paths of values in the project's modules that look like the current time."""
    modules = [
        (name, each) for name, each in sys.modules.items() if name.split(".")[0] in PROJECT_PACKAGES
    ]
    return [path for name, module in modules for path in _moments(name, vars(module), set())]


def _moments(path: str, value: Any, seen: set[int]) -> Iterator[str]:
    if isinstance(value, datetime):
        if abs(value.timestamp() - time.time()) < DAY:
            yield path
    elif isinstance(value, int | float):
        if abs(value - time.time()) < DAY or abs(value / 1000 - time.time()) < DAY:
            yield path
    elif not isinstance(value, str | bytes | ModuleType | type) and id(value) not in seen:
        seen.add(id(value))
        for name, child in _parts(value):
            yield from _moments(f"{path}.{name}", child, seen)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(str(key), child) for key, child in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [(str(number), child) for number, child in enumerate(value)]
    slots = [name for name in getattr(type(value), "__slots__", ()) if hasattr(value, name)]
    return [
        *getattr(value, "__dict__", {}).items(),
        *((name, getattr(value, name)) for name in slots),
    ]


def run(handler: Callable[[Any, Any], Any], events: list[Any]) -> dict[str, Any]:
    """Return a copy's responses to the events, its generated ids and its open sockets."""
    responses = [handler(event, Context()) for event in events]
    ids = [str(uuid.uuid4()), secrets.token_hex(), secrets.token_urlsafe()]
    return {"responses": responses, "ids": ids, "sockets": sockets()}


def main() -> None:
    """Import the functions, fork the copies and print their results as JSON."""
    arguments = json.load(sys.stdin)
    calls: list[str] = []
    sys.addaudithook(lambda event, _: calls.append(event) if event in OUTGOING_CALLS else None)
    handlers = {name: importlib.import_module(name).handler for name in arguments["events"]}
    state = {
        "calls": calls,
        "moments": moments(),
        "sockets": sockets(),
        "threads": threading.active_count(),
    }
    sys.stdout.write(json.dumps(state) + "\n")
    sys.stdout.flush()
    # All copies stay alive until the end, so that none reuses a socket number of another.
    wait_end, release_end = os.pipe()
    pipes = []
    copied = [name for name in handlers for _ in range(arguments["copies"])]
    for name in copied:
        read_end, write_end = os.pipe()
        if os.fork() == 0:
            os.close(release_end)
            status = 1
            try:
                # The function's log goes to standard error, apart from the results.
                os.dup2(2, 1)
                with os.fdopen(write_end, "w") as pipe:
                    pipe.write(json.dumps(run(handlers[name], arguments["events"][name])))
                os.read(wait_end, 1)
                status = 0
            finally:
                os._exit(status)
        os.close(write_end)
        pipes.append(os.fdopen(read_end))
    for pipe in pipes:
        sys.stdout.write(pipe.read() + "\n")
    os.close(release_end)


if __name__ == "__main__":
    main()
