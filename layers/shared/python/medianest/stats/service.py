"""Statistics for the dashboard, cached."""

from contextlib import suppress

from medianest.core.cache import shared_cache
from medianest.core.clock import now
from medianest.core.db import database
from medianest.sessions import repository as sessions_repository
from medianest.stats import repository
from medianest.stats.schemas import SessionStats, StatsOut
from medianest.system_config.service import session_lifetimes

# Counting is slow, and a dashboard needs no exact numbers.
CACHE_SECONDS = 60
_KEY = "stats"


def current() -> StatsOut:
    """Return the numbers of users, requests and sessions, at most CACHE_SECONDS old."""
    cached = shared_cache().get(_KEY)
    if cached is not None:
        # A value of another release may have another schema: treat it as a cache miss.
        with suppress(ValueError):
            return StatsOut.model_validate_json(cached)
    stats = _count()
    shared_cache().set(_KEY, stats.model_dump_json(by_alias=True), seconds=CACHE_SECONDS)
    return stats


def _count() -> StatsOut:
    with database().transaction() as connection:
        return StatsOut(
            users=repository.users(connection),
            requests=repository.requests(connection),
            sessions=SessionStats(
                active=sessions_repository.count_live(connection, session_lifetimes().idle)
            ),
            requests_by_day=repository.requests_by_day(connection),
            top_requesters=repository.top_requesters(connection),
            generated_at=now(),
        )
