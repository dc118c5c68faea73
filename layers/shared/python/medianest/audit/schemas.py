"""The audit log on the wire."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from medianest.audit.models import Action
from medianest.core.envelope import Id, PageQuery, ResponseModel, Timestamp

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _moment(value: object) -> datetime:
    # fromisoformat() would also take dates, week dates, other separators, and no offset.
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValueError("There is no such time") from error
    raise ValueError("Must be a time like 2026-01-31T12:00:00Z")


type Moment = Annotated[datetime, BeforeValidator(_moment)]


class AuditQuery(PageQuery):
    """Filters of the audit log: from a moment on, and up to another that does not belong to it."""

    user_id: Id | None = None
    action: Action | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError("Must not be before `from`")
        return until


class AuditLogOut(ResponseModel):
    """Who did what to whom, when and from where."""

    id: UUID
    user_id: UUID | None = None
    action: str
    target_type: str | None = None
    target_id: str | None = None
    details: dict[str, Any]
    request_id: str
    ip: str
    user_agent: str
    created_at: Timestamp
