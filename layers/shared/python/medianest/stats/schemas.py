"""Statistics on the wire."""

from uuid import UUID

from medianest.core.envelope import ResponseModel, Timestamp


class UserStats(ResponseModel):
    """How many people there are; `admins` are among the active and suspended ones."""

    total: int
    active: int
    suspended: int
    admins: int


class RequestStats(ResponseModel):
    """How many requests there are, by state, kind and age; cancelled ones are gone."""

    total: int
    pending: int
    approved: int
    declined: int
    movies: int
    shows: int
    last_7_days: int
    last_30_days: int
    oldest_pending_at: Timestamp | None = None


class SessionStats(ResponseModel):
    """How many sessions hold now."""

    active: int


class RequesterStats(ResponseModel):
    """Somebody and how much they asked for in the last 30 days."""

    user_id: UUID
    username: str
    requests: int


class StatsOut(ResponseModel):
    """What the dashboard shows."""

    users: UserStats
    requests: RequestStats
    sessions: SessionStats
    top_requesters: list[RequesterStats]
    generated_at: Timestamp
