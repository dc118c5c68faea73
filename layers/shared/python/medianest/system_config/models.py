"""The run-time settings, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from medianest.core.caller import Role
from medianest.rate_limits.policies import Policy, PolicyName


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A row of `system_config`, not validated."""

    key: str
    value: Any
    updated_at: datetime
    updated_by: UUID | None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The lifetimes of a token, of an unused session, and of a session despite refreshes."""

    token: timedelta
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Quota:
    """The maximum number of requested items in any period of `days` days; None is unlimited."""

    limit: int | None = None
    days: int = 7


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of a role; films count by request, shows by season."""

    movies: Quota = Quota()
    seasons: Quota = Quota()


@dataclass(frozen=True, slots=True)
class AutoApproval:
    """The media types of which requests are approved automatically."""

    movie: bool = False
    tv: bool = False


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """The current values of all run-time settings."""

    rate_limits: Mapping[PolicyName, Policy]
    sessions: Lifetimes
    quotas: Mapping[Role, Quotas]
    auto_approval: Mapping[Role, AutoApproval]
    audit_retention: timedelta
