"""Outbound HTTP: JSON from one known host, within a time and a size."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from medianest.core.observability import logger

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_SECONDS = 1.0
TOTAL_SECONDS = 4.0
MAX_BYTES = 2 * 1024 * 1024
_RETRIABLE = frozenset({502, 503, 504})


class UpstreamError(Exception):
    """The other side cannot be reached in time or does not speak its protocol.

    The message names the host and the trouble, never a query string or a header.
    """


def request_json(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    total_seconds: float = TOTAL_SECONDS,
) -> tuple[int, Any]:
    """Return status and parsed body of one call; a GET is tried twice when its first try fails.

    Redirects are not followed. Raises UpstreamError for time-outs, broken connections, 5xx, 429,
    bodies over MAX_BYTES and bodies that are not JSON.
    """
    deadline = time.monotonic() + total_seconds
    attempts = 2 if method == "GET" else 1
    for left in reversed(range(attempts)):
        try:
            status, body = _call_once(method, url, headers, query, deadline)
        except UpstreamError:
            if not left or time.monotonic() + CONNECT_SECONDS > deadline:
                raise
            continue
        if status in _RETRIABLE and left and time.monotonic() + CONNECT_SECONDS < deadline:
            continue
        if status >= 500 or status == 429 or 300 <= status < 400:  # noqa: PLR2004
            raise UpstreamError(f"{_host(url)} answered {status}")
        return status, _parse(url, status, body)
    raise UpstreamError(f"{_host(url)} gave no answer")


def _call_once(
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None,
    deadline: float,
) -> tuple[int, bytes]:
    import urllib3  # noqa: PLC0415

    left = deadline - time.monotonic()
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
            body = _read(url, response, deadline)
        except BaseException:
            response.close()
            raise
        response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        logger.warning("upstream failed", extra={"host": _host(url), "cause": type(error).__name__})
        raise UpstreamError(f"{_host(url)}: {type(error).__name__}") from error
    return response.status, body


def _read(url: str, response: BaseHTTPResponse, deadline: float) -> bytes:
    """Read piece by piece: a body may neither drip past the deadline nor swell past the memory."""
    body = bytearray()
    while piece := response.read1(64 * 1024, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise UpstreamError(f"{_host(url)} sent too much")
        if time.monotonic() > deadline:
            raise UpstreamError(f"{_host(url)} is too slow")
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
