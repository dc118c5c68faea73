"""The local scheduler fires schedules, retries failures and reads rate expressions."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from local.lambda_.runtime import Runtime
from local.run_config import PROJECT
from local.scheduler import Scheduler, rate_seconds
from local.template.loader import TemplateError
from local.template.models import Function, Schedule

# Fails as many times as its event says, and counts its calls in a file.
CODE = """
def handler(event, context):
    with open("tally", "a+") as tally:
        tally.write("x")
        tally.seek(0)
        if len(tally.read()) <= event["failures"]:
            raise RuntimeError("not yet")
    return {"task": event["task"]}
"""


def run[T](work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(work, loop_factory=asyncio.new_event_loop)


def schedule(*, failures: int = 0, is_enabled: bool = True) -> Schedule:
    event = {"task": "clean", "failures": failures}
    return Schedule("Cleaning", "Work", "rate(1 hour)", event, is_enabled, retries=2)


@asynccontextmanager
async def scheduling(
    folder: Path, schedule: Schedule, period: float = 3600.0
) -> AsyncIterator[tuple[Scheduler, list[str]]]:
    (folder / "app.py").write_text(CODE)
    work = Function("Work", folder, "app.handler", 10.0, 128, None, (), {})
    awslambdaric = PROJECT / ".venv" / "var" / "runtime"
    lines: list[str] = []
    async with (
        Runtime({"Work": work}, runtime=awslambdaric, pycache=folder.parent / "pycache") as runtime,
        Scheduler(
            {"Cleaning": schedule},
            runtime,
            log=lines.append,
            seconds_of=lambda _: period,
            retry_seconds=0.01,
        ) as scheduler,
    ):
        yield scheduler, lines


def test_schedule_fires_repeatedly(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with scheduling(tmp_path, schedule(), 0.1) as (_, lines), asyncio.timeout(20):
            while len(lines) < 3:
                await asyncio.sleep(0.01)
            return lines

    lines = run(scenario())
    assert lines[0][8:].startswith(' Schedule Cleaning returned {"task": "clean"} (')


def test_schedule_does_not_fire_before_its_first_period(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scheduling(tmp_path, schedule()) as (scheduler, lines):
            assert lines == []
            result = await scheduler.fire("Cleaning")
            assert result.payload == {"task": "clean"}
            assert len(lines) == 1

    run(scenario())
    assert (tmp_path / "tally").read_text() == "x"


def test_disabled_schedule_fires_only_manually(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with scheduling(tmp_path, schedule(is_enabled=False), 0.0) as (scheduler, lines):
            await asyncio.sleep(0)
            assert (await scheduler.fire("Cleaning")).error is None
            assert len(lines) == 1

    run(scenario())


def test_failure_is_retried_up_to_the_policy(tmp_path: Path) -> None:
    async def scenario(failures: int) -> tuple[str | None, list[str]]:
        async with scheduling(tmp_path, schedule(failures=failures)) as (scheduler, lines):
            return (await scheduler.fire("Cleaning")).error, lines

    error, lines = run(scenario(2))
    assert error is None
    assert "after 3 attempts" in lines[0]
    (tmp_path / "tally").unlink()
    error, lines = run(scenario(9))
    assert error == "RuntimeError"
    assert lines[0][8:].startswith(" Schedule Cleaning failed: RuntimeError after 3 attempts")
    assert (tmp_path / "tally").read_text() == "xxx"


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(1 hour)", 3600),
        ("rate(2 days)", 172800),
    ],
)
def test_rate_expression_is_converted_to_seconds(expression: str, seconds: float) -> None:
    assert rate_seconds(expression) == seconds


@pytest.mark.parametrize(
    "expression", ["cron(0 3 * * ? *)", "rate(0 hours)", "rate(1 week)", "at(x)"]
)
def test_unsupported_expression_is_refused(expression: str) -> None:
    with pytest.raises(TemplateError, match="supports rate"):
        rate_seconds(expression)
