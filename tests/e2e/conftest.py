"""Fixtures: one local service per worker, shared by the tests that do not break it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.support import engines as engines_of_run
from tests.support.local import LocalService, database_of, eventually, local_service
from tests.support.pgbouncer import Pool
from tests.support.standin import plex_of, served

type Db = psycopg.Connection[tuple[Any, ...]]
type OwnEngines = Callable[[str], AbstractContextManager[dict[str, str]]]

CROWD = [f"person{number}" for number in range(20)]


@pytest.fixture(scope="session")
def cluster_url(engines: tuple[str, str], worker_number: int) -> str:
    """Return the address of a key space for this worker's services, by default in a cluster."""
    return engines_of_run.key_space(engines[1], 2 * worker_number + 1)


@pytest.fixture(scope="session")
def own_engines(
    engines: tuple[str, str], worker_id: str, cluster_url: str, pool: Pool | None
) -> OwnEngines:
    """Return a context manager that yields the variables of engines for one service.

    Its key space is empty. Unless the run names a database, the service starts its own PostgreSQL.
    """

    @contextmanager
    def lend(name: str) -> Iterator[dict[str, str]]:
        environment = {"REDIS_URL": cluster_url}
        with redis.Redis.from_url(cluster_url) as cache:
            cache.flushdb()
        with ExitStack() as stack:
            if engines_of_run.variable("DATABASE_URL") or pool:
                own = engines_of_run.database(engines[0], f"test_{name}_{worker_id}")
                url = stack.enter_context(own)
                environment["DATABASE_URL"] = pool.url(url) if pool else url
            yield environment

    return lend


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, own_engines: OwnEngines
) -> Iterator[LocalService]:
    """Run the service as `make run` does, with its own stand-ins and a cluster as its cache."""
    data = tmp_path_factory.mktemp("service")
    with (
        own_engines("service") as own,
        local_service(data, environment=own) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def crowd_plex() -> Iterator[str]:
    """Run a stand-in for plex.tv with twenty users and an owner."""
    with served(plex_of(CROWD)) as url:
        yield url


@contextmanager
def crowd_service(
    name: str, data: Path, plex_url: str, own_engines: OwnEngines
) -> Iterator[tuple[LocalService, Db]]:
    """Run a service and its database for that crowd, with engines of its own for some runs."""
    environment = {
        "PLEX_CLIENT_ID": name,
        "PLEX_API_URL": plex_url,
        "PLEX_AUTH_URL": f"{plex_url}/auth",
    }
    with (
        own_engines(name) as variables,
        local_service(data, environment={**variables, **environment}) as running,
        database_of(data, variables) as db,
    ):
        yield running, db


@pytest.fixture(scope="session")
def raced_service(
    crowd_plex: str, tmp_path_factory: pytest.TempPathFactory, own_engines: OwnEngines
) -> Iterator[tuple[LocalService, Db]]:
    """Run one service for all files of races, whose many processes start once."""
    data = tmp_path_factory.mktemp("races") / "data"
    with crowd_service("races", data, crowd_plex, own_engines) as started:
        yield started


@pytest.fixture(scope="module")
def raced(raced_service: tuple[LocalService, Db], cluster_url: str) -> tuple[LocalService, Db]:
    """Return that service and its database, without users and what belongs to them."""
    _, db = raced_service

    def is_idle() -> bool:
        db.execute("DELETE FROM jobs WHERE state <> 'leased'")
        return db.execute("SELECT FROM jobs").rowcount == 0

    eventually(is_idle)  # the worker is done with the titles of the tests before
    db.execute("DELETE FROM users; DELETE FROM handovers")
    with redis.Redis.from_url(cluster_url) as cache:
        cache.flushdb()
    return raced_service
