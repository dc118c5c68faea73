"""Restart an engine that has stopped by itself."""

import asyncio
import time
from collections.abc import Callable

from local.engines.engine import Engine, Server
from local.engines.errors import EngineError

_CHECK_SECONDS = 0.5


async def supervise(engine: Engine, server: Server, report: Callable[[str], None]) -> None:
    """Restart an engine whenever it has stopped; raises EngineError when that fails."""
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if engine.is_running(server):
            continue
        report(
            f"{time.strftime('%H:%M:%S')} {engine.title} has stopped by itself; starting it again"
        )
        try:
            server = await asyncio.to_thread(engine.restart, server)
        except EngineError as error:
            raise EngineError(
                f"MediaNest stops, because {engine.title} cannot be started again.\n{error}"
            ) from None
        report(f"{time.strftime('%H:%M:%S')} {engine.title} runs again")
