"""Stand-ins of a test's own, with the people it wants, on a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from local import standins
from local.standins import plex


@contextmanager
def served(app: web.Application) -> Iterator[str]:
    """Serve one stand-in; return its origin."""
    own_loop = asyncio.new_event_loop()
    thread = threading.Thread(target=own_loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        return await standins.serve(app, "127.0.0.1", 0)

    runner = asyncio.run_coroutine_threadsafe(start(), own_loop).result(10)
    try:
        yield standins.url_of(runner)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), own_loop).result(10)
        own_loop.call_soon_threadsafe(own_loop.stop)
        thread.join(10)
        own_loop.close()


def plex_of(names: list[str]) -> web.Application:
    """Return a stand-in for plex.tv that knows an owner and these people."""
    people = [plex.Person(1, "owner", "owner@example.com", owns_server=True)] + [
        plex.Person(100 + number, name, f"{name}@example.com") for number, name in enumerate(names)
    ]
    return plex.create_app(people)
