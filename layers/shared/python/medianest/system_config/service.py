"""The run-time settings, cached: a change applies everywhere within CACHE_SECONDS."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from medianest.core.db import database
from medianest.core.envelope import RequestModel
from medianest.core.errors import AppError
from medianest.core.observability import logger
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
    SignInPageIn,
)
from medianest.users.models import Quota, Role

if TYPE_CHECKING:
    from psycopg import Connection

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


def invalidate() -> None:
    """Make the next use read the settings again."""
    _settings_cache().invalidate()


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
    stored = by_key(rows)
    for key in stored.keys() - registry.SETTINGS.keys():
        _log_ignored(key, "unknown key")

    def current[V: RequestModel](setting: Setting[V]) -> V:
        return current_value(setting, stored)[0]

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


def by_key(rows: Iterable[ConfigRow]) -> dict[str, ConfigRow]:
    """Return rows by their key."""
    return {row.key: row for row in rows}


def current_value[V: RequestModel](
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


@cache
def _settings_cache() -> SettingsCache:
    return SettingsCache()
