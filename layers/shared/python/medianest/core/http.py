"""Outbound HTTP: JSON responses with a timeout and a maximum size."""

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
# Upper bound for a host's Retry-After.
MAX_RETRY_AFTER_SECONDS = 3600
_RETRIABLE = frozenset({502, 503, 504})
# RFC 9110, section 9.2.2: only these may be retried when the outcome of a call is unknown.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class UpstreamError(Exception):
    """The host does not respond in time, or its response is invalid.

    The message has the host and the problem, never a query string or a header. `retry_after` is the
    host's Retry-After in seconds, None when it sent none.
    """

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _NoResponseError(UpstreamError):
    """No response arrived; `is_sent` is False when the connection could not be opened."""

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class Budget:
    """A time budget that several calls share."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Return the remaining seconds; negative when the budget is exceeded."""
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

    The query is sent in the URL for every method. A call is retried once. An idempotent call is
    retried when its connection breaks (a pooled connection may have died while the environment was
    frozen), and after 502, 503 or 504 without Retry-After. Any other call is retried only when no
    connection could be opened. Redirects are not followed.

    Raises UpstreamError for timeouts (`total_seconds` covers both attempts and defaults to
    upstream_timeout_seconds), broken connections, 3xx, 429, 5xx, bodies over MAX_BYTES, and a
    success that is not JSON.
    """
    seconds = environment().upstream_timeout_seconds if total_seconds is None else total_seconds
    if query:
        url = f"{url}?{urlencode(query)}"
    is_idempotent = method in _IDEMPOTENT
    if not is_idempotent:
        # On a pooled connection that is dead, the outcome of the call would be unknown.
        _pool().clear()
    with _deadline(seconds, url) as deadline:
        try:
            status, body, pause = _call_once(method, url, headers, deadline)
            should_retry = is_idempotent and status in _RETRIABLE and not pause
        except _NoResponseError as error:
            if error.is_sent and not is_idempotent:
                raise
            should_retry = True
        if should_retry:
            status, body, pause = _call_once(method, url, headers, deadline)
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_redirect or is_server_error or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamError(f"{_host(url)} returned {status}", retry_after=pause)
    return status, _parse(url, status, body)


@contextmanager
def _deadline(seconds: float, url: str) -> Iterator[float]:
    """Limit the time of a block and yield its monotonic deadline; raises UpstreamError.

    The timeout of a socket is not enough, because it restarts with each byte.
    """
    timed_out = UpstreamError(f"{_host(url)} timed out")
    if seconds <= 0:
        raise timed_out
    with time_limit(seconds, timed_out):
        yield time.monotonic() + seconds


def _call_once(
    method: str,
    url: str,
    headers: Mapping[str, str],
    deadline: float,
) -> tuple[int, bytes, int | None]:
    """Return status, body, and Retry-After in seconds."""
    import urllib3

    seconds_left = deadline - time.monotonic()
    if seconds_left <= 0:
        raise UpstreamError(f"{_host(url)} timed out")
    try:
        response = _pool().request(
            method,
            url,
            headers=headers,
            timeout=urllib3.Timeout(
                total=seconds_left, connect=min(CONNECT_SECONDS, seconds_left), read=seconds_left
            ),
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
        logger.warning("upstream_failed", extra={"host": _host(url), "cause": type(error).__name__})
        # Both mean that connecting failed, so the request was not sent.
        connect_errors = (
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
        )
        raise _NoResponseError(
            f"{_host(url)}: {type(error).__name__}", is_sent=not isinstance(error, connect_errors)
        ) from error
    return response.status, body, retry_after(response.headers)


def retry_after(headers: Mapping[str, str], most: int = MAX_RETRY_AFTER_SECONDS) -> int | None:
    """Return Retry-After in seconds (RFC 9110, section 10.2.3), None when it is invalid.

    A date is compared with the Date of the response, so the clocks need not agree.
    """
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        # int() rejects numbers with thousands of digits.
        return min(int(value[:10]), most)
    retry_at = _http_date(value)
    if retry_at is None:
        return None
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(round((retry_at - now).total_seconds()), 0), most)


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        # The obsolete asctime format has no time zone and means UTC.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read(url: str, response: BaseHTTPResponse, deadline: float) -> bytes:
    """Read in chunks, so that a large body cannot exhaust the memory."""
    body = bytearray()
    while chunk := response.read1(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > MAX_BYTES:
            raise UpstreamError(f"{_host(url)} sent more than {MAX_BYTES} bytes")
        if time.monotonic() >= deadline:
            raise UpstreamError(f"{_host(url)} timed out")
    return bytes(body)


def _parse(url: str, status: int, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        # A 4xx is no failure of the host: a bad query must not open the circuit.
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        raise UpstreamError(
            f"{_host(url)} returned {status} with a body that is not JSON"
        ) from error


def _host(url: str) -> str:
    return url.split("/", 3)[2]


@cache
def _pool() -> PoolManager:
    import urllib3

    return urllib3.PoolManager(num_pools=4, maxsize=1)
