"""The run-time settings, cached: a change applies everywhere within CACHE_SECONDS."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.envelope import RequestModel
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_fields
from medianest.core.observability import logger
from medianest.core.validation import invalid_value
from medianest.rate_limits.policies import POLICIES, Policy, PolicyName
from medianest.system_config import registry, repository
from medianest.system_config.models import (
    AutoApproval,
    ConfigRow,
    Lifetimes,
    Quotas,
    SignInPage,
    SystemConfig,
)
from medianest.system_config.registry import Setting
from medianest.system_config.schemas import (
    AutoApprovalIn,
    QuotasIn,
    RateLimitIn,
    SettingOut,
    SignInPageIn,
)
from medianest.users.models import Principal, Quota, Role
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.system_config.schemas import SettingIn

# The time that an environment caches the settings.
CACHE_SECONDS = 30.0
# The pause after a failed read.
RETRY_SECONDS = 2.0


def rate_limits() -> Mapping[PolicyName, Policy]:
    """Return every policy with its current limit."""
    return _settings_cache().current().rate_limits


def session_lifetimes() -> Lifetimes:
    """Return the current lifetimes of sessions."""
    return _settings_cache().current().sessions


def quotas(role: Role) -> Quotas:
    """Return the current quotas of a role."""
    return _settings_cache().current().quotas[role]


def auto_approval(role: Role) -> AutoApproval:
    """Return the current automatic approval of a role's requests."""
    return _settings_cache().current().auto_approval[role]


def sign_in_page() -> SignInPage:
    """Return the current content of the sign-in page."""
    return _settings_cache().current().sign_in_page


def audit_retention(connection: Connection[Any]) -> timedelta:
    """Return the retention of audit rows; it is not cached, because deletions are final."""
    return parse(repository.rows(connection)).audit_retention


def list_settings() -> list[SettingOut]:
    """Return every setting with its current value, sorted by key."""
    rows = _by_key(database().read(repository.named_rows))
    return [_out(setting, rows) for _, setting in sorted(registry.SETTINGS.items())]


def find(key: str) -> Setting[Any]:
    """Return a setting by its key; raises NOT_FOUND."""
    setting = registry.SETTINGS.get(key)
    if setting is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return setting


def change(key: str, body: SettingIn, admin: Principal, caller: Caller) -> SettingOut:
    """Change a setting; raises NOT_FOUND or VALIDATION_ERROR, or as `lock_admin` does.

    Raises EDIT_CONFLICT if the setting has another value than the caller expects.

    The change applies in this environment at once, and in others when their cache expires.
    """
    setting = find(key)
    try:
        new = _wire(setting.read(body.value))
    except ValidationError as error:
        raise invalid_value(error.errors(), "body", "value") from error
    _check_bounds(setting, new)
    with database().transaction() as connection:
        lock_admin(connection, admin)
        # Serialise writers, so that each audit row has the value of the previous writer.
        repository.lock(connection)
        rows = _by_key(repository.named_rows(connection))
        old, current_row = _current_value(setting, rows)
        if body.expected not in (None, _wire(old)):
            raise AppError(ErrorCode.EDIT_CONFLICT, details=_conflict(_out(setting, rows)))
        # Skip an unchanged value, unless it replaces an invalid row.
        if new == _wire(old) and rows.get(key) is current_row:
            return _out(setting, rows)
        row = repository.put(connection, key, new, admin.user_id)
        audit_repository.record(
            connection,
            Action.CONFIG_CHANGED,
            caller,
            user_id=admin.user_id,
            target=("config", key),
            details={"from": _wire(old), "to": new},
        )
    _settings_cache().invalidate()
    return _out(setting, {key: row})


def _conflict(current: SettingOut) -> dict[str, Any]:
    """Return the details of a refusal: the current value, and who set it when."""
    fields = {"value", "updated_at", "updated_by_name"}
    return current.model_dump(mode="json", by_alias=True, exclude_none=True, include=fields)


def _check_bounds(setting: Setting[Any], new: dict[str, Any]) -> None:
    problems = [
        (f"body.value.{name}", f"Must be from {minimum} to {maximum} for {setting.key}")
        for name, (minimum, maximum) in setting.bounds.items()
        if not minimum <= new[name] <= maximum
    ]
    if problems:
        raise invalid_fields(problems)


class SettingsCache:
    """The settings of this environment, read from the database every CACHE_SECONDS."""

    def __init__(self) -> None:
        self._config = parse(())
        self._fresh_until = 0.0

    def current(self) -> SystemConfig:
        """Return the settings, read again after CACHE_SECONDS.

        While the database is down, the last settings apply, or the defaults before the first read.
        The read is retried every RETRY_SECONDS.
        """
        # Wall clock: the monotonic clock may stop while the environment is frozen.
        now = time.time()
        if not now < self._fresh_until <= now + CACHE_SECONDS:
            seconds = CACHE_SECONDS
            try:
                self._config = parse(database().read(repository.rows))
            except AppError as error:
                logger.warning("system_config_unreadable", extra={"cause": error.code})
                seconds = min(RETRY_SECONDS, CACHE_SECONDS)
            self._fresh_until = time.time() + seconds
        return self._config

    def invalidate(self) -> None:
        """Read the settings again on the next use."""
        self._fresh_until = 0.0


def parse(rows: Iterable[ConfigRow]) -> SystemConfig:
    """Return the settings in rows; an invalid row is logged, and its default applies."""
    stored = _by_key(rows)
    for key in stored.keys() - registry.SETTINGS.keys():
        _log_ignored(key, "unknown key")

    def current[V: RequestModel](setting: Setting[V]) -> V:
        return _current_value(setting, stored)[0]

    lifetimes = current(registry.SESSION_LIFETIMES)
    return SystemConfig(
        rate_limits={
            **POLICIES,
            **{
                name: _policy(name, current(setting))
                for name, setting in registry.RATE_LIMITS.items()
            },
        },
        sessions=Lifetimes(
            token=timedelta(days=lifetimes.token_days),
            idle=timedelta(days=lifetimes.idle_days),
            absolute=timedelta(days=lifetimes.absolute_days),
        ),
        quotas={
            role: _quotas(current(setting)) for role, setting in registry.REQUEST_QUOTAS.items()
        },
        auto_approval={
            role: _auto_approval(current(setting))
            for role, setting in registry.AUTO_APPROVAL.items()
        },
        audit_retention=timedelta(days=current(registry.AUDIT_RETENTION).days),
        sign_in_page=_sign_in_page(current(registry.SIGN_IN_PAGE)),
    )


def _policy(name: PolicyName, value: RateLimitIn) -> Policy:
    return POLICIES[name]._replace(limit=value.limit, window=value.window)


def _quotas(value: QuotasIn) -> Quotas:
    return Quotas(
        movies=Quota(value.movies.limit, value.movies.days),
        seasons=Quota(value.seasons.limit, value.seasons.days),
    )


def _auto_approval(value: AutoApprovalIn) -> AutoApproval:
    return AutoApproval(movie=value.movie, tv=value.tv)


def _sign_in_page(value: SignInPageIn) -> SignInPage:
    return SignInPage(name=value.name, plex=value.plex, local=value.local)


def _by_key(rows: Iterable[ConfigRow]) -> dict[str, ConfigRow]:
    return {row.key: row for row in rows}


def _current_value[V: RequestModel](
    setting: Setting[V], rows: Mapping[str, ConfigRow]
) -> tuple[V, ConfigRow | None]:
    """Return the current value of a setting, and its row unless the default applies."""
    row = rows.get(setting.key)
    if row is not None:
        try:
            return setting.read(row.value), row
        except ValidationError:
            _log_ignored(row.key, "malformed value")
    return setting.default, None


def _log_ignored(key: str, reason: str) -> None:
    logger.warning("setting_ignored", extra={"key": key, "cause": reason})


def _out(setting: Setting[Any], rows: Mapping[str, ConfigRow]) -> SettingOut:
    value, row = _current_value(setting, rows)
    return SettingOut(
        key=setting.key,
        value=_wire(value),
        default=_wire(setting.default),
        updated_at=None if row is None else row.updated_at,
        updated_by=None if row is None else row.updated_by,
        updated_by_name=None if row is None else row.updated_by_name,
        fields=setting.fields(),
    )


def _wire(value: RequestModel) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


@cache
def _settings_cache() -> SettingsCache:
    return SettingsCache()
