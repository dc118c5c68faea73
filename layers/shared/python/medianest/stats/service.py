"""Counting for the dashboard."""

from medianest.core.clock import now
from medianest.core.db import database
from medianest.sessions import repository as sessions
from medianest.settings.service import session_lifetimes
from medianest.stats import repository
from medianest.stats.schemas import SessionStats, StatsOut


def current() -> StatsOut:
    """Count users, requests and sessions."""
    with database().transaction() as connection:
        return StatsOut(
            users=repository.users(connection),
            requests=repository.requests(connection),
            sessions=SessionStats(active=sessions.count_live(connection, session_lifetimes().idle)),
            top_requesters=repository.top_requesters(connection),
            generated_at=now(),
        )
