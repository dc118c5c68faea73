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


def test_a_status_with_retry_after_until_the_count_is_used_up(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", status=429, retryAfter=7, count=2)
    for _ in range(2):
        answer = tmdb_api.get("/3/movie/550", KEY)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_a_fault_keeps_to_its_path_and_ends_on_order(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", status=503, path="/3/movie/")
    assert tmdb_api.get("/3/tv/1396", KEY).status == 200
    assert tmdb_api.get("/3/movie/550", KEY).status == 503
    assert tmdb_api.ask("DELETE", "/standin/fault").status == 204
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_html(plex_tv: Client) -> None:
    plex_tv.order(kind="html")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_wrong_types(tmdb_api: Client) -> None:
    tmdb_api.order(kind="wrong-types")
    answer = tmdb_api.get("/3/search/multi?query=matrix", KEY)
    assert answer.status == 200
    assert isinstance(answer.json(), list)


def test_hang(tmdb_api: Client) -> None:
    tmdb_api.order(kind="hang", count=1)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        tmdb_api.pool.request("GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, timeout=0.3)
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_drip(tmdb_api: Client) -> None:
    tmdb_api.order(kind="drip", count=1)
    started = time.monotonic()
    answer = tmdb_api.pool.request(
        "GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, preload_content=False
    )
    assert answer.status == 200
    assert [answer.read(1), answer.read(1)] == [b" ", b" "]
    assert time.monotonic() - started >= 0.9
    answer.close()


def test_slow(tmdb_api: Client) -> None:
    tmdb_api.order(kind="slow", seconds=1, count=1)
    started = time.monotonic()
    assert tmdb_api.get("/3/movie/550", KEY).json()["title"] == "Fight Club"
    assert time.monotonic() - started >= 0.9
    assert tmdb_api.get("/standin/requests").json()[-1]["path"] == "/3/movie/550"


def test_huge(tmdb_api: Client) -> None:
    tmdb_api.order(kind="huge")
    answer = tmdb_api.get("/3/movie/550", KEY)
    assert "Content-Length" not in answer.headers
    assert len(answer.data) > 10 * 1024 * 1024
    assert set(answer.json()) == {"filler"}


def test_gzip_bomb(tmdb_api: Client) -> None:
    tmdb_api.order(kind="gzip-bomb")
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


def test_redirect(plex_tv: Client) -> None:
    plex_tv.order(kind="redirect", location="http://192.0.2.1/elsewhere")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Location"]) == (302, "http://192.0.2.1/elsewhere")


def test_close(plex_tv: Client) -> None:
    plex_tv.order(kind="close", count=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        plex_tv.get("/api/v2/user", CLIENT)
    assert plex_tv.get("/api/v2/user", CLIENT).status == 401


@pytest.mark.parametrize(
    "order",
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
def test_an_order_that_makes_no_sense_is_refused(plex_tv: Client, order: object) -> None:
    answer = plex_tv.ask("PUT", "/standin/fault", body=order)
    assert answer.status == 400
    assert answer.json()["error"]


def test_the_requests_seen_are_listed_without_the_control_routes(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", count=1)
    tmdb_api.get("/3/search/multi?query=a%20b", KEY)
    tmdb_api.get("/3/movie/550", KEY)
    seen = tmdb_api.get("/standin/requests").json()
    assert [(call["method"], call["path"], call["query"]) for call in seen] == [
        ("GET", "/3/search/multi", "query=a%20b"),
        ("GET", "/3/movie/550", ""),
    ]
    assert seen[0]["headers"]["Authorization"] == "Bearer a.read.token"
    assert tmdb_api.ask("DELETE", "/standin/requests").status == 204
    assert tmdb_api.get("/standin/requests").json() == []


def test_the_last_two_hundred_requests_are_kept(tmdb_api: Client) -> None:
    for number in range(205):
        tmdb_api.get(f"/3/movie/{number}", KEY)
    seen = tmdb_api.get("/standin/requests").json()
    assert [call["path"] for call in seen] == [f"/3/movie/{n}" for n in range(5, 205)]


def test_stopping_does_not_wait_for_an_answer_that_hangs() -> None:
    async def scenario() -> float:
        started = await standins.start()
        client = Client(started.tmdb_url)
        await asyncio.to_thread(client.order, kind="drip")
        answer = await asyncio.to_thread(
            client.pool.request,
            "GET",
            f"{started.tmdb_url}/3/movie/550",
            headers=KEY,
            preload_content=False,
        )
        begun = time.monotonic()
        await started.stop()
        seconds = time.monotonic() - begun
        answer.close()
        client.pool.clear()
        return seconds

    assert asyncio.run(scenario()) < 3
