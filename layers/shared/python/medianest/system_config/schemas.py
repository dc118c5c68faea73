"""The values of settings; the API and the table `system_config` have them in the same form."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from medianest.core.envelope import RequestModel
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
