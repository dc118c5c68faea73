"""One local service for the tests of each worker that do not break it."""

from collections.abc import Iterator

import pytest

from tests.support.local import LocalService, local_service
from tests.support.standin import plex_of, served

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
    with served(plex_of(CROWD)) as url:
        yield url
