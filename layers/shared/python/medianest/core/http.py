"""Outbound HTTP: JSON from one known host, within a time and a size."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from medianest.core.deadline import time_limit
from medianest.core.environment import environment
from medianest.core.observability import logger

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_SECONDS = 1.0
MAX_BYTES = 2 * 1024 * 1024
# The longest Retry-After that is believed.
MAX_RETRY_AFTER_SECONDS = 3600
_RETRIABLE = frozenset({502, 503, 504})
# RFC 9110, section 9.2.2: only these may be retried when the outcome of the first is unknown.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class UpstreamError(Exception):
    """The host does not answer in time or breaks its protocol.

    The message names the host and the problem, never a query string or a header. `retry_after` has
    the seconds of the host's Retry-After, if it sent one.
    """

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _NoAnswerError(UpstreamError):
    """No answer came; `is_sent` is False where the connection could not be opened at all."""

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class Budget:
    """A time budget that several calls share."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Return the seconds that are left; negative when it is used up."""
        return self._end - time.monotonic()


def request_json(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    total_seconds: float | None = None,
) -> tuple[int, Any]:
    """Return status and parsed body of one call; the body of a 4xx that is not JSON is None.

    The query goes into the URL for every method. A call is retried once: an idempotent one when its
    connection breaks (a pooled one may have died while the environment was frozen) or the host
    answers 502, 503 or 504 without Retry-After; any other only when no connection could be opened.
    Redirects are not followed.

    Raises UpstreamError for time-outs (by default upstream_timeout_seconds, for both attempts
    together), broken connections, 3xx, 429, 5xx, bodies over MAX_BYTES, and a success that is not
    JSON.
    """
    seconds = environment().upstream_timeout_seconds if total_seconds is None else total_seconds
    if query:
        url = f"{url}?{urlencode(query)}"
    is_idempotent = method in _IDEMPOTENT
    if not is_idempotent:
        # A pooled connection may be dead, and then the outcome of the call would be unknown.
        _pool().clear()
    with _time_limit(seconds, url) as deadline:
        try:
            status, body, retry_after = _call_once(method, url, headers, deadline)
            is_repeated = is_idempotent and status in _RETRIABLE and not retry_after
        except _NoAnswerError as error:
            if error.is_sent and not is_idempotent:
                raise
            is_repeated = True
        if is_repeated:
            status, body, retry_after = _call_once(method, url, headers, deadline)
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_redirect or is_server_error or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamError(f"{_host(url)} answered {status}", retry_after=retry_after)
    return status, _parse(url, status, body)


@contextmanager
def _time_limit(seconds: float, url: str) -> Iterator[float]:
    """Limit the time of a block and yield its deadline; raises UpstreamError.

    A socket's own time-out restarts with each byte.
    """
    too_slow = UpstreamError(f"{_host(url)} is too slow")
    if seconds <= 0:
        raise too_slow
    with time_limit(seconds, too_slow):
        yield time.monotonic() + seconds


def _call_once(
    method: str,
    url: str,
    headers: Mapping[str, str],
    deadline: float,
) -> tuple[int, bytes, int | None]:
    """Return status, body, and what Retry-After says."""
    import urllib3

    left = deadline - time.monotonic()
    if left <= 0:
        raise UpstreamError(f"{_host(url)} is too slow")
    try:
        response = _pool().request(
            method,
            url,
            headers=headers,
            timeout=urllib3.Timeout(total=left, connect=min(CONNECT_SECONDS, left), read=left),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            body = _read(url, response, deadline)
        except BaseException:
            response.close()
            raise
        response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        logger.warning("upstream failed", extra={"host": _host(url), "cause": type(error).__name__})
        # Both mean that connecting failed; a request is only sent after that.
        unopened = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
        raise _NoAnswerError(
            f"{_host(url)}: {type(error).__name__}", is_sent=not isinstance(error, unopened)
        ) from error
    return response.status, body, _retry_after(response.headers)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3), None where it is invalid.

    A date is relative to the answer's own Date, so the clocks need not agree.
    """
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        # Python refuses to read a number of thousands of digits.
        return min(int(text[:10]), MAX_RETRY_AFTER_SECONDS)
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(round((until - now).total_seconds()), 0), MAX_RETRY_AFTER_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        # asctime, the oldest of the three forms, names no zone and means UTC.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read(url: str, response: BaseHTTPResponse, deadline: float) -> bytes:
    """Read in chunks, so a body cannot exhaust the memory."""
    body = bytearray()
    while piece := response.read1(64 * 1024, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise UpstreamError(f"{_host(url)} sent too much")
        if time.monotonic() >= deadline:
            raise UpstreamError(f"{_host(url)} is too slow")
    return bytes(body)


def _parse(url: str, status: int, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        # The status of a 4xx says enough; a caller who provokes one must not cause a failure.
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        raise UpstreamError(
            f"{_host(url)} answered {status} with something else than JSON"
        ) from error


def _host(url: str) -> str:
    return url.split("/", 3)[2]


@cache
def _pool() -> PoolManager:
    import urllib3

    return urllib3.PoolManager(num_pools=4, maxsize=1)
