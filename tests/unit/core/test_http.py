"""Outbound calls: bounded in time and size, and one kind of error for whatever goes wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from medianest.core import http
from medianest.core.config import settings

URL = "https://upstream.example.org/path"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Response:
    """What urllib3 returns, as far as it is used."""

    def __init__(self, status: int, *pieces: bytes) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self.pieces: Iterator[bytes] = iter(pieces)
        self.closed = False
        self.released = False

    def read1(self, amount: int, *, decode_content: bool) -> bytes:
        assert amount > 0
        assert decode_content
        return next(self.pieces, b"")

    def close(self) -> None:
        self.closed = True

    def release_conn(self) -> None:
        self.released = True


class Pool:
    """Stands in for the network: answers, or fails, in turn."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.script: list[Response | Exception] = []
        self.seconds_per_call = 0.0
        self.calls: list[dict[str, Any]] = []

    def request(self, method: str, url: str, **options: Any) -> Response:
        self.calls.append({"method": method, "url": url, **options})
        self.clock.seconds += self.seconds_per_call
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    return clock


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Pool:
    pool = Pool(clock)
    monkeypatch.setattr(http, "_pool", lambda: pool)
    return pool


def get(**options: Any) -> tuple[int, Any]:
    return http.request_json("GET", URL, headers={"X-Secret": "canary"}, **options)


def answer(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode())


def busy(status: int, retry_after: str) -> Response:
    response = answer({}, status)
    response.headers["Retry-After"] = retry_after
    return response


def broken() -> Exception:
    return urllib3.exceptions.ProtocolError("Connection aborted, canary")


def test_an_answer_is_parsed_and_its_connection_kept(pool: Pool) -> None:
    response = Response(200, b'{"a":', b"1}")
    pool.script = [response]
    assert get(query={"q": "x"}) == (200, {"a": 1})
    assert response.released
    assert pool.calls[0]["fields"] == {"q": "x"}
    assert pool.calls[0]["redirect"] is False
    assert pool.calls[0]["retries"] is False


@pytest.mark.parametrize("status", [201, 400, 401, 404, 422])
def test_an_answer_that_the_caller_may_understand_is_returned(pool: Pool, status: int) -> None:
    pool.script = [answer({"errors": []}, status)]
    assert get() == (status, {"errors": []})
    assert len(pool.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 429, 500, 501])
def test_an_answer_that_helps_nobody_is_an_error(pool: Pool, status: int) -> None:
    pool.script = [answer({}, status)]
    with pytest.raises(http.UpstreamError, match=rf"^upstream\.example\.org answered {status}$"):
        get()
    assert len(pool.calls) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_get_is_tried_twice_while_the_other_side_is_unwell(pool: Pool, status: int) -> None:
    pool.script = [answer({}, status), answer({"ok": True})]
    assert get() == (200, {"ok": True})
    pool.script = [answer({}, status), answer({}, status), answer({})]
    with pytest.raises(http.UpstreamError):
        get()
    assert len(pool.calls) == 4


@pytest.mark.parametrize("status", [429, 503])
def test_who_says_when_to_come_back_is_not_asked_before(pool: Pool, status: int) -> None:
    pool.script = [busy(status, "7"), answer({})]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert caught.value.retry_after == 7
    assert len(pool.calls) == 1


@pytest.mark.parametrize(
    "text", ["", "0", "soon", "-1", "1.5", "\u0667", "9" * 5000, "Wed, 21 Oct 2026 07:28:00 GMT"]
)
def test_what_does_not_say_it_in_seconds_does_not_say_it(pool: Pool, text: str) -> None:
    pool.script = [busy(503, text), answer({"ok": True})]
    assert get() == (200, {"ok": True})
    pool.script = [busy(429, text)]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert not caught.value.retry_after


def test_a_get_is_tried_twice_on_a_broken_connection(pool: Pool) -> None:
    pool.script = [broken(), answer([])]
    assert get() == (200, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("trouble", [answer({}, 503), broken()], ids=["503", "broken"])
def test_nothing_is_tried_more_than_twice(
    pool: Pool, method: str, trouble: Response | Exception
) -> None:
    pool.script = [trouble, trouble, answer({})]
    with pytest.raises(http.UpstreamError):
        http.request_json(method, URL, headers={})
    assert len(pool.calls) == 2


@pytest.mark.parametrize(
    "trouble", [Response(503), answer({}, 503), broken()], ids=["empty 503", "503", "broken"]
)
def test_nothing_is_repeated_once_the_time_is_used_up(
    pool: Pool, trouble: Response | Exception
) -> None:
    pool.seconds_per_call = settings().upstream_timeout_seconds + 0.1
    pool.script = [trouble, answer({})]
    with pytest.raises(http.UpstreamError):
        get()
    assert len(pool.calls) == 1


def test_no_wait_is_longer_than_the_time_left(pool: Pool) -> None:
    pool.seconds_per_call = 1.5
    pool.script = [broken(), answer({})]
    get()
    first, second = (call["timeout"] for call in pool.calls)
    assert (first.connect_timeout, first.read_timeout) == (1.0, 4.0)
    assert (second.connect_timeout, second.read_timeout) == (1.0, 2.5)


def test_connecting_and_waiting_share_the_time(pool: Pool) -> None:
    pool.script = [answer({})]
    get()
    assert pool.calls[0]["timeout"].total == settings().upstream_timeout_seconds


def test_a_body_that_swells_is_cut_off(pool: Pool) -> None:
    responses = [Response(200, *[b"x" * 64 * 1024] * 100) for _ in range(2)]
    pool.script = [*responses]
    with pytest.raises(http.UpstreamError, match="sent too much"):
        get()
    assert responses[-1].closed
    assert sum(1 for _ in responses[-1].pieces) > 60


def test_a_body_that_drips_is_cut_off(pool: Pool, clock: Clock) -> None:
    def drip() -> Iterator[bytes]:
        while True:
            clock.seconds += 1
            yield b"x"

    response = Response(200)
    response.pieces = drip()
    pool.script = [response]
    with pytest.raises(http.UpstreamError, match="too slow"):
        get()
    assert response.closed
    assert len(pool.calls) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000], ids=lambda b: b[:6]
)
def test_a_body_that_is_no_json_is_an_error(pool: Pool, body: bytes) -> None:
    pool.script = [Response(200, body)]
    with pytest.raises(http.UpstreamError, match="something else than JSON"):
        get()


def test_no_query_or_header_is_in_the_error(pool: Pool) -> None:
    pool.script = [broken(), broken()]
    with pytest.raises(http.UpstreamError) as caught:
        get(query={"api_key": "canary"})
    assert str(caught.value) == "upstream.example.org: ProtocolError"
