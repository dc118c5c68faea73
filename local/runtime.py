"""AWS Lambda: a pool of worker processes for each function."""

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.intrinsics import TemplateError, unset
from local.template import Function
from local.worker import (
    Answer,
    InitError,
    Invocation,
    Log,
    RuntimeApi,
    Worker,
    error_answer,
    lambda_environment,
)

# A function without a bound shares those of the account, by default this many.
_ACCOUNT_CONCURRENCY = 1000
# Processes of a function that serve calls; further calls wait here until one is free.
_MOST_WORKERS = 40
_IDLE_SECONDS = 300.0
_REAP_SECONDS = 15.0
_CODE_CHECK_SECONDS = 0.3
_CODE_SUFFIXES = (".py", ".sql", ".json")
# More processes that start at once than this only slow each other down; a busy worker that gets
# free takes over a call that waits for a start.
_STARTS_AT_ONCE = max(2, os.cpu_count() or 2)


class TooManyRequestsError(Exception):
    """Every environment that the function may have is busy."""


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What a function answered; `error` names the kind of error, of which `payload` tells more."""

    payload: Any
    error: str | None
    is_cold: bool
    milliseconds: float


class Runtime:
    """Runs the functions of a template.

    `environment` replaces variables that the template gives a function; it never adds one.
    `runtime` is the folder that awslambdaric is installed in, `pycache` holds compiled code.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        runtime: Path,
        pycache: Path,
        environment: Mapping[str, str] | None = None,
        log: Log | None = None,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._api = RuntimeApi()
        self._idle_seconds = idle_seconds
        self._reaper: asyncio.Task[None] | None = None
        self._pools = {
            function.id: _Pool(
                function,
                self._api,
                folders=[function.code, *(layer.python for layer in function.layers), runtime],
                environment=_environment(function, runtime, environment or {}),
                pycache=pycache,
                log=log or print_log,
            )
            for function in functions.values()
        }

    async def __aenter__(self) -> Self:
        await self._api.start()
        self._reaper = asyncio.create_task(self._reap())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        await self._api.stop()

    async def invoke(
        self, function_id: str, event: object, *, trace_id: str | None = None
    ) -> InvocationResult:
        """Call a function and wait for its answer.

        Raises KeyError for an unknown function and TooManyRequestsError when its concurrency is
        used up; what goes wrong inside the function is in the result.
        """
        pool = self._pools[function_id]
        invocation = Invocation(
            payload=json.dumps(event).encode(),
            timeout=pool.function.timeout,
            trace_id=trace_id or new_trace_id(),
        )
        return await pool.invoke(invocation)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(min(_REAP_SECONDS, self._idle_seconds))
            for pool in self._pools.values():
                pool.reap(self._idle_seconds)


class _Pool:
    """The workers of one function."""

    def __init__(
        self,
        function: Function,
        api: RuntimeApi,
        *,
        folders: list[Path],
        environment: Mapping[str, str],
        pycache: Path,
        log: Log,
    ) -> None:
        self.function = function
        self._api = api
        self._folders = folders
        self._environment = environment
        self._pycache = pycache
        self._log = log
        self._limit = _ACCOUNT_CONCURRENCY if function.concurrency is None else function.concurrency
        self._code = [function.code, *(each.python for each in function.layers if each.is_source)]
        self._code_state = 0
        self._code_checked = float("-inf")
        self._generation = 0
        self._in_flight = 0
        self._starting = 0
        self._is_stopping = False
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []  # the most recently used one last
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        if self._in_flight >= self._limit:
            raise TooManyRequestsError(self.function.id)
        self._in_flight += 1
        started = time.perf_counter()
        is_cold = True
        try:
            try:
                worker = await self._take()
            except InitError as error:
                answer = error.answer
            else:
                is_cold, worker.is_cold = worker.is_cold, False
                answer = await self._run(worker, invocation)
        finally:
            self._in_flight -= 1
        milliseconds = (time.perf_counter() - started) * 1000
        return InvocationResult(answer.payload, answer.error, is_cold, milliseconds)

    def reap(self, idle_seconds: float) -> None:
        """End the workers that nobody has needed for a while."""
        oldest = time.monotonic() - idle_seconds
        for worker in [each for each in self._idle if each.idle_since < oldest]:
            self._idle.remove(worker)
            worker.kill()

    async def stop(self) -> None:
        self._is_stopping = True
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(InitError(error_answer("Stopped", "The runtime has stopped")))
        while self._tasks:  # one that ends may begin another
            done, _ = await asyncio.wait(self._tasks)
            self._tasks -= done

    async def _take(self) -> Worker:
        self._notice_edits()
        if self._idle:
            return self._idle.pop()
        waiting: asyncio.Future[Worker] = asyncio.Future()
        self._waiting.append(waiting)
        self._start_as_needed()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._offer(waiting.result())
            raise

    async def _run(self, worker: Worker, invocation: Invocation) -> Answer:
        worker.give(invocation)
        try:
            async with asyncio.timeout(invocation.timeout):
                return await invocation.answer
        except asyncio.CancelledError:
            worker.kill()  # nobody would end it when its time is up
            raise
        except TimeoutError:
            worker.kill()
            message = f"Task timed out after {invocation.timeout:.2f} seconds"
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._log(self.function.id, f"{now} {invocation.id} {message}")
            return error_answer("Sandbox.Timedout", f"RequestId: {invocation.id} Error: {message}")

    def _start_as_needed(self) -> None:
        while (
            len(self._waiting) > self._starting < _STARTS_AT_ONCE
            and len(self._workers) < min(self._limit, _MOST_WORKERS)
            and not self._is_stopping
        ):
            self._starting += 1
            worker = Worker(
                self.function,
                self._generation,
                self._log,
                on_idle=self._offer,
                on_exit=self._forget,
            )
            self._workers.add(worker)
            self._in_background(self._start(worker))

    async def _start(self, worker: Worker) -> None:
        try:
            address = await self._api.open(worker)
            await worker.start(address, self._folders, self._environment, self._pycache)
        except (InitError, OSError) as error:
            self._starting -= 1
            if waiting := self._next_waiting():
                waiting.set_exception(error)
            self._start_as_needed()
        else:
            self._starting -= 1
            self._offer(worker)

    def _offer(self, worker: Worker) -> None:
        if worker.generation != self._generation:
            worker.kill()  # runs code from before an edit
        elif waiting := self._next_waiting():
            waiting.set_result(worker)
        else:
            self._idle.append(worker)
        self._start_as_needed()

    def _next_waiting(self) -> asyncio.Future[Worker] | None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():  # its caller may have given up
                return waiting
        return None

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._in_background(self._api.close(worker))
        self._start_as_needed()

    def _notice_edits(self) -> None:
        if time.monotonic() < self._code_checked + _CODE_CHECK_SECONDS:
            return
        self._code_checked = time.monotonic()
        state = _code_state(self._code)
        if state != self._code_state:
            self._code_state = state
            self._generation += 1
            while self._idle:
                self._idle.pop().kill()

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def new_trace_id() -> str:
    """Make up an X-Ray trace header, as API Gateway does."""
    unique = uuid.uuid4().hex
    return f"Root=1-{int(time.time()):08x}-{unique[:24]}"


def print_log(function_id: str, line: str) -> None:
    """Print a line of a function's log."""
    print(f"[{function_id}] {line}", flush=True)


def _environment(function: Function, runtime: Path, replaced: Mapping[str, str]) -> dict[str, str]:
    own = {name: replaced.get(name, value) for name, value in function.environment.items()}
    for name, value in own.items():
        if origin := unset(value):
            raise TemplateError(f"{name} of {function.id} comes from {origin}")
    return {**lambda_environment(function, runtime), **own}


def _code_state(folders: Iterable[Path]) -> int:
    files: list[tuple[str, int, int]] = []
    for folder in folders:
        for parent, folders_within, names in os.walk(folder):
            folders_within[:] = [name for name in folders_within if name != "__pycache__"]
            for name in names:
                if not name.endswith(_CODE_SUFFIXES):
                    continue
                # An editor may be replacing the file at this very moment.
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(f"{parent}/{name}")  # noqa: PTH116 - many files, often
                    files.append((f"{parent}/{name}", status.st_mtime_ns, status.st_size))
    return hash(tuple(sorted(files)))
