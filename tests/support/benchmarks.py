"""Run parts of `make bench` on the functions as `make run` starts them, which builds nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.fill import SMALL, filled
from benchmarks.layers import sources
from benchmarks.stage import Service, stage
from local.template.reader import read_template
from tests.support.api import ROOT


def on_stage[T](folder: Path, work: Callable[[Service], Awaitable[T]]) -> T:
    """Return the result of `work` with a service on a small database."""
    template = read_template(
        ROOT / "template.yaml", opt=ROOT / ".venv/opt", parameters={"JwtRotationDays": "31"}
    )

    async def run() -> T:
        async with stage(sources(template), folder) as started:
            return await work(await filled(started, "calls", SMALL))

    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(run(), loop_factory=asyncio.new_event_loop)
