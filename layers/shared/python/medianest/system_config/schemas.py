"""API models of settings; the table `system_config` stores their values in the same form."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from medianest.core.envelope import RequestModel, ResponseModel, Timestamp
from medianest.core.examples import ADMIN_ID, Examples
from medianest.core.text import clean_name
from medianest.users.quota import QuotaIn


class RateLimitIn(RequestModel):
    """A rate limit: a number of calls in a window of seconds."""

    limit: Annotated[int, Field(ge=1, le=1000)]
    window: Annotated[int, Field(ge=1, le=86_400)]


class SessionLifetimesIn(RequestModel):
    """Lifetimes in days: of a token, of an unused session, and of any session."""

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
    """Default quotas: films are counted by request, shows by season."""

    movies: QuotaIn
    seasons: QuotaIn


class AutoApprovalIn(RequestModel):
    """Whether requests for films and for shows are approved automatically."""

    movie: bool
    tv: bool


class AuditRetentionIn(RequestModel):
    """Number of days to keep audit rows; the minimum leaves time for investigations."""

    days: Annotated[int, Field(ge=90, le=3650)]


class SignInPageIn(RequestModel):
    """The name of the community, and the kinds of accounts that the sign-in page offers."""

    name: Annotated[str, BeforeValidator(clean_name), Field(min_length=1, max_length=60)]
    plex: bool
    local: bool

    @field_validator("local")
    @classmethod
    def _any(cls, local: bool, info: ValidationInfo) -> bool:
        if not local and info.data.get("plex") is False:
            raise ValueError("Must be true if plex is false")
        return local


class SettingIn(RequestModel):
    """A new value of a setting."""

    EXAMPLES: ClassVar[Examples] = {
        "a rate limit": {"value": {"limit": 60, "window": 60}},
        "only if unchanged": {
            "value": {"limit": 60, "window": 60},
            "expected": {"limit": 30, "window": 60},
        },
    }

    value: dict[str, Any] = Field(description="New value; its fields depend on the key")
    expected: dict[str, Any] | None = Field(
        default=None,
        description="Value that the caller saw; if the current one differs, nothing changes",
    )


class SettingOut(ResponseModel):
    """A setting."""

    EXAMPLES: ClassVar[Examples] = {
        "changed": {
            "key": "rateLimit.search",
            "value": {"limit": 60, "window": 60},
            "default": {"limit": 30, "window": 60},
            "updatedAt": "2026-01-06T08:00:00.000Z",
            "updatedBy": ADMIN_ID,
        },
        "default": {
            "key": "audit.retention",
            "value": {"days": 365},
            "default": {"days": 365},
        },
    }

    key: str = Field(description="Name of the setting")
    value: dict[str, Any] = Field(description="Current value; its fields depend on the key")
    default: dict[str, Any] = Field(description="Value that applies until an admin changes it")
    updated_at: Timestamp | None = Field(
        default=None, description="Time of the last change; absent while the default applies"
    )
    updated_by: UUID | None = Field(
        default=None, description="Id of the admin who made the last change"
    )
