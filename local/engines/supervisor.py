"""Restart an engine that stops unexpectedly."""

import asyncio
import time
from collections.abc import Callable

from local.engines.engine import Engine, Server
from local.engines.errors import EngineError

_CHECK_SECONDS = 0.5


async def supervise(engine: Engine, server: Server, report: Callable[[str], None]) -> None:
    """Restart an engine whenever it stops; raises EngineError if that fails."""
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if engine.is_running(server):
            continue
        report(f"{time.strftime('%H:%M:%S')} {engine.title} stopped unexpectedly; restarting it")
        try:
            server = await asyncio.to_thread(engine.restart, server)
        except EngineError as error:
            raise EngineError(
                f"MediaNest stops because {engine.title} cannot be restarted.\n{error}"
            ) from None
        report(f"{time.strftime('%H:%M:%S')} {engine.title} has restarted")
