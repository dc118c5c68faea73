"""Every setting that an admin can change while the service runs: its key, shape and default."""

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
)
from medianest.users.models import Role
from medianest.users.schemas import QuotaIn


@dataclass(frozen=True, slots=True)
class Setting[V: RequestModel]:
    """One of them; without a row the default holds.

    `bounds` hold the fields of a new value more tightly than its type does.
    """

    key: str
    default: V
    about: str
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def read(self, value: Any) -> V:
        """Return a value typed; raises pydantic's ValidationError."""
        return type(self.default).model_validate(value)


_NO_LIMIT = QuotaIn(limit=None, days=7)
_ROLES: Mapping[Role, str] = {"admin": "admins", "user": "users"}

RATE_LIMITS: Mapping[PolicyName, Setting[RateLimitIn]] = {
    name: Setting(
        f"rateLimit.{name}",
        RateLimitIn(limit=policy.limit, window=policy.window),
        f"How many calls in how many seconds the policy `{name}` allows",
        {"limit": (policy.least, 1000), "window": (1, policy.longest)},
    )
    for name, policy in POLICIES.items()
    if not policy.fixed
}
SESSION_LIFETIMES = Setting(
    "session.lifetimes",
    # A token lives 30 days (section 5 of the contract); the other two only bound it.
    SessionLifetimesIn(tokenDays=30, idleDays=30, absoluteDays=90),
    "How long a token lives, a session unused, and a session in all, however often it is refreshed",
)
REQUEST_QUOTAS: Mapping[Role, Setting[QuotasIn]] = {
    role: Setting(
        f"requestQuota.{role}",
        QuotasIn(movies=_NO_LIMIT, seasons=_NO_LIMIT),
        f"How many films and how many seasons {whose} may ask for in so many days",
    )
    for role, whose in _ROLES.items()
}
AUTO_APPROVAL: Mapping[Role, Setting[AutoApprovalIn]] = {
    role: Setting(
        f"autoApprove.{role}",
        AutoApprovalIn(movie=False, tv=False),
        f"Whether films and shows that {whose} ask for are approved at once",
    )
    for role, whose in _ROLES.items()
}
AUDIT_RETENTION = Setting(
    "audit.retention", AuditRetentionIn(days=365), "How long rows of the audit log are kept"
)

SETTINGS: Mapping[str, Setting[Any]] = {
    setting.key: setting
    for setting in (
        *RATE_LIMITS.values(),
        SESSION_LIFETIMES,
        *REQUEST_QUOTAS.values(),
        *AUTO_APPROVAL.values(),
        AUDIT_RETENTION,
    )
}
