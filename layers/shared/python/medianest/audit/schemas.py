"""API models of the audit log."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from medianest.audit.models import Action
from medianest.core.envelope import Id, PageQuery, ResponseModel, Timestamp
from medianest.core.examples import ADMIN_ID, REQUEST_ID, USER_ID, Examples

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _moment(value: object) -> datetime:
    # fromisoformat() would also accept dates, week dates, other separators, and no offset.
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValueError("Must be an existing date and time") from error
    raise ValueError("Must be a time like 2026-01-31T12:00:00Z")


type Moment = Annotated[datetime, BeforeValidator(_moment)]


class AuditQuery(PageQuery):
    """Filters of the audit log: a period includes its start and excludes its end."""

    user_id: Id | None = Field(
        default=None, description="Only actions of this user", examples=[USER_ID]
    )
    action: Action | None = Field(
        default=None, description="Only this kind of action", examples=["request.approved"]
    )
    since: Annotated[Moment | None, Field(alias="from")] = Field(
        default=None,
        description="Only actions at this time or later",
        examples=["2026-01-01T00:00:00Z"],
    )
    until: Annotated[Moment | None, Field(alias="to")] = Field(
        default=None, description="Only actions before this time", examples=["2026-02-01T00:00:00Z"]
    )

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError("Must not be before `from`")
        return until


class AuditLogOut(ResponseModel):
    """An action with its actor, target, time and origin."""

    EXAMPLES: ClassVar[Examples] = {
        "decision": {
            "id": "e4b1c9d7-3a52-4f0b-8c66-1d7e2f9a5b03",
            "userId": ADMIN_ID,
            "action": "request.approved",
            "targetType": "request",
            "targetId": REQUEST_ID,
            "details": {"note": "Fits on the disk"},
            "requestId": "c0ffee00-7a52-4d0e-9a56-2d1f2b7c9e11",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "createdAt": "2026-01-06T08:00:00.000Z",
            "userName": "alice",
            "targetName": "The Matrix",
        }
    }

    id: UUID = Field(description="Id of the audit row")
    user_id: UUID | None = Field(
        default=None,
        description="Id of the user who acted; absent without a session, or after the user's"
        " deletion",
    )
    action: str = Field(description="Kind of the action")
    target_type: str | None = Field(default=None, description="Kind of the action's target")
    target_id: str | None = Field(
        default=None, description="Id of the action's target; absent for a session"
    )
    details: dict[str, Any] = Field(description="Further facts, which depend on the action")
    request_id: str = Field(description="Id of the API call, as in its `X-Request-Id` header")
    ip: str = Field(
        description="IP address of the client; `0.0.0.0` in a test call of API Gateway's console"
    )
    user_agent: str = Field(description="`User-Agent` header of the client")
    created_at: Timestamp = Field(description="Time of the action")
    user_name: str | None = Field(default=None, description="Present name of the user who acted")
    target_name: str | None = Field(
        default=None,
        description="Present name of a user or server, or title of a request; absent once it is"
        " deleted",
    )
