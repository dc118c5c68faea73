"""Calls to one upstream host, with timeout, retry, circuit breaker and `Retry-After`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from medianest.core import http
from medianest.core.breaker import MAX_PAUSE_SECONDS, Breaker
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medianest.core.cache import Cache

# The minimum `Retry-After` for callers, and the default when the host sent none.
RETRY_AFTER_SECONDS = 5


class Upstream:
    """One host, behind its circuit breaker."""

    def __init__(self, base_url: str, cache: Cache) -> None:
        self._base_url = base_url
        self.host = urlsplit(base_url).netloc
        self._breaker = Breaker(cache, self.host)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        budget: http.Budget | None = None,
    ) -> tuple[int, Any]:
        """Return status and parsed body of a call; the remaining time of a budget limits it.

        Raises UpstreamError when the call fails or the circuit is open. A 4xx does not count as a
        failure, because one bad query must not open the circuit for all callers.
        """
        seconds = environment().upstream_timeout_seconds
        if budget is not None:
            seconds = min(seconds, budget.seconds_left)
        with self._breaker.guard():
            return http.request_json(
                method,
                self._base_url + path,
                headers=headers,
                query=query,
                total_seconds=seconds,
            )


def unavailable(code: ErrorCode, error: Exception | None = None) -> AppError:
    """Return the error with a `Retry-After`: that of the host, limited to a range."""
    requested = error.retry_after if isinstance(error, http.UpstreamError) else None
    seconds = min(max(requested or 0, RETRY_AFTER_SECONDS), MAX_PAUSE_SECONDS)
    return AppError(code, headers={"Retry-After": str(seconds)})
