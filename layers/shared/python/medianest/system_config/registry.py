"""The registry of run-time settings: key, schema, default and description of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from medianest.core.envelope import RequestModel
from medianest.rate_limits.policies import POLICIES, PolicyName
from medianest.system_config.schemas import (
    AuditRetentionIn,
    AutoApprovalIn,
    QuotasIn,
    RateLimitIn,
    SessionLifetimesIn,
    SettingField,
    SignInPageIn,
)
from medianest.users.models import Role
from medianest.users.quota import QuotaIn


@cache
def _fields(model: type[RequestModel]) -> list[SettingField]:
    schema = model.model_json_schema()
    return _fields_of(schema, schema.get("$defs", {}), "")


def _fields_of(schema: dict[str, Any], models: dict[str, Any], prefix: str) -> list[SettingField]:
    found: list[SettingField] = []
    for name, own in schema["properties"].items():
        options = own.get("anyOf", [own])
        field_schema = next(each for each in options if each.get("type") != "null")
        if "$ref" in field_schema:
            nested = models[field_schema["$ref"].rpartition("/")[2]]
            found += _fields_of(nested, models, f"{prefix}{name}.")
            continue
        unit = "Length" if field_schema["type"] == "string" else "imum"
        found.append(
            SettingField(
                name=f"{prefix}{name}",
                type=field_schema["type"],
                minimum=field_schema.get(f"min{unit}"),
                maximum=field_schema.get(f"max{unit}"),
                nullable=len(options) > 1,
            )
        )
    return found


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

    def fields(self) -> list[SettingField]:
        """Return the fields of a value with their bounds, those of nested ones as `outer.inner`."""
        return [
            each.model_copy(update={"minimum": bounds[0], "maximum": bounds[1]})
            if (bounds := self.bounds.get(each.name))
            else each
            for each in _fields(type(self.default))
        ]


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
