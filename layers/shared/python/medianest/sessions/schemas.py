"""Sessions on the wire."""

from uuid import UUID

from medianest.core.envelope import ResponseModel, Timestamp


class SessionOut(ResponseModel):
    """One of one's own sessions; `current` is the one that asks."""

    id: UUID
    created_at: Timestamp
    last_seen_at: Timestamp
    expires_at: Timestamp
    ip: str
    user_agent: str
    current: bool
