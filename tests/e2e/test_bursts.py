"""Concurrent calls: each gets an environment, and none gets 429 for lack of concurrency."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conftest import OwnEngines
from tests.support import plex
from tests.support.concurrency import at_once, codes
from tests.support.local import LocalService, local_service

FILMS = [
    *(603, 424, 274, 27205, 157336, 155, 49026, 272, 680, 13, 238, 240),
    *(278, 550, 120, 121, 122, 11, 1891, 1892, 62, 78, 348, 679),
]
PAGE = ("/api/auth/me", "/api/media/requests", "/api/media/requests?status=pending")


bounded = pytest.mark.parametrize(
    "burst_service", [True], ids=["bounds-of-the-template"], indirect=True
)
# Forty calls start forty processes, so one test without bounds is enough.
bounded_and_unbounded = pytest.mark.parametrize(
    "burst_service", [False, True], ids=["unbounded", "bounds-of-the-template"], indirect=True
)


@pytest.fixture(scope="module")
def burst_service(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    own_engines: OwnEngines,
) -> Iterator[LocalService]:
    """Run the service without bounds, as `make run` does, or with those of the template."""
    data: Path = tmp_path_factory.mktemp("bursts")
    with (
        own_engines("bursts") as variables,
        local_service(data, environment=variables, bounds=request.param) as running,
    ):
        yield running


@bounded_and_unbounded
def test_forty_concurrent_reads_succeed(burst_service: LocalService) -> None:
    token = burst_service.sign_in(burst_service.standin_urls[0], "bob")
    path = "/api/media/requests"
    responses = at_once([partial(burst_service.call, "GET", path, token=token) for _ in range(40)])
    assert codes(responses) == {"200": 40}


@bounded
def test_concurrent_calls_of_nine_page_loads_succeed(burst_service: LocalService) -> None:
    token = burst_service.sign_in(burst_service.standin_urls[0], "carol")
    responses = at_once(
        [partial(burst_service.call, "GET", path, token=token) for path in PAGE * 9]
    )
    assert codes(responses) == {"200": len(PAGE) * 9}


@bounded
def test_twenty_four_concurrent_posts_succeed(burst_service: LocalService) -> None:
    token = burst_service.sign_in(burst_service.standin_urls[0], "alice")
    bodies = [{"mediaType": "movie", "tmdbId": film} for film in FILMS]
    responses = at_once(
        [
            partial(burst_service.call, "POST", "/api/media/request", token=token, body=b)
            for b in bodies
        ]
    )
    assert codes(responses) == {"201": len(FILMS)}


@bounded
def test_signed_in_users_are_served_while_plex_hangs(burst_service: LocalService) -> None:
    plex_url = burst_service.standin_urls[0]
    token = burst_service.sign_in(plex_url, "dave")
    pins = [burst_service.patiently("POST", "/api/auth/plex/pin", body={}).data for _ in range(16)]
    polls = [
        partial(burst_service.call, "POST", "/api/auth/plex/verify", body={"pinId": pin["pinId"]})
        for pin in pins
    ]
    reads = [partial(burst_service.call, "GET", "/api/auth/me", token=token) for _ in range(9)]
    plex.control(plex_url, "PUT", "fault", {"kind": "hang"})
    try:
        responses = at_once([*polls, *reads])
    finally:
        plex.control(plex_url, "DELETE", "fault")
    assert codes(responses[len(polls) :]) == {"200": len(reads)}
    assert set(codes(responses[: len(polls)])) <= {"PLEX_UNREACHABLE", "RATE_LIMITED"}
