"""A service that we depend on: how it is called, and how what it sends is read.

Every call of plex.tv and TMDB goes through here: one rule for time, repeats, the breaker and
`Retry-After`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from medianest.core import http
from medianest.core.breaker import MAX_PAUSE_SECONDS, Breaker
from medianest.core.config import settings
from medianest.core.errors import AppError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medianest.core.cache import Cache

# The wait for callers where the host named none.
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
        """Return status and body of a call, which also keeps to the time left of a budget.

        Raises UpstreamError when there is no answer or the host is left alone. Only that counts
        against the host: a refusal (4xx) or fields of no sense do not, or a question that the host
        does not like could keep it from everybody.
        """
        seconds = settings().upstream_timeout_seconds
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
    """Return the error that tells a caller when to come back, as the host said if it did."""
    wanted = error.retry_after if isinstance(error, http.UpstreamError) else None
    seconds = min(max(wanted or 0, RETRY_AFTER_SECONDS), MAX_PAUSE_SECONDS)
    return AppError(code, headers={"Retry-After": str(seconds)})
