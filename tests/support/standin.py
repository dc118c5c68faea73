"""Serve a stand-in for one test, on a separate thread, and call any stand-in over HTTP."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from aiohttp import web

from local import standins
from local.standins.plex.app import create_app
from local.standins.plex.people import Person


@contextmanager
def served(app: web.Application) -> Iterator[str]:
    """Serve a stand-in during the block; return its origin."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        return await standins.serve(app, "127.0.0.1", 0)

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield standins.url_of(runner)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def plex_of(names: list[str]) -> web.Application:
    """Return a stand-in for plex.tv with an owner and these users."""
    people = [Person(1, "owner", "owner@example.com", owns_server=True)] + [
        Person(100 + number, name, f"{name}@example.com") for number, name in enumerate(names)
    ]
    return create_app(people)


class Client:
    """HTTP calls to one origin, without retries or redirects."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.pool = urllib3.PoolManager(retries=False, timeout=30)

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: object = None
    ) -> urllib3.BaseHTTPResponse:
        """Make one call."""
        return self.pool.request(
            method,
            self.origin + path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
            redirect=False,
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """Make a GET call."""
        return self.send("GET", path, headers)

    def set_fault(self, **fault: object) -> None:
        """Set a fault; fail if the stand-in rejects it."""
        assert self.send("PUT", "/standin/fault", body=fault).status == 200


@contextmanager
def client_of(origin: str) -> Iterator[Client]:
    """Return a client of a stand-in; clear its faults before and after the block."""
    client = Client(origin)
    client.send("DELETE", "/standin/fault")
    client.send("DELETE", "/standin/requests")
    yield client
    client.send("DELETE", "/standin/fault")
    client.pool.clear()
