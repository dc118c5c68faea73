"""Outbound calls: bounded in time and size, with one error type for every failure."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from socket import gaierror
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from medianest.core import http
from medianest.core.environment import environment

URL = "https://upstream.example.org/path"
POOL = urllib3.HTTPSConnectionPool("upstream.example.org")
CONNECTION = urllib3.connection.HTTPConnection("upstream.example.org")


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Response:
    """The parts of urllib3's response that the client uses."""

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
    """A fake connection pool: each call returns or raises the next entry of `script`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.script: list[Response | Exception] = []
        self.seconds_per_call = 0.0
        self.calls: list[dict[str, Any]] = []
        self.cleared = 0

    def clear(self) -> None:
        self.cleared += 1

    def request(self, method: str, url: str, **options: Any) -> Response:
        self.calls.append({"method": method, "url": url, **options})
        self.clock.seconds += self.seconds_per_call
        response = self.script.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


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


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode())


def throttled(status: int, retry_after: str) -> Response:
    response = json_response({}, status)
    response.headers["Retry-After"] = retry_after
    return response


def broken_connection() -> Exception:
    return urllib3.exceptions.ProtocolError("Connection aborted, canary")


def test_a_response_is_parsed_and_its_connection_reused(pool: Pool) -> None:
    response = Response(200, b'{"a":', b"1}")
    pool.script = [response]
    assert get() == (200, {"a": 1})
    assert response.released
    assert pool.cleared == 0
    assert pool.calls[0]["url"] == URL
    assert pool.calls[0]["redirect"] is False
    assert pool.calls[0]["retries"] is False


@pytest.mark.parametrize("status", [201, 400, 401, 404, 422])
def test_a_status_that_the_caller_may_handle_is_returned(pool: Pool, status: int) -> None:
    pool.script = [json_response({"errors": []}, status)]
    assert get() == (status, {"errors": []})
    assert len(pool.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 429, 500, 501])
def test_an_unusable_status_is_an_upstream_error(pool: Pool, status: int) -> None:
    pool.script = [json_response({}, status)]
    with pytest.raises(http.UpstreamError, match=rf"^upstream\.example\.org returned {status}$"):
        get()
    assert len(pool.calls) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_get_is_retried_once_after_a_gateway_error(pool: Pool, status: int) -> None:
    pool.script = [json_response({}, status), json_response({"ok": True})]
    assert get() == (200, {"ok": True})
    pool.script = [json_response({}, status), json_response({}, status), json_response({})]
    with pytest.raises(http.UpstreamError):
        get()
    assert len(pool.calls) == 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_response_with_retry_after_is_not_retried(pool: Pool, status: int) -> None:
    pool.script = [throttled(status, "7"), json_response({})]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert caught.value.retry_after == 7
    assert len(pool.calls) == 1


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1),
        ("0120", 120),
        ("3600", 3600),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("Wed, 21 Oct 2026 07:28:07 GMT", 7),
        ("Wednesday, 21-Oct-26 07:29:00 GMT", 60),
        ("Wed Oct 21 07:28:30 2026", 30),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30),
        ("Thu, 22 Oct 2026 07:28:00 GMT", 3600),
        ("Wed, 21 Oct 9999 07:28:00 GMT", 3600),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_as_seconds_or_as_a_date(
    pool: Pool, status: int, text: str, seconds: int
) -> None:
    response = throttled(status, text)
    response.headers["Date"] = DATE
    pool.script = [response]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("date", ["", "soon"])
def test_a_retry_after_date_counts_from_now_without_a_date_header(pool: Pool, date: str) -> None:
    until = datetime.now(UTC) + timedelta(seconds=20)
    response = throttled(429, format_datetime(until, usegmt=True))
    response.headers["Date"] = date
    pool.script = [response]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert caught.value.retry_after is not None
    assert 17 <= caught.value.retry_after <= 21


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "soon",
        "-1",
        "1.5",
        "\u0667",
        "21 Oct",
        "Wed, 31 Feb 2026 07:28:00 GMT",
        "Tue, 20 Oct 2026 07:28:00 GMT",
        DATE,
        "Wed, 21 Oct 99999 07:28:00 GMT",
    ],
)
def test_an_invalid_retry_after_is_ignored(pool: Pool, text: str) -> None:
    response = throttled(503, text)
    response.headers["Date"] = DATE
    pool.script = [response, json_response({"ok": True})]
    assert get() == (200, {"ok": True})
    response = throttled(429, text)
    response.headers["Date"] = DATE
    pool.script = [response]
    with pytest.raises(http.UpstreamError) as caught:
        get()
    assert not caught.value.retry_after


_DATE_WORDS = st.lists(
    st.sampled_from(["Wed,", "21", "Oct", "2026", "07:28:00", "GMT", "+9999", "-0000", "99999"])
    | st.text(max_size=4),
    max_size=7,
)


@given(retry_after=_DATE_WORDS | st.lists(st.text()), date=_DATE_WORDS)
def test_any_retry_after_is_bounded_or_ignored(retry_after: list[str], date: list[str]) -> None:
    seconds = http.retry_after({"Retry-After": " ".join(retry_after), "Date": " ".join(date)})
    assert seconds is None or 0 <= seconds <= http.MAX_RETRY_AFTER_SECONDS


def test_a_get_is_retried_once_after_a_broken_connection(pool: Pool) -> None:
    pool.script = [broken_connection(), json_response([])]
    assert get() == (200, [])


@pytest.mark.parametrize(
    "failure", [json_response({}, 503), broken_connection()], ids=["503", "broken"]
)
def test_a_call_is_retried_at_most_once(pool: Pool, failure: Response | Exception) -> None:
    pool.script = [failure, failure, json_response({})]
    with pytest.raises(http.UpstreamError):
        get()
    assert len(pool.calls) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "failure",
    [
        json_response({}, 502),
        json_response({}, 503),
        json_response({}, 504),
        broken_connection(),
        urllib3.exceptions.ReadTimeoutError(POOL, URL, "canary"),
        urllib3.exceptions.SSLError("canary"),
    ],
    ids=["502", "503", "504", "broken", "silent", "TLS"],
)
def test_a_post_whose_outcome_is_unknown_is_not_retried(
    pool: Pool, method: str, failure: Response | Exception
) -> None:
    pool.script = [failure, json_response({})]
    with pytest.raises(http.UpstreamError):
        http.request_json(method, URL, headers={})
    assert len(pool.calls) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "failure",
    [
        urllib3.exceptions.NewConnectionError(CONNECTION, "canary"),
        urllib3.exceptions.NameResolutionError("host", CONNECTION, gaierror()),
        urllib3.exceptions.ConnectTimeoutError(POOL, "canary"),
    ],
    ids=["refused", "no name", "no answer"],
)
def test_a_call_that_was_never_sent_is_retried_once(
    pool: Pool, method: str, failure: Exception
) -> None:
    pool.script = [failure, json_response({"ok": True})]
    assert http.request_json(method, URL, headers={}) == (200, {"ok": True})
    pool.script = [failure, failure, json_response({})]
    with pytest.raises(http.UpstreamError):
        http.request_json(method, URL, headers={})
    assert len(pool.calls) == 4


def test_a_post_uses_a_new_connection(pool: Pool) -> None:
    pool.script = [json_response({})]
    http.request_json("POST", URL, headers={})
    assert pool.cleared == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_query_goes_into_the_url(pool: Pool, method: str) -> None:
    pool.script = [json_response({})]
    http.request_json(method, URL, headers={}, query={"strong": "true", "q": "a&b=c \u00e9"})
    (call,) = pool.calls
    assert call["url"] == f"{URL}?strong=true&q=a%26b%3Dc+%C3%A9"
    assert not {"fields", "body", "json"} & call.keys()


@pytest.mark.parametrize(
    "failure",
    [Response(503), json_response({}, 503), broken_connection()],
    ids=["empty 503", "503", "broken"],
)
def test_a_call_is_not_retried_without_remaining_time(
    pool: Pool, failure: Response | Exception
) -> None:
    pool.seconds_per_call = environment().upstream_timeout_seconds + 0.1
    pool.script = [failure, json_response({})]
    with pytest.raises(http.UpstreamError):
        get()
    assert len(pool.calls) == 1


def test_a_timeout_does_not_exceed_the_remaining_time(pool: Pool) -> None:
    pool.seconds_per_call = 1.5
    pool.script = [broken_connection(), json_response({})]
    get()
    first, second = (call["timeout"] for call in pool.calls)
    assert (first.connect_timeout, first.read_timeout) == (1.0, 4.0)
    assert (second.connect_timeout, second.read_timeout) == (1.0, 2.5)


def test_connecting_and_reading_share_the_timeout(pool: Pool) -> None:
    pool.script = [json_response({})]
    get()
    assert pool.calls[0]["timeout"].total == environment().upstream_timeout_seconds


def test_a_body_that_decompresses_past_the_limit_is_cut_off(pool: Pool) -> None:
    response = Response(200, *[b"x" * 64 * 1024] * 100)
    pool.script = [response, json_response({})]
    with pytest.raises(http.UpstreamError, match="sent more than"):
        get()
    assert response.closed
    assert sum(1 for _ in response.pieces) > 60
    assert len(pool.calls) == 1


def test_a_slow_body_is_cut_off(pool: Pool, clock: Clock) -> None:
    def drip() -> Iterator[bytes]:
        while True:
            clock.seconds += 1
            yield b"x"

    response = Response(200)
    response.pieces = drip()
    pool.script = [response]
    with pytest.raises(http.UpstreamError, match="timed out"):
        get()
    assert response.closed
    assert len(pool.calls) == 1


for_each_invalid_body = pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000], ids=lambda b: b[:6]
)


@for_each_invalid_body
def test_a_body_that_is_not_json_is_an_error(pool: Pool, body: bytes) -> None:
    pool.script = [Response(200, body)]
    with pytest.raises(http.UpstreamError, match="a body that is not JSON"):
        get()


@for_each_invalid_body
@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_the_body_of_a_4xx_may_be_invalid_json(pool: Pool, status: int, body: bytes) -> None:
    # A caller that provokes an error response must not open the circuit.
    pool.script = [Response(status, body)]
    assert get() == (status, None)


@pytest.mark.parametrize("seconds", [0, -0.5])
def test_no_call_is_made_without_remaining_time(pool: Pool, seconds: float) -> None:
    pool.script = [json_response({})]
    with pytest.raises(http.UpstreamError, match="timed out"):
        get(total_seconds=seconds)
    assert pool.calls == []


def test_a_budget_decreases_with_the_elapsed_time(clock: Clock) -> None:
    budget = http.Budget(6)
    assert budget.seconds_left == 6
    clock.seconds += 5.5
    assert budget.seconds_left == 0.5
    clock.seconds += 1
    assert budget.seconds_left < 0


def test_no_query_or_header_is_in_the_error(pool: Pool) -> None:
    pool.script = [broken_connection(), broken_connection()]
    with pytest.raises(http.UpstreamError) as caught:
        get(query={"api_key": "canary"})
    assert str(caught.value) == "upstream.example.org: ProtocolError"
