"""Manage the worker processes of one function; a worker handles one call at a time."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.lambda_.code_state import code_state
from local.lambda_.fork_server import ForkServer
from local.lambda_.invocation import (
    InitError,
    Invocation,
    InvocationResult,
    Outcome,
    TooManyRequestsError,
    error_outcome,
)
from local.lambda_.logs import Log
from local.lambda_.runtime_api import RuntimeApi
from local.lambda_.snapshot import Snapshot
from local.lambda_.worker import Worker
from local.template.models import Function

# A function without reserved concurrency shares the account's, which is this by default.
_ACCOUNT_CONCURRENCY = 1000
# Most processes of one function; further calls wait until one is free.
_MAX_WORKERS = 40
_CODE_CHECK_SECONDS = 0.3
# More parallel starts only slow each other down. A call that waits for a start takes the first
# worker that becomes idle.
_MAX_STARTING = max(2, os.cpu_count() or 2)


class WorkerPool:
    """The workers of one function; starts more as calls wait, up to its concurrency."""

    def __init__(
        self,
        function: Function,
        api: RuntimeApi,
        *,
        folders: list[Path],
        environment: Mapping[str, str],
        python: Sequence[str],
        fork_server: ForkServer | None,
        log: Log,
    ) -> None:
        self.function = function
        self._api = api
        self._folders = folders
        self._environment = environment
        self._python = python
        self._fork_server = fork_server
        self._log = log
        self._snapshot = self._new_snapshot()
        self._limit = _ACCOUNT_CONCURRENCY if function.concurrency is None else function.concurrency
        self._code = [function.code, *(each.python for each in function.layers if each.is_source)]
        self._code_state = 0
        self._code_checked = float("-inf")
        self._generation = 0
        self._in_flight = 0
        self._starting = 0
        self._is_stopping = False
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []  # the most recently used is last
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Run an invocation on an idle worker; raises TooManyRequestsError at the limit."""
        if self._in_flight >= self._limit:
            raise TooManyRequestsError(self.function.id)
        self._in_flight += 1
        started = time.perf_counter()
        is_cold = True
        try:
            try:
                worker = await self._acquire()
            except InitError as error:
                outcome = error.outcome
            else:
                is_cold, worker.is_cold = worker.is_cold, False
                outcome = await self._run(worker, invocation)
        finally:
            self._in_flight -= 1
        milliseconds = (time.perf_counter() - started) * 1000
        return InvocationResult(outcome.payload, outcome.error, is_cold, milliseconds)

    def end_idle(self, idle_seconds: float) -> None:
        """End the workers that have been idle for longer than `idle_seconds`."""
        oldest = time.monotonic() - idle_seconds
        for worker in [each for each in self._idle if each.idle_since < oldest]:
            self._idle.remove(worker)
            worker.kill()

    async def stop(self) -> None:
        """End all workers and fail the calls that wait for one."""
        self._is_stopping = True
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(
                    InitError(error_outcome("Stopped", "The runtime has stopped"))
                )
        if self._snapshot is not None:
            await self._snapshot.stop()
        while self._tasks:  # a task that ends may start another
            done, _ = await asyncio.wait(self._tasks)
            self._tasks -= done

    async def _acquire(self) -> Worker:
        self._discard_stale_workers()
        if self._idle:
            return self._idle.pop()
        waiting: asyncio.Future[Worker] = asyncio.Future()
        self._waiting.append(waiting)
        self._start_as_needed()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._release(waiting.result())
            raise

    async def _run(self, worker: Worker, invocation: Invocation) -> Outcome:
        worker.dispatch(invocation)
        try:
            async with asyncio.timeout(invocation.timeout):
                return await invocation.outcome
        except asyncio.CancelledError:
            worker.kill()  # its timeout no longer applies
            raise
        except TimeoutError:
            worker.kill()
            message = f"Task timed out after {invocation.timeout:.2f} seconds"
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._log(self.function.id, f"{now} {invocation.id} {message}")
            return error_outcome("Sandbox.Timedout", f"RequestId: {invocation.id} Error: {message}")

    def _start_as_needed(self) -> None:
        while (
            len(self._waiting) > self._starting < _MAX_STARTING
            and len(self._workers) < min(self._limit, _MAX_WORKERS)
            and not self._is_stopping
        ):
            self._starting += 1
            worker = Worker(
                self.function,
                self._generation,
                self._log,
                on_idle=self._release,
                on_exit=self._remove,
            )
            self._workers.add(worker)
            self._in_background(self._start(worker))

    async def _start(self, worker: Worker) -> None:
        try:
            address = await self._open(worker)
            await worker.start(
                address, self._folders, self._environment, self._python, self._snapshot
            )
        except InitError as error:
            self._starting -= 1
            if waiting := self._next_waiting():
                waiting.set_exception(error)
            self._start_as_needed()
        else:
            self._starting -= 1
            self._release(worker)

    async def _open(self, worker: Worker) -> str:
        try:
            return await self._api.open(worker)
        except OSError as error:  # such as too many open files
            self._workers.discard(worker)
            raise InitError(error_outcome("Runtime.StartError", str(error))) from error

    def _release(self, worker: Worker) -> None:
        if worker.generation != self._generation:
            worker.kill()  # its code is stale
        elif waiting := self._next_waiting():
            waiting.set_result(worker)
        else:
            self._idle.append(worker)
        self._start_as_needed()

    def _next_waiting(self) -> asyncio.Future[Worker] | None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():  # cancelled by its caller
                return waiting
        return None

    def _remove(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._in_background(self._api.close(worker))
        self._start_as_needed()

    def _discard_stale_workers(self) -> None:
        if time.monotonic() < self._code_checked + _CODE_CHECK_SECONDS:
            return
        self._code_checked = time.monotonic()
        state = code_state(self._code)
        if state != self._code_state:
            self._code_state = state
            self._generation += 1
            if self._snapshot is not None:
                self._in_background(self._snapshot.retire())
            self._snapshot = self._new_snapshot()
            while self._idle:
                self._idle.pop().kill()

    def _new_snapshot(self) -> Snapshot | None:
        if self._fork_server is None:
            return None
        return Snapshot(self.function, self._fork_server, self._log)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
