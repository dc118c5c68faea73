"""Start workers as forks of a process that has their libraries or their function loaded.

Each message is one packet of JSON on a UNIX socket. To the server: the `environment` of a worker
and what else it needs, with descriptors for its standard input and its output. From the server:
`started` with the pid, in the order of the requests, and later `exited` with the pid and its
`code`.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from local.lambda_.output import Output
from local.template.models import Function

# The libraries that take long to import.
PRELOADED = (
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "fastapi",
    "jwt",
    "mangum",
    "psycopg",
    "redis",
)
_PROGRAM = Path(__file__).with_name("fork_server_process.py")
_MAX_MESSAGE = 1 << 20
_START_SECONDS = 30.0
_FULL_SECONDS = 0.01


class ForkedProcess:
    """A process that a fork server has started, with the methods of a subprocess transport."""

    def __init__(self, output: Output, standard_input: int) -> None:
        self.output = output
        self.started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._code: int | None = None
        self._standard_input = standard_input
        self._pipe: asyncio.ReadTransport | None = None

    def get_pid(self) -> int:
        """Return the id of the process, which has started."""
        return self.started.result()

    def get_returncode(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self._code

    async def read(self, descriptor: int) -> None:
        """Pass what the process writes to its output."""
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: _Pipe(self.output), os.fdopen(descriptor, "rb")
        )

    def kill(self) -> None:
        """Kill the process and its children."""
        _kill(self.get_pid())

    async def wait(self) -> int | None:
        """Wait for the end of the process, close its output and return its exit code."""
        await self.output.exited
        self.close()
        return self._code

    def exit(self, code: int) -> None:
        """Note the end of the process."""
        self._code = code
        self.output.process_exited()

    def close(self) -> None:
        """Close its input and output."""
        os.close(self._standard_input)
        if self._pipe is not None:
            self._pipe.close()


class _Pipe(asyncio.Protocol):
    """Passes the data of a pipe to an `Output`."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def data_received(self, data: bytes) -> None:
        self._output.pipe_data_received(1, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._output.pipe_connection_lost(1, exc)


class _Process(Protocol):
    """The process of a fork server."""

    def kill(self) -> None: ...
    async def wait(self) -> int | None: ...


class ForkServer:
    """A process that starts with its first worker; `spawn` starts it with a socket as input."""

    def __init__(self, spawn: Callable[[socket.socket], Awaitable[_Process]]) -> None:
        self._spawn = spawn
        self._channel: socket.socket | None = None
        self._process: _Process | None = None
        self._starting: deque[ForkedProcess] = deque()
        self._running: dict[int, ForkedProcess] = {}
        self._connecting = asyncio.Lock()
        self._has_ended = asyncio.Event()

    async def start(
        self, message: Mapping[str, Any], output: Output, channel: socket.socket | None = None
    ) -> ForkedProcess:
        """Start a process, with an end of a channel as its input; raises OSError if it cannot."""
        async with self._connecting:
            own_channel = self._channel or await self._connect()
        (read_input, write_input), (read_output, write_output) = _two_pipes()
        process = ForkedProcess(output, write_input)
        standard_input = read_input if channel is None else channel.fileno()
        try:
            async with asyncio.timeout(_START_SECONDS):
                content = json.dumps(message).encode()
                await _send(own_channel, content, [standard_input, write_output])
                self._starting.append(process)
                await process.started
        except BaseException:
            os.close(write_input)
            os.close(read_output)
            raise
        finally:
            os.close(read_input)
            os.close(write_output)
        await process.read(read_output)
        return process

    async def retire(self) -> None:
        """End the process after its last worker."""
        while self._starting or self._running:
            self._has_ended.clear()
            await self._has_ended.wait()
        await self.stop()

    async def stop(self) -> None:
        """End the process, and the workers that still run."""
        if self._channel is not None:
            self._disconnect(self._channel)
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # it has nothing to finish, and may hang
            await process.wait()

    async def _connect(self) -> socket.socket:
        await self.stop()  # an earlier process that has ended
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            self._process = await self._spawn(theirs)
        asyncio.get_running_loop().add_reader(ours, self._receive, ours)
        self._channel = ours
        return ours

    def _receive(self, channel: socket.socket) -> None:
        try:
            message: dict[str, Any] = json.loads(channel.recv(_MAX_MESSAGE))
        except BlockingIOError:
            return
        except (OSError, ValueError):  # an empty message: the process has ended
            self._disconnect(channel)
            return
        if "exited" in message:
            self._running.pop(message["exited"]).exit(message["code"])
            self._has_ended.set()
            return
        pid, process = message["started"], self._starting.popleft()
        self._running[pid] = process
        if process.started.cancelled():  # nobody waits for it any more
            _kill(pid)
        else:
            process.started.set_result(pid)

    def _disconnect(self, channel: socket.socket) -> None:
        """Forget the process. Its workers end as well, because their exit would remain unknown."""
        self._channel = None
        asyncio.get_running_loop().remove_reader(channel)
        channel.close()
        for process in self._starting:
            if not process.started.cancelled():
                process.started.set_exception(OSError("The fork server has ended"))
        self._starting.clear()
        for pid, process in self._running.items():
            _kill(pid)
            process.exit(-signal.SIGKILL)
        self._running.clear()
        self._has_ended.set()


class ForkServers:
    """The fork servers of a runtime: one for each layer of libraries, as `python` imports them."""

    def __init__(self, python: Sequence[str]) -> None:
        self._python = python
        self._servers: dict[Path, ForkServer] = {}

    def of(self, function: Function) -> ForkServer | None:
        """Return the server for the first layer of libraries that a function has, None without.

        macOS does not support forks of a process that uses its frameworks.
        """
        layers = [layer.python for layer in function.layers if not layer.is_source]
        if not layers or sys.platform != "linux":
            return None
        return self._servers.setdefault(layers[0], ForkServer(partial(self._spawn, layers[0])))

    async def stop(self) -> None:
        """Stop all of them."""
        await asyncio.gather(*(server.stop() for server in self._servers.values()))

    async def _spawn(self, layer: Path, channel: socket.socket) -> _Process:
        return await asyncio.create_subprocess_exec(
            *(*self._python, str(_PROGRAM), str(layer), *PRELOADED),
            stdin=channel.fileno(),
            env={"LANG": "en_US.UTF-8"},
            start_new_session=True,
        )


def _two_pipes() -> tuple[tuple[int, int], tuple[int, int]]:
    first = os.pipe()
    try:
        return first, os.pipe()
    except OSError:
        for descriptor in first:
            os.close(descriptor)
        raise


async def _send(channel: socket.socket, message: bytes, descriptors: list[int]) -> None:
    """Send a packet; while the server reads none and the socket is full, let others run."""
    while True:
        try:
            socket.send_fds(channel, [message], descriptors)
        except BlockingIOError:
            await asyncio.sleep(_FULL_SECONDS)
        else:
            return


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
