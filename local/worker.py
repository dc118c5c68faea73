"""A Lambda execution environment: one process, one function, one invocation at a time."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from local.intrinsics import REGION, function_arn
from local.template import Function

_API = "/2018-06-01/runtime"
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_TIMEOUT = 30.0
_LAST_OUTPUT_SECONDS = 1.0
_MAX_PAYLOAD = 6 * 1024 * 1024
_MAX_POSTED = 64 * 1024 * 1024  # read what is too large, to say so as Lambda does

type Log = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an invocation: the function's result, or the error in Lambda's own shape."""

    payload: Any
    error: str | None = None


@dataclass(slots=True)
class Invocation:
    """One call of a function, on its way to a worker and back."""

    payload: bytes
    timeout: float
    trace_id: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: asyncio.Future[Answer] = field(default_factory=asyncio.Future)

    def finish(self, answer: Answer) -> None:
        """Set the answer, unless a time-out or a crash came first."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error_type: str, message: str) -> None:
        """Set an error that is Lambda's own, not the function's."""
        self.finish(error_answer(error_type, f"RequestId: {self.id} Error: {message}"))


def error_answer(error_type: str, message: str) -> Answer:
    """Return an error in the shape of Lambda's own."""
    return Answer({"errorType": error_type, "errorMessage": message}, error_type)


class InitError(Exception):
    """A worker ended before it asked for its first invocation."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.error)
        self.answer = answer


class Worker:
    """A process and its side of the Runtime API.

    `on_idle` is called each time the process asks for an invocation, `on_exit` once it has ended.
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
        self._process: asyncio.SubprocessTransport | None = None
        self._exited: asyncio.Task[None] | None = None

    async def start(
        self, address: str, folders: list[Path], environment: Mapping[str, str], pycache: Path
    ) -> None:
        """Start the process and wait until it asks for work; an InitError tells why it did not."""
        try:
            self._process, output = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Output(lambda line: self._log(self.function.id, line)),
                _plain_python(),
                *("-I", "-S", "-X", "utf8", "-X", f"pycache_prefix={pycache}"),
                str(_BOOTSTRAP),
                self.function.handler,
                *map(str, folders),
                cwd=self.function.code,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": address},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._on_exit(self)
            raise InitError(error_answer("Runtime.StartError", str(error))) from error
        self._exited = asyncio.create_task(self._watch(self._process, output))
        if self._is_killed:
            self.kill()
        try:
            await asyncio.wait_for(asyncio.shield(self._started), _INIT_TIMEOUT)
        except TimeoutError:
            self.kill()
            message = f"Init timed out after {_INIT_TIMEOUT:.0f} seconds"
            raise InitError(error_answer("Sandbox.Timedout", message)) from None

    def give(self, invocation: Invocation) -> None:
        """Hand an invocation to the idle process."""
        if self._next is None or self._next.done():
            invocation.fail("Runtime.ExitError", "Runtime exited before the invocation")
        else:
            self._current = invocation
            self._next.set_result(invocation)

    def kill(self) -> None:
        """End the process and all that it started; one that is being started ends at once."""
        self._is_killed = True
        if self._process is not None:
            # macOS refuses the signal when nothing but an unreaped process is left of the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.get_pid(), signal.SIGKILL)

    async def stop(self) -> None:
        """Kill the process and wait until it is gone."""
        self.kill()
        if self._exited is not None:
            await self._exited

    async def serve(self, request: web.BaseRequest) -> web.Response:
        """Answer a request of the process to the Runtime API."""
        what = request.path.removeprefix(_API)
        if request.method == "GET" and what == "/invocation/next":
            return await self._serve_next()
        if request.method == "POST" and what == "/init/error":
            self._fail_start(_read_error(await request.read()))
            return web.Response(status=202)
        if request.method == "POST" and self._current is not None:
            body = await request.read()
            if what == f"/invocation/{self._current.id}/response":
                self._current.finish(_read_result(body))
                return web.Response(status=202)
            if what == f"/invocation/{self._current.id}/error":
                self._current.finish(_read_error(body))
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

    def _fail_start(self, answer: Answer) -> None:
        if not self._started.done():
            self._started.set_exception(InitError(answer))

    async def _watch(self, process: asyncio.SubprocessTransport, output: "_Output") -> None:
        await output.exited
        self.kill()  # what the process may have started
        await asyncio.wait([output.ended], timeout=_LAST_OUTPUT_SECONDS)
        process.close()
        code = process.get_returncode() or 0
        reason = f"exit status {code}" if code >= 0 else f"signal: {signal.strsignal(-code)}"
        message = f"Runtime exited with error: {reason}"
        self._fail_start(error_answer("Runtime.ExitError", message))
        if self._current is not None:
            self._current.fail("Runtime.ExitError", message)
        if self._next is not None:
            self._next.cancel()
        self._on_exit(self)


class _Output(asyncio.SubprocessProtocol):
    """Passes on what a process prints, line by line.

    `exited` is done when the process is gone, `ended` when nothing can print any more: not the
    same where it has started others.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.exited: asyncio.Future[None] = asyncio.Future()
        self.ended: asyncio.Future[None] = asyncio.Future()
        self._log = log
        self._rest = b""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Log the lines that are complete."""
        del fd
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._log_line(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Log what is left."""
        del exc
        if fd == 1:
            if self._rest:
                self._log_line(self._rest)
            self.ended.set_result(None)

    def process_exited(self) -> None:
        """Tell those who wait."""
        self.exited.set_result(None)

    def _log_line(self, line: bytes) -> None:
        # awslambdaric keeps a traceback in one log event by \r and no-break spaces.
        for part in line.decode(errors="replace").replace("\u00a0", " ").split("\r"):
            self._log(part)


class RuntimeApi:
    """Serves the Runtime API to all workers, each at a port of its own."""

    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}
        self._sites: dict[Worker, web.TCPSite] = {}
        loop = asyncio.get_running_loop()
        make_request = partial(web.BaseRequest, loop=loop, client_max_size=_MAX_POSTED)
        self._runner = web.ServerRunner(web.Server(self._serve, request_factory=make_request))

    async def start(self) -> None:
        """Get ready for workers."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Close every port."""
        await self._runner.cleanup()

    async def open(self, worker: Worker) -> str:
        """Open a port for a worker and return the address it has to call."""
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._workers[site.port] = worker
        self._sites[worker] = site
        return f"127.0.0.1:{site.port}"

    async def close(self, worker: Worker) -> None:
        """Close the port of a worker that has ended."""
        site = self._sites.pop(worker)
        del self._workers[site.port]
        await site.stop()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        port = transport.get_extra_info("sockname")[1] if transport else 0
        worker = self._workers.get(port)
        return await worker.serve(request) if worker else web.Response(status=410)


def lambda_environment(function: Function, runtime: Path) -> dict[str, str]:
    """Return the variables that Lambda itself sets."""
    return {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex,
        "AWS_REGION": REGION,
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }


def _plain_python() -> str:
    # The interpreter behind the virtual environment; sys.executable would find the environment.
    return getattr(sys, "_base_executable", sys.executable)


def _read_result(body: bytes) -> Answer:
    if len(body) > _MAX_PAYLOAD:
        message = f"Response payload size exceeded maximum allowed payload size ({_MAX_PAYLOAD})."
        return error_answer("Function.ResponseSizeTooLarge", message)
    try:
        return Answer(json.loads(body))
    except ValueError:
        return error_answer("Runtime.InvalidResponse", "The response is not JSON")


def _read_error(body: bytes) -> Answer:
    try:
        error = json.loads(body)
        return Answer(error, str(error["errorType"]))
    except (KeyError, TypeError, ValueError):
        return error_answer("Runtime.InvalidError", "The error report is not what it should be")
