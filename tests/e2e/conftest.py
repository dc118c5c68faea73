"""One local service for the tests of each worker that do not break it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from aiohttp import web

from local import standins
from local.standins import plex
from tests.support.local import LocalService, local_service

CROWD = [f"person{number}" for number in range(20)]


@pytest.fixture(scope="session")
def cluster_url(redis_url: str) -> str:
    """Return the address of a key space of a cluster, for services of this worker."""
    place, _, number = redis_url.rpartition("/")
    return f"{place}/{int(number) + 32}"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, cluster_url: str) -> Iterator[LocalService]:
    """Run the service as `make run` does, with its own stand-ins; its cache is a cluster."""
    environment = {"REDIS_URL": cluster_url}
    with local_service(tmp_path_factory.mktemp("service"), environment=environment) as running:
        yield running


@pytest.fixture(scope="session")
def crowd_plex() -> Iterator[str]:
    """Run a stand-in for plex.tv with twenty people and an owner."""
    people = [plex.Person(1, "owner", "owner@example.com", owns_server=True)] + [
        plex.Person(100 + number, name, f"{name}@example.com") for number, name in enumerate(CROWD)
    ]
    own_loop = asyncio.new_event_loop()
    thread = threading.Thread(target=own_loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        return await standins.serve(plex.create_app(people), "127.0.0.1", 0)

    runner = asyncio.run_coroutine_threadsafe(start(), own_loop).result(10)
    yield standins.url_of(runner)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), own_loop).result(10)
    own_loop.call_soon_threadsafe(own_loop.stop)
    thread.join(10)
    own_loop.close()
