"""API models of statistics."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import ResponseModel, Timestamp
from medianest.core.examples import USER_ID, Examples


class UserStats(ResponseModel):
    """Numbers of users."""

    total: int = Field(description="Number of users")
    active: int = Field(description="Number of active users")
    suspended: int = Field(description="Number of suspended users")
    admins: int = Field(description="Number of admins, active or suspended")


class RequestStats(ResponseModel):
    """Numbers of requests, by state, kind and age; cancelled requests are deleted."""

    total: int = Field(description="Number of requests")
    pending: int = Field(description="Number of pending requests")
    approved: int = Field(description="Number of approved requests")
    declined: int = Field(description="Number of declined requests")
    movies: int = Field(description="Number of requests for films")
    shows: int = Field(description="Number of requests for shows")
    last_7_days: int = Field(description="Number of requests made in the last 7 days")
    last_30_days: int = Field(description="Number of requests made in the last 30 days")
    oldest_pending_at: Timestamp | None = Field(
        default=None, description="Time of the oldest pending request"
    )


class SessionStats(ResponseModel):
    """Numbers of sessions."""

    active: int = Field(description="Number of active sessions: neither expired nor revoked")


class RequesterStats(ResponseModel):
    """A user and the number of their requests."""

    user_id: UUID = Field(description="Id of the user")
    username: str = Field(description="User name")
    requests: int = Field(description="Number of their requests in the last 30 days")


class DayStats(ResponseModel):
    """A day and the number of its requests."""

    day: date = Field(description="The day in UTC")
    requests: int = Field(description="Number of requests that were made on it")


class StatsOut(ResponseModel):
    """Statistics for a dashboard."""

    EXAMPLES: ClassVar[Examples] = {
        "now": {
            "users": {"total": 5, "active": 4, "suspended": 1, "admins": 1},
            "requests": {
                "total": 12,
                "pending": 2,
                "approved": 9,
                "declined": 1,
                "movies": 8,
                "shows": 4,
                "last7Days": 3,
                "last30Days": 12,
                "oldestPendingAt": "2026-01-05T20:15:30.120Z",
            },
            "sessions": {"active": 7},
            "requestsByDay": [{"day": "2026-01-06", "requests": 3}],
            "topRequesters": [{"userId": USER_ID, "username": "bob", "requests": 5}],
            "generatedAt": "2026-01-06T08:00:00.000Z",
        }
    }

    users: UserStats
    requests: RequestStats
    sessions: SessionStats
    requests_by_day: list[DayStats] = Field(
        description="The last 30 days, today included, the oldest first"
    )
    top_requesters: list[RequesterStats] = Field(
        description="Users with the most requests in the last 30 days, at most five"
    )
    generated_at: Timestamp = Field(description="Time of the count")
