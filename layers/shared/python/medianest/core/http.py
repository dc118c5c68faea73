"""Outbound HTTP: JSON from one known host, within a time and a size."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from medianest.core.config import settings
from medianest.core.deadline import time_limit
from medianest.core.observability import logger

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_SECONDS = 1.0
MAX_BYTES = 2 * 1024 * 1024
# 0 stands for no answer at all.
_RETRIABLE = frozenset({0, 502, 503, 504})


class UpstreamError(Exception):
    """The other side cannot be reached in time or does not speak its protocol.

    The message names the host and the trouble, never a query string or a header. `retry_after` is
    how many seconds the host wants to be left alone, if it said so.
    """

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def request_json(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    total_seconds: float | None = None,
) -> tuple[int, Any]:
    """Return status and parsed body of one call, which is made twice when its first try fails.

    So it must be one that does no harm twice: a kept connection may have died while the
    environment was frozen, which only using it shows. A host that says when to come back is not
    asked again before. Redirects are not followed. Raises UpstreamError for time-outs (by default
    upstream_timeout_seconds, for both tries together), broken connections, 5xx, 429, bodies over
    MAX_BYTES and bodies that are not JSON.
    """
    seconds = settings().upstream_timeout_seconds if total_seconds is None else total_seconds
    with _time_limit(seconds, url) as deadline:
        try:
            status, body, retry_after = _call_once(method, url, headers, query, deadline)
        except UpstreamError:
            status, body, retry_after = 0, b"", None
        if status in _RETRIABLE and not retry_after:
            status, body, retry_after = _call_once(method, url, headers, query, deadline)
    if status >= 500 or status == 429 or 300 <= status < 400:  # noqa: PLR2004
        raise UpstreamError(f"{_host(url)} answered {status}", retry_after=retry_after)
    return status, _parse(url, status, body)


@contextmanager
def _time_limit(seconds: float, url: str) -> Iterator[float]:
    """Hold a block to a time, of which it is given the end; raises UpstreamError.

    The time-outs of a socket begin anew with each byte that drips in.
    """
    with time_limit(seconds, UpstreamError(f"{_host(url)} is too slow")):
        yield time.monotonic() + seconds


def _call_once(
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None,
    deadline: float,
) -> tuple[int, bytes, int | None]:
    """Return status, body, and what Retry-After says."""
    import urllib3  # noqa: PLC0415

    left = deadline - time.monotonic()
    if left <= 0:
        raise UpstreamError(f"{_host(url)} is too slow")
    try:
        response = _pool().request(
            method,
            url,
            fields=query,
            headers=headers,
            timeout=urllib3.Timeout(total=left, connect=min(CONNECT_SECONDS, left), read=left),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            body = _read(url, response)
        except BaseException:
            response.close()
            raise
        response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        logger.warning("upstream failed", extra={"host": _host(url), "cause": type(error).__name__})
        raise UpstreamError(f"{_host(url)}: {type(error).__name__}") from error
    return response.status, body, _seconds(response.headers.get("Retry-After", ""))


def _seconds(text: str) -> int | None:
    # The other form, a date, is as good as none: it would have to be read by two clocks.
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _read(url: str, response: BaseHTTPResponse) -> bytes:
    """Read piece by piece: a body may not swell past the memory."""
    body = bytearray()
    while piece := response.read1(64 * 1024, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise UpstreamError(f"{_host(url)} sent too much")
    return bytes(body)


def _parse(url: str, status: int, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamError(
            f"{_host(url)} answered {status} with something else than JSON"
        ) from error


def _host(url: str) -> str:
    return url.split("/", 3)[2]


@cache
def _pool() -> PoolManager:
    import urllib3  # noqa: PLC0415

    return urllib3.PoolManager(num_pools=4, maxsize=1)
