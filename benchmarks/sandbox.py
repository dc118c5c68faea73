"""One execution environment of a function: its process, and the cost of each call."""

import asyncio
import ctypes
import json
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.layers import Build
from local.lambda_.environment import function_environment
from local.lambda_.invocation import InitError, Invocation, new_trace_id
from local.lambda_.runtime_api import RuntimeApi
from local.lambda_.worker import Worker, plain_python
from local.run_config import PROJECT
from local.template.models import Function

PYCACHE = PROJECT / ".local" / "pycache"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1_000_000
_LOG_LINES = 8
_IDLE_SECONDS = 10.0


class BenchmarkError(Exception):
    """A function failed, so nothing can be measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a call or an init: processor time, and time on the clock."""

    cpu: float
    wall: float


class Sandbox:
    """A process under AWS's runtime client; it takes one call at a time.

    The kernel counts its processor time, so nothing is added to the process.
    """

    def __init__(
        self, api: RuntimeApi, build: Build, function: Function, variables: Mapping[str, str]
    ) -> None:
        self.function = function
        self.calls = 0
        self.init = Cost(0, 0)
        self._api = api
        self._build = build
        self._variables = variables
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._idle = asyncio.Event()
        self._clock = 0
        self._worker = Worker(
            function,
            0,
            lambda _, line: self._log.append(line),
            on_idle=lambda _: self._idle.set(),
            on_exit=lambda _: None,
        )

    async def __aenter__(self) -> Self:
        """Start the process and wait until it asks for its first call: Lambda's init."""
        address = await self._api.open(self._worker)
        function, runtime = self.function, self._build.runtime
        folders = [function.code, *(layer.python for layer in function.layers), runtime]
        environment = function_environment(function, runtime, self._variables)
        pycache = None if self._build.is_compiled else PYCACHE
        started = time.perf_counter()
        try:
            await self._worker.start(address, folders, environment, plain_python(pycache))
        except InitError as error:
            await self._api.close(self._worker)
            raise self._failure("does not start", error) from error
        wall = time.perf_counter() - started
        self._clock = _cpu_clock(self.pid)
        self.init = Cost(time.clock_gettime(self._clock), wall)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._worker.stop()
        await self._api.close(self._worker)

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        if self._worker.pid is None:
            raise self._failure("has no process")
        return self._worker.pid

    @property
    def rss_megabytes(self) -> float:
        """Return the resident memory of the process."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * _PAGE_BYTES / _MEGABYTE

    async def call(self, event: object) -> tuple[Any, Cost]:
        """Call the function; return its result and the cost, until it asks for the next call.

        The wall time ends with the response, as Lambda's Duration does.
        """
        invocation = Invocation(
            json.dumps(event).encode(), self.function.timeout, trace_id=new_trace_id()
        )
        self._idle.clear()
        before = time.clock_gettime(self._clock)
        started = time.perf_counter()
        self._worker.dispatch(invocation)
        async with asyncio.timeout(self.function.timeout):
            outcome = await invocation.outcome
        wall = time.perf_counter() - started
        if outcome.error is not None:
            raise self._failure("failed", outcome.payload)
        async with asyncio.timeout(_IDLE_SECONDS):
            await self._idle.wait()
        self.calls += 1
        return outcome.payload, Cost(time.clock_gettime(self._clock) - before, wall)

    async def respond(self, event: object, status: int) -> tuple[Any, Cost]:
        """Call a function of the API; return the response and the cost."""
        payload, cost = await self.call(event)
        self.check(payload, status)
        return payload, cost

    def check(self, payload: Any, status: int = 200) -> None:
        """Raise BenchmarkError if a result is a response of the API with another status."""
        if isinstance(payload, dict) and payload.get("statusCode", status) != status:
            raise self._failure(f"responded with {payload['statusCode']}", payload["body"])

    def _failure(self, what: str, details: object = "") -> BenchmarkError:
        lines = "\n".join(self._log)
        return BenchmarkError(f"{self.function.id} {what}: {details}\n{lines}")


def _cpu_clock(pid: int) -> int:
    """Return the id of the clock of another process's processor time, which has nanoseconds."""
    clock = ctypes.c_int()
    if failure := ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise OSError(failure, os.strerror(failure))
    return clock.value
