"""The run-time settings, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from medianest.rate_limits.policies import Policy, PolicyName
from medianest.users.models import UNLIMITED, Quota, Role


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A row of `system_config`, as it is."""

    key: str
    value: Any
    updated_at: datetime
    updated_by: UUID | None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions last: a token; unused; and in all, however often it is refreshed."""

    token: timedelta
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Quotas:
    """Films are counted by request, shows by season."""

    movies: Quota = UNLIMITED
    seasons: Quota = UNLIMITED


@dataclass(frozen=True, slots=True)
class AutoApproval:
    """Whose requests need no decision of an admin."""

    movie: bool = False
    tv: bool = False


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """What holds now."""

    rate_limits: Mapping[PolicyName, Policy]
    sessions: Lifetimes
    quotas: Mapping[Role, Quotas]
    auto_approval: Mapping[Role, AutoApproval]
    audit_retention: timedelta
