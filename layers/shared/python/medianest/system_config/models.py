"""The run-time settings, typed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from medianest.rate_limits.policies import Policy, PolicyName
from medianest.users.models import Quota, QuotaKind, Role

UNLIMITED = Quota(limit=None, days=7)


class ConfigRow(NamedTuple):
    """A row of `system_config`, not validated."""

    key: str
    value: Any
    updated_at: datetime
    updated_by: UUID | None
    updated_by_name: str | None = None


class Lifetimes(NamedTuple):
    """The lifetimes of a token, of an unused session, and of a session despite refreshes."""

    token: timedelta
    idle: timedelta
    absolute: timedelta


class Quotas(NamedTuple):
    """The quotas of a role; films count by request, shows by season."""

    movies: Quota = UNLIMITED
    seasons: Quota = UNLIMITED

    def of(self, kind: QuotaKind) -> Quota:
        """Return the quota of films or of seasons."""
        return self.movies if kind == "movies" else self.seasons


class AutoApproval(NamedTuple):
    """The media types of which requests are approved automatically."""

    movie: bool = False
    tv: bool = False


class SignInPage(NamedTuple):
    """The name of the community, and the kinds of accounts that the sign-in page offers."""

    name: str
    plex: bool
    local: bool


class SystemConfig(NamedTuple):
    """The current values of all run-time settings."""

    rate_limits: Mapping[PolicyName, Policy]
    sessions: Lifetimes
    quotas: Mapping[Role, Quotas]
    auto_approval: Mapping[Role, AutoApproval]
    audit_retention: timedelta
    sign_in_page: SignInPage
