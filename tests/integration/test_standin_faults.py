"""Faults that the stand-ins inject, over real HTTP."""

import asyncio
import time
import zlib
from collections.abc import Iterator

import pytest
import urllib3

from local import standins
from local.standins import Standins
from tests.support.standin import Client, client_of

CLIENT = {"Accept": "application/json", "X-Plex-Client-Identifier": "medianest-test"}
KEY = {"Authorization": "Bearer a.read.token"}


@pytest.fixture
def plex_tv(upstreams: Standins) -> Iterator[Client]:
    with client_of(upstreams.plex_url) as client:
        yield client


@pytest.fixture
def tmdb_api(upstreams: Standins) -> Iterator[Client]:
    with client_of(upstreams.tmdb_url) as client:
        yield client


def test_status_fault_with_retry_after_ends_after_its_count(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="status", status=429, retryAfter=7, count=2)
    for _ in range(2):
        answer = tmdb_api.get("/3/movie/550", KEY)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_fault_applies_to_its_path_until_it_is_deleted(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="status", status=503, path="/3/movie/")
    assert tmdb_api.get("/3/tv/1396", KEY).status == 200
    assert tmdb_api.get("/3/movie/550", KEY).status == 503
    assert tmdb_api.send("DELETE", "/standin/fault").status == 204
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_html_fault_returns_a_page(plex_tv: Client) -> None:
    plex_tv.set_fault(kind="html")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_wrong_types_fault_returns_a_list(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="wrong-types")
    answer = tmdb_api.get("/3/search/multi?query=matrix", KEY)
    assert answer.status == 200
    assert isinstance(answer.json(), list)


def test_hang_fault_sends_no_response(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="hang", count=1)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        tmdb_api.pool.request("GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, timeout=0.3)
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_drip_fault_sends_one_byte_at_a_time(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="drip", count=1)
    started = time.monotonic()
    answer = tmdb_api.pool.request(
        "GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, preload_content=False
    )
    assert answer.status == 200
    assert [answer.read(1), answer.read(1)] == [b" ", b" "]
    assert time.monotonic() - started >= 0.9
    answer.close()


def test_slow_fault_delays_the_response(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="slow", seconds=1, count=1)
    started = time.monotonic()
    assert tmdb_api.get("/3/movie/550", KEY).json()["title"] == "Fight Club"
    assert time.monotonic() - started >= 0.9
    assert tmdb_api.get("/standin/requests").json()[-1]["path"] == "/3/movie/550"


def test_huge_fault_sends_more_than_ten_megabytes(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="huge")
    answer = tmdb_api.get("/3/movie/550", KEY)
    assert "Content-Length" not in answer.headers
    assert len(answer.data) > 10 * 1024 * 1024
    assert set(answer.json()) == {"filler"}


def test_gzip_bomb_fault_sends_a_small_body_that_unpacks_to_200_megabytes(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="gzip-bomb")
    answer = tmdb_api.pool.request(
        "GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, decode_content=False
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 1024 * 1024
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = 0
    packed = answer.data
    while packed:
        unpacked += len(unpacker.decompress(packed, max_length=1024 * 1024))
        packed = unpacker.unconsumed_tail
    assert unpacked > 190 * 1024 * 1024


def test_redirect_fault_sends_the_location(plex_tv: Client) -> None:
    plex_tv.set_fault(kind="redirect", location="http://192.0.2.1/elsewhere")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Location"]) == (302, "http://192.0.2.1/elsewhere")


def test_close_fault_drops_the_connection(plex_tv: Client) -> None:
    plex_tv.set_fault(kind="close", count=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        plex_tv.get("/api/v2/user", CLIENT)
    assert plex_tv.get("/api/v2/user", CLIENT).status == 401


@pytest.mark.parametrize(
    "fault",
    [
        {},
        [],
        {"kind": "nonsense"},
        {"kind": "redirect"},
        {"kind": "status", "count": 0},
        {"kind": "status", "status": "500"},
        {"kind": "slow", "seconds": -1},
        {"kind": "html", "typo": 1},
    ],
)
def test_invalid_fault_is_rejected(plex_tv: Client, fault: object) -> None:
    answer = plex_tv.send("PUT", "/standin/fault", body=fault)
    assert answer.status == 400
    assert answer.json()["error"]


def test_received_requests_are_listed_without_the_control_routes(tmdb_api: Client) -> None:
    tmdb_api.set_fault(kind="status", count=1)
    tmdb_api.get("/3/search/multi?query=a%20b", KEY)
    tmdb_api.get("/3/movie/550", KEY)
    received = tmdb_api.get("/standin/requests").json()
    assert [(call["method"], call["path"], call["query"]) for call in received] == [
        ("GET", "/3/search/multi", "query=a%20b"),
        ("GET", "/3/movie/550", ""),
    ]
    assert received[0]["headers"]["Authorization"] == "Bearer a.read.token"
    assert tmdb_api.send("DELETE", "/standin/requests").status == 204
    assert tmdb_api.get("/standin/requests").json() == []


def test_list_of_requests_has_the_last_two_hundred(tmdb_api: Client) -> None:
    for number in range(205):
        tmdb_api.get(f"/3/movie/{number}", KEY)
    received = tmdb_api.get("/standin/requests").json()
    assert [call["path"] for call in received] == [f"/3/movie/{n}" for n in range(5, 205)]


def test_stop_does_not_wait_for_an_unfinished_response() -> None:
    async def scenario() -> float:
        started = await standins.start()
        client = Client(started.tmdb_url)
        await asyncio.to_thread(client.set_fault, kind="drip")
        answer = await asyncio.to_thread(
            client.pool.request,
            "GET",
            f"{started.tmdb_url}/3/movie/550",
            headers=KEY,
            preload_content=False,
        )
        stop_started = time.monotonic()
        await started.stop()
        seconds = time.monotonic() - stop_started
        answer.close()
        client.pool.clear()
        return seconds

    assert asyncio.run(scenario()) < 3
