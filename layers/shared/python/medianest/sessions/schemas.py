"""API models of sessions."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import ResponseModel, Timestamp
from medianest.core.examples import Examples

SESSION_ID = "c7a9d1b4-2e63-4b0f-9f18-8d5e4a7b6c32"


class SessionOut(ResponseModel):
    """A session of the caller."""

    EXAMPLES: ClassVar[Examples] = {
        "this one": {
            "id": SESSION_ID,
            "createdAt": "2026-01-02T18:30:00.000Z",
            "lastSeenAt": "2026-01-05T20:15:30.120Z",
            "expiresAt": "2026-02-01T18:30:00.000Z",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "current": True,
        }
    }

    id: UUID = Field(description="Id of the session")
    created_at: Timestamp = Field(description="Time of the sign-in")
    last_seen_at: Timestamp = Field(description="Time of its last use, accurate to five minutes")
    expires_at: Timestamp = Field(description="Time when its token expires")
    ip: str = Field(
        description="IP address of the client; `0.0.0.0` in a test call of API Gateway's console"
    )
    user_agent: str = Field(description="`User-Agent` header of the client")
    current: bool = Field(description="Whether this call uses the session")
