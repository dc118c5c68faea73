"""The catalogue under concurrent calls that many processes serve."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import plex
from tests.support.api import Answer
from tests.support.local import LocalService

# Each starts a process of the function, and a pair of them is a race.
CROWD = 6


@pytest.fixture
def slow_tmdb(service: LocalService) -> Iterator[str]:
    """Delay TMDB so that concurrent calls overlap; return the address of its stand-in."""
    _, tmdb_url = service.standin_urls
    plex.control(tmdb_url, "PUT", "fault", {"kind": "slow", "seconds": 2})
    yield tmdb_url
    plex.control(tmdb_url, "DELETE", "fault")


def crowd(service: LocalService, path: str, token: str, **options: Any) -> list[Answer]:
    with ThreadPoolExecutor(CROWD) as pool:
        calls = [
            pool.submit(service.patiently, "GET", path, token=token, **options)
            for _ in range(CROWD)
        ]
        return [call.result() for call in calls]


def test_concurrent_cache_misses_call_tmdb_once(service: LocalService, slow_tmdb: str) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    # Start the processes before the measured calls.
    assert all(response.status == 200 for response in crowd(service, "/api/media/requests", token))
    for path, query, tmdb_path in (
        ("/api/media/tv/1399", None, "/3/tv/1399"),
        ("/api/media/search", {"q": "godfather"}, "/3/search/multi"),
    ):
        plex.control(slow_tmdb, "DELETE", "requests")
        responses = crowd(service, path, token, query=query)
        assert {response.status for response in responses} == {200}
        assert len({response.text for response in responses}) == 1
        assert not any("x-catalog-stale" in response.headers for response in responses)
        received = plex.control(slow_tmdb, "GET", "requests")
        assert [request["path"] for request in received] == [tmdb_path]
