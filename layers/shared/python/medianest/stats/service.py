"""Counting for the dashboard."""

from contextlib import suppress

from medianest.core.cache import shared_cache
from medianest.core.clock import now
from medianest.core.db import database
from medianest.sessions import repository as sessions_repository
from medianest.stats import repository
from medianest.stats.schemas import SessionStats, StatsOut
from medianest.system_config.service import session_lifetimes

# To count everything takes long, and nobody decides anything by it.
CACHE_SECONDS = 60
_KEY = "stats"


def current() -> StatsOut:
    """Return how many users, requests and sessions there are, counted in the last minute."""
    kept = shared_cache().get(_KEY)
    if kept is not None:
        # Another release may have kept another shape: then it is counted anew.
        with suppress(ValueError):
            return StatsOut.model_validate_json(kept)
    counted = _count()
    shared_cache().set(_KEY, counted.model_dump_json(by_alias=True), seconds=CACHE_SECONDS)
    return counted


def _count() -> StatsOut:
    with database().transaction() as connection:
        return StatsOut(
            users=repository.users(connection),
            requests=repository.requests(connection),
            sessions=SessionStats(
                active=sessions_repository.count_live(connection, session_lifetimes().idle)
            ),
            top_requesters=repository.top_requesters(connection),
            generated_at=now(),
        )
