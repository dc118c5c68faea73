"""The registry of run-time settings: key, schema, default and description of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medianest.core.envelope import RequestModel
from medianest.rate_limits.policies import POLICIES, PolicyName
from medianest.system_config.schemas import (
    AuditRetentionIn,
    AutoApprovalIn,
    QuotasIn,
    RateLimitIn,
    SessionLifetimesIn,
    SignInPageIn,
)
from medianest.users.models import Role
from medianest.users.quota import QuotaIn


@dataclass(frozen=True, slots=True)
class Setting[V: RequestModel]:
    """A run-time setting; without a row, the default applies.

    `bounds` are the minimum and maximum of fields of a new value. They are stricter than the
    schema, which stored values must match.
    """

    key: str
    default: V
    description: str
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def read(self, value: Any) -> V:
        """Parse a value; raises pydantic's ValidationError."""
        return type(self.default).model_validate(value)


_NO_LIMIT = QuotaIn(limit=None, days=7)
_ROLES: Mapping[Role, str] = {"admin": "admins", "user": "users"}

RATE_LIMITS: Mapping[PolicyName, Setting[RateLimitIn]] = {
    name: Setting(
        f"rateLimit.{name}",
        RateLimitIn(limit=policy.limit, window=policy.window),
        f"Number of calls (`limit`) that the policy `{name}` allows in `window` seconds",
        {"limit": (policy.min_limit, 1000), "window": (1, policy.max_window)},
    )
    for name, policy in POLICIES.items()
    if not policy.fixed
}
SESSION_LIFETIMES = Setting(
    "session.lifetimes",
    # A token is valid for 30 days (section 5 of the contract); the other two are upper bounds.
    SessionLifetimesIn(tokenDays=30, idleDays=30, absoluteDays=90),
    "Lifetimes of a token, of an unused session, and of a session despite refreshes",
)
REQUEST_QUOTAS: Mapping[Role, Setting[QuotasIn]] = {
    role: Setting(
        f"requestQuota.{role}",
        QuotasIn(movies=_NO_LIMIT, seasons=_NO_LIMIT),
        f"Numbers of films and seasons (`limit`) that {role_plural} may request in `days` days",
    )
    for role, role_plural in _ROLES.items()
}
AUTO_APPROVAL: Mapping[Role, Setting[AutoApprovalIn]] = {
    role: Setting(
        f"autoApprove.{role}",
        AutoApprovalIn(movie=False, tv=False),
        f"Whether requests of {role_plural} for films and for shows are approved automatically",
    )
    for role, role_plural in _ROLES.items()
}
AUDIT_RETENTION = Setting(
    "audit.retention", AuditRetentionIn(days=365), "Time until rows of the audit log are deleted"
)
SIGN_IN_PAGE = Setting(
    "signIn.page",
    SignInPageIn(name="MediaNest", plex=True, local=True),
    "Name of your community, and whether the sign-in page offers accounts of Plex and local ones."
    " The API accepts both kinds in any case",
)

SETTINGS: Mapping[str, Setting[Any]] = {
    setting.key: setting
    for setting in (
        *RATE_LIMITS.values(),
        SESSION_LIFETIMES,
        *REQUEST_QUOTAS.values(),
        *AUTO_APPROVAL.values(),
        AUDIT_RETENTION,
        SIGN_IN_PAGE,
    )
}
