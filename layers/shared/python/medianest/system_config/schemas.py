"""Settings on the wire; their values are kept in `system_config` as they are sent."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator

from medianest.core.envelope import RequestModel, ResponseModel, Timestamp
from medianest.users.schemas import QuotaIn


class RateLimitIn(RequestModel):
    """How many calls in how many seconds."""

    limit: Annotated[int, Field(ge=1, le=1000)]
    window: Annotated[int, Field(ge=1, le=86_400)]


class SessionLifetimesIn(RequestModel):
    """How many days a token lives, a session unused, and a session in all."""

    token_days: Annotated[int, Field(ge=1, le=30)]
    idle_days: Annotated[int, Field(ge=1, le=90)]
    absolute_days: Annotated[int, Field(ge=1, le=365)]

    @field_validator("absolute_days")
    @classmethod
    def _longest(cls, days: int, info: ValidationInfo) -> int:
        if days < max(info.data.values(), default=0):
            raise ValueError("Must be at least tokenDays and idleDays")
        return days


class QuotasIn(RequestModel):
    """Films are counted by request, shows by season."""

    movies: QuotaIn
    seasons: QuotaIn


class AutoApprovalIn(RequestModel):
    """Whether requests for films, and for shows, are approved as they are made."""

    movie: bool
    tv: bool


class AuditRetentionIn(RequestModel):
    """For how many days audit rows are kept; never fewer than an investigation looks back."""

    days: Annotated[int, Field(ge=90, le=3650)]


class SettingIn(RequestModel):
    """A new value; what it must have depends on the key."""

    value: dict[str, Any]


class SettingOut(ResponseModel):
    """A setting; without `updated_at` nobody has changed it, and the default holds."""

    key: str
    value: dict[str, Any]
    default: dict[str, Any]
    updated_at: Timestamp | None = None
    updated_by: UUID | None = None
