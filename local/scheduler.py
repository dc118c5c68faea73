"""Invoke functions at the rates of their schedules, as EventBridge Scheduler does."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from local.lambda_.invocation import InvocationResult, TooManyRequestsError
from local.lambda_.runtime import Runtime
from local.template.loader import TemplateError
from local.template.models import Schedule
from local.terminal import say

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_MAX_BACKOFF_SECONDS = 60.0


class Scheduler:
    """Fires the enabled schedules, each for the first time one period after the start.

    `seconds_of` returns the period of an expression, `retry_seconds` is the first back-off; tests
    shorten both.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        runtime: Runtime,
        *,
        log: Callable[[str], None] | None = None,
        seconds_of: Callable[[str], float] | None = None,
        retry_seconds: float = 1.0,
    ) -> None:
        self.schedules = schedules
        self._runtime = runtime
        self._log = log or say
        self._retry_seconds = retry_seconds
        find_period = seconds_of or rate_seconds
        self._periods = {
            name: find_period(schedule.expression) for name, schedule in schedules.items()
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._repeat(schedule))
            for schedule in self.schedules.values()
            if schedule.is_enabled
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def fire(self, name: str) -> InvocationResult:
        """Invoke a schedule's function now; retry errors with back-off, as its policy says."""
        schedule = self.schedules[name]
        result = await self._invoke(schedule)
        attempts = 1
        while result.error is not None and attempts <= schedule.retries:
            pause = min(self._retry_seconds * 2 ** (attempts - 1), _MAX_BACKOFF_SECONDS)
            await asyncio.sleep(pause)
            result = await self._invoke(schedule)
            attempts += 1
        payload = json.dumps(result.payload, ensure_ascii=False)
        outcome = f"failed: {result.error}" if result.error else f"returned {payload}"
        again = f" after {attempts} attempts" if attempts > 1 else ""
        now = time.strftime("%H:%M:%S")
        self._log(f"{now} Schedule {name} {outcome}{again} ({result.milliseconds:.0f} ms)")
        return result

    async def _invoke(self, schedule: Schedule) -> InvocationResult:
        try:
            return await self._runtime.invoke(schedule.function, schedule.event)
        except TooManyRequestsError:
            return InvocationResult(None, "TooManyRequestsException", is_cold=False, milliseconds=0)

    async def _repeat(self, schedule: Schedule) -> None:
        loop = asyncio.get_running_loop()
        period = self._periods[schedule.name]
        due = loop.time() + period
        while True:
            await asyncio.sleep(due - loop.time())
            due += period
            await self.fire(schedule.name)


def rate_seconds(expression: str) -> float:
    """Return the period of a rate expression, such as `rate(1 hour)`, in seconds."""
    match = _RATE.fullmatch(expression)
    if match is None or int(match[1]) == 0:
        raise TemplateError(
            f"The local scheduler supports rate(N minutes|hours|days) only, not {expression}"
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]
