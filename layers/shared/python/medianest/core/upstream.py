"""Calls of one upstream host: one rule for time-outs, retries, the breaker and `Retry-After`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from medianest.core import http
from medianest.core.breaker import MAX_PAUSE_SECONDS, Breaker
from medianest.core.environment import environment
from medianest.core.errors import AppError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medianest.core.cache import Cache

# The `Retry-After` for callers where the host sent none.
RETRY_AFTER_SECONDS = 5


class Upstream:
    """One host, behind its circuit breaker."""

    def __init__(self, base_url: str, cache: Cache) -> None:
        self._base_url = base_url
        self.host = urlsplit(base_url).netloc
        self._breaker = Breaker(cache, self.host)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        budget: http.Budget | None = None,
    ) -> tuple[int, Any]:
        """Return status and body of a call, within the time left of a budget.

        Raises UpstreamError when there is no answer or the circuit is open. Only missing answers
        count as failures: a 4xx or an invalid body does not, or one bad query could open the
        circuit for everybody.
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
    """Return the error with a `Retry-After`: the host's own if it sent one."""
    wanted = error.retry_after if isinstance(error, http.UpstreamError) else None
    seconds = min(max(wanted or 0, RETRY_AFTER_SECONDS), MAX_PAUSE_SECONDS)
    return AppError(code, headers={"Retry-After": str(seconds)})
