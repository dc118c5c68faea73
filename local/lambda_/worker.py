"""A Lambda execution environment: one process, one function, one invocation at a time."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web

from local.lambda_.fork_server import ForkedProcess
from local.lambda_.invocation import (
    InitError,
    Invocation,
    Outcome,
    error_outcome,
    parse_error,
    parse_response,
)
from local.lambda_.logs import Log
from local.lambda_.output import Output
from local.lambda_.snapshot import RUNTIME_API, Snapshot
from local.template.intrinsics import function_arn
from local.template.models import Function

type Process = asyncio.SubprocessTransport | ForkedProcess

_API = "/2018-06-01/runtime"
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_TIMEOUT = 30.0
_LAST_OUTPUT_SECONDS = 1.0


class Worker:
    """A process and its side of the Runtime API.

    `on_idle` is called each time the process requests an invocation, `on_exit` after its end.
    """

    def __init__(
        self,
        function: Function,
        generation: int,
        log: Log,
        *,
        on_idle: Callable[["Worker"], None],
        on_exit: Callable[["Worker"], None],
    ) -> None:
        self.function = function
        self.generation = generation
        self.is_cold = True
        self.idle_since = time.monotonic()
        self._is_killed = False
        self._log = log
        self._on_idle = on_idle
        self._on_exit = on_exit
        self._started: asyncio.Future[None] = asyncio.Future()
        self._next: asyncio.Future[Invocation] | None = None
        self._current: Invocation | None = None
        self._process: Process | None = None
        self._exited: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return the id of the process, None before its start."""
        return None if self._process is None else self._process.get_pid()

    async def start(
        self,
        address: str,
        folders: list[Path],
        environment: Mapping[str, str],
        python: Sequence[str],
        snapshot: Snapshot | None = None,
    ) -> None:
        """Start the process and wait for its first request; raises InitError if none comes.

        It is restored from a snapshot, or is a new process of the command `python`.
        """
        output = Output(lambda line: self._log(self.function.id, line))
        command = [str(_BOOTSTRAP), self.function.handler, *map(str, folders)]
        try:
            if snapshot is not None:
                process: Process = await snapshot.start(command, environment, address, output)
            else:
                process, _ = await asyncio.get_running_loop().subprocess_exec(
                    lambda: output,
                    *(*python, *command),
                    cwd=self.function.code,
                    env={**environment, RUNTIME_API: address},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self._on_exit(self)
            raise InitError(error_outcome("Runtime.StartError", str(error))) from error
        self._process = process
        self._exited = asyncio.create_task(self._watch(process, output))
        if self._is_killed:
            self.kill()
        try:
            await asyncio.wait_for(asyncio.shield(self._started), _INIT_TIMEOUT)
        except TimeoutError:
            self.kill()
            message = f"Init timed out after {_INIT_TIMEOUT:.0f} seconds"
            raise InitError(error_outcome("Sandbox.Timedout", message)) from None

    def dispatch(self, invocation: Invocation) -> None:
        """Give the idle process an invocation."""
        if self._next is None or self._next.done():
            invocation.fail("Runtime.ExitError", "Runtime exited before the invocation")
        else:
            self._current = invocation
            self._next.set_result(invocation)

    def kill(self) -> None:
        """Kill the process and its children, or as soon as it has started."""
        self._is_killed = True
        if self._process is not None:
            # macOS rejects the signal if only a zombie is left in the process group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.get_pid(), signal.SIGKILL)

    async def stop(self) -> None:
        """Kill the process and wait until it has ended."""
        self.kill()
        if self._exited is not None:
            await self._exited

    async def serve(self, request: web.BaseRequest) -> web.Response:
        """Handle a request of the process to the Runtime API."""
        operation = request.path.removeprefix(_API)
        if request.method == "GET" and operation == "/invocation/next":
            return await self._serve_next()
        if request.method == "POST" and operation == "/init/error":
            self._fail_start(parse_error(await request.read()))
            return web.Response(status=202)
        if request.method == "POST" and self._current is not None:
            body = await request.read()
            if operation == f"/invocation/{self._current.id}/response":
                self._current.finish(parse_response(body))
                return web.Response(status=202)
            if operation == f"/invocation/{self._current.id}/error":
                self._current.finish(parse_error(body))
                return web.Response(status=202)
        return web.json_response({"errorType": "InvalidRequest"}, status=403)

    async def _serve_next(self) -> web.Response:
        self._next = asyncio.get_running_loop().create_future()
        self._current = None
        self.idle_since = time.monotonic()
        if not self._started.done():
            self._started.set_result(None)
        else:
            self._on_idle(self)
        invocation = await self._next
        deadline = int((time.time() + invocation.timeout) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": function_arn(self.function.id),
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        return web.Response(
            body=invocation.payload, headers=headers, content_type="application/json"
        )

    def _fail_start(self, outcome: Outcome) -> None:
        if not self._started.done():
            self._started.set_exception(InitError(outcome))

    async def _watch(self, process: Process, output: Output) -> None:
        await output.exited
        self.kill()  # its children may still run
        await asyncio.wait([output.ended], timeout=_LAST_OUTPUT_SECONDS)
        process.close()
        code = process.get_returncode() or 0
        reason = f"exit status {code}" if code >= 0 else f"signal: {signal.strsignal(-code)}"
        message = f"Runtime exited with error: {reason}"
        self._fail_start(error_outcome("Runtime.ExitError", message))
        if self._current is not None:
            self._current.fail("Runtime.ExitError", message)
        if self._next is not None:
            self._next.cancel()
        self._on_exit(self)


def plain_python(pycache: Path | None) -> list[str]:
    """Return the command of Python as on Lambda: only the given folders are importable.

    Compiled code is kept in `pycache`. With None the process uses the compiled code beside the
    sources and writes none, as on Lambda, whose disk is read-only.
    """
    # sys.executable would make the virtual environment importable.
    python = getattr(sys, "_base_executable", sys.executable)
    compiled = ["-B"] if pycache is None else ["-X", f"pycache_prefix={pycache}"]
    return [python, "-I", "-S", "-X", "utf8", *compiled]
