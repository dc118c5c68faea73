"""The run-time settings, read with a short memory: a change holds everywhere soon, not at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.envelope import RequestModel
from medianest.core.errors import AppError, ErrorCode, invalid_fields
from medianest.core.observability import logger
from medianest.core.validation import invalid_value
from medianest.rate_limits.policies import POLICIES, Policy, PolicyName
from medianest.system_config import registry, repository
from medianest.system_config.models import (
    AutoApproval,
    ConfigRow,
    Lifetimes,
    Quotas,
    SystemConfig,
)
from medianest.system_config.registry import Setting
from medianest.system_config.schemas import AutoApprovalIn, QuotasIn, RateLimitIn, SettingOut
from medianest.users.models import Principal, Quota, Role
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from psycopg import Connection

# How long an environment caches the settings.
CACHE_SECONDS = 30.0
# The pause after a read that failed.
RETRY_SECONDS = 2.0


def rate_limits() -> Mapping[PolicyName, Policy]:
    """Return every policy with the limit that holds now."""
    return _memory().current().rate_limits


def session_lifetimes() -> Lifetimes:
    """Return how long sessions last now."""
    return _memory().current().sessions


def quotas(role: Role) -> Quotas:
    """Return how much a role may ask for now."""
    return _memory().current().quotas[role]


def auto_approval(role: Role) -> AutoApproval:
    """Return what a role's requests need no decision for."""
    return _memory().current().auto_approval[role]


def audit_retention(connection: Connection[Any]) -> timedelta:
    """Return how long audit rows are kept, from the rows: what is deleted does not come back."""
    return parse(repository.rows(connection)).audit_retention


def list_settings() -> list[SettingOut]:
    """Return every setting as it holds now, by key."""
    with database().transaction() as connection:
        rows = _by_key(repository.rows(connection))
    return [_out(setting, rows) for _, setting in sorted(registry.SETTINGS.items())]


def find(key: str) -> Setting[Any]:
    """Return a setting by its key; raises NOT_FOUND."""
    setting = registry.SETTINGS.get(key)
    if setting is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return setting


def change(key: str, value: dict[str, Any], admin: Principal, caller: Caller) -> SettingOut:
    """Change a setting; raises NOT_FOUND or VALIDATION_ERROR, or as `lock_admin` does.

    It holds in this environment at once, elsewhere when the memory there has ended.
    """
    setting = find(key)
    try:
        new = _wire(setting.read(value))
    except ValidationError as error:
        raise invalid_value(error.errors(), "body", "value") from error
    _check_bounds(setting, new)
    with database().transaction() as connection:
        lock_admin(connection, admin)
        # Of several who write at once, each tells the audit log what the one before it wrote.
        repository.lock(connection)
        rows = _by_key(repository.rows(connection))
        former, held = _held(setting, rows)
        # Nothing changes, unless a row that cannot be understood is to be mended.
        if new == _wire(former) and rows.get(key) is held:
            return _out(setting, rows)
        row = repository.put(connection, key, new, admin.user_id)
        audit_repository.record(
            connection,
            Action.CONFIG_CHANGED,
            caller,
            user_id=admin.user_id,
            target=("config", key),
            details={"from": _wire(former), "to": new},
        )
    _memory().invalidate()
    return _out(setting, {key: row})


def _check_bounds(setting: Setting[Any], new: dict[str, Any]) -> None:
    problems = [
        (f"body.value.{name}", f"Must be from {least} to {most} for {setting.key}")
        for name, (least, most) in setting.bounds.items()
        if not least <= new[name] <= most
    ]
    if problems:
        raise invalid_fields(problems)


class Memory:
    """The settings as they were read last."""

    def __init__(self) -> None:
        self._config = parse(())
        self._fresh_until = 0.0

    def current(self) -> SystemConfig:
        """Return the settings, read again when they are old.

        While the database is down the last ones stay in force; an environment that has none yet
        starts with the defaults. It retries every RETRY_SECONDS.
        """
        # Not monotonic(), which may stand still while an environment is frozen.
        now = time.time()
        if not now < self._fresh_until <= now + CACHE_SECONDS:
            seconds = CACHE_SECONDS
            try:
                with database().transaction() as connection:
                    rows = repository.rows(connection)
                self._config = parse(rows)
            except AppError as error:
                logger.warning("system_config_unreadable", extra={"cause": error.code})
                seconds = min(RETRY_SECONDS, CACHE_SECONDS)
            self._fresh_until = time.time() + seconds
        return self._config

    def invalidate(self) -> None:
        """Make the next use read the settings."""
        self._fresh_until = 0.0


def parse(rows: Iterable[ConfigRow]) -> SystemConfig:
    """Return what rows say; one that cannot be understood is told to the log and left out."""
    stored = _by_key(rows)
    for key in stored.keys() - registry.SETTINGS.keys():
        _tell_ignored(key, "unknown key")

    def held[V: RequestModel](setting: Setting[V]) -> V:
        return _held(setting, stored)[0]

    lifetimes = held(registry.SESSION_LIFETIMES)
    return SystemConfig(
        rate_limits={
            **POLICIES,
            **{
                name: _policy(name, held(setting)) for name, setting in registry.RATE_LIMITS.items()
            },
        },
        sessions=Lifetimes(
            token=timedelta(days=lifetimes.token_days),
            idle=timedelta(days=lifetimes.idle_days),
            absolute=timedelta(days=lifetimes.absolute_days),
        ),
        quotas={role: _quotas(held(setting)) for role, setting in registry.REQUEST_QUOTAS.items()},
        auto_approval={
            role: _auto_approval(held(setting)) for role, setting in registry.AUTO_APPROVAL.items()
        },
        audit_retention=timedelta(days=held(registry.AUDIT_RETENTION).days),
    )


def _policy(name: PolicyName, value: RateLimitIn) -> Policy:
    return replace(POLICIES[name], limit=value.limit, window=value.window)


def _quotas(value: QuotasIn) -> Quotas:
    return Quotas(
        movies=Quota(value.movies.limit, value.movies.days),
        seasons=Quota(value.seasons.limit, value.seasons.days),
    )


def _auto_approval(value: AutoApprovalIn) -> AutoApproval:
    return AutoApproval(movie=value.movie, tv=value.tv)


def _by_key(rows: Iterable[ConfigRow]) -> dict[str, ConfigRow]:
    return {row.key: row for row in rows}


def _held[V: RequestModel](
    setting: Setting[V], rows: Mapping[str, ConfigRow]
) -> tuple[V, ConfigRow | None]:
    """Return the value that holds, and the row that says so."""
    row = rows.get(setting.key)
    if row is not None:
        try:
            return setting.read(row.value), row
        except ValidationError:
            _tell_ignored(row.key, "malformed value")
    return setting.default, None


def _tell_ignored(key: str, reason: str) -> None:
    logger.warning("setting_ignored", extra={"key": key, "cause": reason})


def _out(setting: Setting[Any], rows: Mapping[str, ConfigRow]) -> SettingOut:
    value, row = _held(setting, rows)
    return SettingOut(
        key=setting.key,
        value=_wire(value),
        default=_wire(setting.default),
        updated_at=None if row is None else row.updated_at,
        updated_by=None if row is None else row.updated_by,
    )


def _wire(value: RequestModel) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


@cache
def _memory() -> Memory:
    return Memory()
