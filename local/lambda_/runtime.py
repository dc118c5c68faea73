"""Run the functions of a template, as AWS Lambda does."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from local.lambda_.environment import function_environment
from local.lambda_.fork_server import ForkServers
from local.lambda_.invocation import Invocation, InvocationResult, new_trace_id
from local.lambda_.logs import Log, print_log
from local.lambda_.pool import WorkerPool
from local.lambda_.runtime_api import RuntimeApi
from local.lambda_.worker import plain_python
from local.template.models import Function

_IDLE_SECONDS = 300.0
_REAP_SECONDS = 15.0


class Runtime:
    """Runs the functions of a template.

    `environment` replaces variables that the template gives a function; it never adds one.
    `aws` adds the addresses of emulated services of AWS. `runtime` is the folder with awslambdaric
    and boto3, `pycache` holds compiled code.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        runtime: Path,
        pycache: Path,
        environment: Mapping[str, str] | None = None,
        aws: Mapping[str, str] | None = None,
        log: Log | None = None,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._api = RuntimeApi()
        self._idle_seconds = idle_seconds
        self._reaper: asyncio.Task[None] | None = None
        python = plain_python(pycache)
        self._fork_servers = ForkServers(python)
        self._pools = {
            function.id: WorkerPool(
                function,
                self._api,
                folders=[function.code, *(layer.python for layer in function.layers), runtime],
                environment=function_environment(function, runtime, environment or {}, aws),
                python=python,
                fork_server=self._fork_servers.of(function),
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
        await self._fork_servers.stop()
        await self._api.stop()

    async def invoke(
        self, function_id: str, event: object, *, trace_id: str | None = None
    ) -> InvocationResult:
        """Call a function and wait for its result.

        Raises KeyError for an unknown function and TooManyRequestsError at its concurrency limit;
        an error of the function is in the result.
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
                pool.end_idle(self._idle_seconds)
