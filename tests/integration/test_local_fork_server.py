"""The fork server of the local runtime: its libraries, the state of a fork, and its end."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from local.lambda_ import fork_server
from local.lambda_.fork_server import PRELOADED, ForkedProcess, ForkServer, ForkServers
from local.lambda_.output import Output
from local.lambda_.worker import plain_python
from local.run_config import PROJECT
from local.template.models import Function, Layer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks on Linux only")
LAYER = PROJECT / ".venv/opt/DependenciesLayer/python"
SECONDS = 20.0
STATE = """
import json, os, signal, sys
print(json.dumps({
    "arguments": sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ),
    "files": sorted(os.listdir("/proc/self/fd")), "input": os.read(0, 1).decode(),
    "handler": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL, "group": os.getpgid(0),
    "pid": os.getpid(), "path": sys.path, "loaded": [n for n in sys.argv[1:] if n in sys.modules],
}))
print("an error", file=sys.stderr)
sys.exit(7)
"""


class Worker:
    """The output of a forked program, and its process."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self.output = Output(([] if lines is None else lines).append)
        self.process: ForkedProcess | None = None

    async def run(self, server: ForkServer, folder: Path, program: str, *arguments: str) -> int:
        """Fork, run a program and return its exit code."""
        await self.start(server, folder, program, *arguments)
        return await self.end()

    async def start(self, server: ForkServer, folder: Path, program: str, *arguments: str) -> int:
        (folder / "program.py").write_text(program)
        command = [str(folder / "program.py"), *arguments]
        message = {"command": command, "folder": str(folder), "environment": {"ONE": "1"}}
        self.process = await server.start(message, self.output)
        return self.process.get_pid()

    async def end(self) -> int:
        assert self.process is not None
        await self.output.exited
        # The news of the exit can overtake the last output, which `close` would drop.
        await self.output.ended
        self.process.close()
        code = self.process.get_returncode()
        assert code is not None
        return code


def run[T](work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(SECONDS):
            return await work

    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(bounded(), loop_factory=asyncio.new_event_loop)


def server_of(folder: Path, layer: Path = LAYER) -> ForkServer:
    servers = ForkServers(plain_python(folder.parent / "pycache"))
    server = servers.of(function_with(Layer("Libraries", layer, is_source=False)))
    assert server is not None
    return server


def function_with(*layers: Layer) -> Function:
    return Function("Work", Path(), "app.handler", 60, 128, None, layers, {})


def pid_of(server: ForkServer) -> int:
    assert isinstance(server._process, asyncio.subprocess.Process)
    return server._process.pid


def test_a_fork_has_the_libraries_and_else_the_state_of_a_new_process(tmp_path: Path) -> None:
    lines: list[str] = []

    async def scenario() -> int:
        server, worker = server_of(tmp_path), Worker(lines)
        pid = await worker.start(server, tmp_path, STATE, *PRELOADED, "json", "local")
        assert worker.process is not None
        os.write(worker.process._standard_input, b"x")
        assert await worker.end() == 7
        await server.stop()
        return pid

    pid = run(scenario())
    # Standard output is buffered and standard error is not, as in a new process.
    assert lines[0] == "an error"
    state = json.loads(lines[1])
    assert state["loaded"] == [*PRELOADED, "json"]
    assert state["arguments"] == [*PRELOADED, "json", "local"]
    assert state["folder"] == str(tmp_path)
    assert state["variables"] == {"ONE": "1"}
    # Standard input, output and error, and the folder that lists them.
    assert state["files"] == ["0", "1", "2", "3"]
    assert state["input"] == "x"
    assert state["handler"] is True
    assert state["group"] == state["pid"] == pid
    assert str(LAYER) not in state["path"]


@pytest.mark.parametrize(
    ("program", "code", "line"),
    [
        ("", 0, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('no reason')", 1, "no reason"),
        ("import sys; sys.stdout.close(); sys.exit(3)", 3, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("def broken(", 1, "SyntaxError: '(' was never closed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import os; os._exit(5)", 5, ""),
    ],
)
def test_the_end_of_a_fork_is_reported(tmp_path: Path, program: str, code: int, line: str) -> None:
    lines: list[str] = []

    async def scenario() -> int:
        server = server_of(tmp_path, tmp_path)
        found = await Worker(lines).run(server, tmp_path, program)
        await server.stop()
        return found

    assert run(scenario()) == code
    assert (lines or [""])[-1] == line


def test_workers_end_with_their_server_and_the_next_one_has_a_new_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = server_of(tmp_path, tmp_path)
        sleeping = Worker()
        await sleeping.start(server, tmp_path, "import time; time.sleep(600)")
        first = pid_of(server)
        os.kill(first, signal.SIGKILL)
        assert await sleeping.end() == -signal.SIGKILL
        assert await Worker().run(server, tmp_path, "print(1)") == 0
        assert pid_of(server) != first
        await server.stop()

    run(scenario())


def test_a_broken_library_breaks_no_function_that_does_not_need_it(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('no libpq')")
    lines: list[str] = []

    async def scenario() -> list[int]:
        server = server_of(tmp_path, tmp_path)
        codes = [await Worker(lines).run(server, tmp_path, "print('works')")]
        program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import psycopg"
        codes.append(await Worker(lines).run(server, tmp_path, program))
        await server.stop()
        return codes

    assert run(scenario()) == [0, 1]
    assert (lines[0], lines[-1]) == ("works", "ImportError: no libpq")


def test_a_server_that_hangs_does_not_hang_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        server = server_of(tmp_path, tmp_path)
        await Worker().run(server, tmp_path, "")
        os.kill(pid_of(server), signal.SIGSTOP)
        monkeypatch.setattr(fork_server, "_START_SECONDS", 0.2)
        # The socket has room for some of the messages only.
        starts = (Worker().start(server, tmp_path, "", "x" * 8000) for _ in range(60))
        failures = await asyncio.gather(*starts, return_exceptions=True)
        assert {type(each) for each in failures} == {TimeoutError}
        await server.stop()

    run(scenario())


def test_a_start_fails_when_the_server_ends_meanwhile(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = server_of(tmp_path, tmp_path)
        await Worker().run(server, tmp_path, "")
        os.kill(pid_of(server), signal.SIGSTOP)
        starting = asyncio.create_task(Worker().start(server, tmp_path, ""))
        await asyncio.sleep(0.05)
        os.kill(pid_of(server), signal.SIGKILL)
        with pytest.raises(OSError, match="has ended"):
            await starting
        await server.stop()

    run(scenario())


def test_a_start_that_was_cancelled_leaves_no_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = server_of(tmp_path, tmp_path)
        await Worker().run(server, tmp_path, "")
        os.kill(pid_of(server), signal.SIGSTOP)
        program = f"open('{tmp_path}/started', 'w').write('')\nimport time; time.sleep(600)"
        starting = asyncio.create_task(Worker().start(server, tmp_path, program))
        await asyncio.sleep(0.05)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        os.kill(pid_of(server), signal.SIGCONT)
        assert await Worker().run(server, tmp_path, "") == 0
        while server._running:
            await asyncio.sleep(0.01)
        await server.stop()

    run(scenario())


def test_functions_share_the_server_of_their_first_layer_of_libraries(tmp_path: Path) -> None:
    layers = [
        Layer("Ours", tmp_path / "ours", is_source=True),
        Layer("Libraries", tmp_path / "libraries", is_source=False),
        Layer("More", tmp_path / "more", is_source=False),
    ]

    def function(*numbers: int) -> Function:
        return function_with(*(layers[number] for number in numbers))

    servers = ForkServers([])
    assert servers.of(function(0)) is servers.of(function()) is None
    assert servers.of(function(1)) is servers.of(function(0, 1, 2)) is not None
    assert servers.of(function(2)) is not servers.of(function(1))
