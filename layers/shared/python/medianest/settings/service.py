"""Reads the run-time settings, with a short memory: a change holds everywhere soon, not at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

from pydantic import ValidationError

from medianest.core.db import database
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.core.rate_limit import POLICIES, Policy, PolicyName
from medianest.settings import repository
from medianest.settings.models import DEFAULTS, ConfigRow, Lifetimes, SystemConfig
from medianest.settings.schemas import RateLimitIn, SessionLifetimesIn

# For how long an environment goes by what it has read.
CACHE_SECONDS = 30.0
RATE_LIMIT_PREFIX = "rateLimit."
SESSION_LIFETIMES = "session.lifetimes"


def rate_limits() -> Mapping[PolicyName, Policy]:
    """Return every policy with the limit that holds now."""
    return _memory().current().rate_limits


def session_lifetimes() -> Lifetimes:
    """Return how long sessions last now."""
    return _memory().current().sessions


class Memory:
    """The settings as they were read last."""

    def __init__(self) -> None:
        self._config = DEFAULTS
        self._read_at = 0.0

    def current(self) -> SystemConfig:
        """Return the settings, read anew when they are old.

        While the database is down the last ones hold, for an environment that has none yet the
        defaults, and it is asked no more often than otherwise.
        """
        # Not monotonic(), which may stand still while an environment is frozen.
        if abs(time.time() - self._read_at) >= CACHE_SECONDS:
            try:
                with database().transaction() as connection:
                    rows = repository.rows(connection)
                self._config = parse(rows)
            except AppError as error:
                logger.warning("settings not read", extra={"code": error.code})
            self._read_at = time.time()
        return self._config


def parse(rows: Sequence[ConfigRow]) -> SystemConfig:
    """Return what rows say; one that cannot be understood is told to the log and left out."""
    limits = dict(POLICIES)
    lifetimes = DEFAULTS.sessions
    names = {f"{RATE_LIMIT_PREFIX}{name}": name for name in POLICIES}
    for row in rows:
        try:
            if row.key in names:
                limit = RateLimitIn.model_validate(row.value)
                name = names[row.key]
                limits[name] = replace(POLICIES[name], limit=limit.limit, window=limit.window)
            elif row.key == SESSION_LIFETIMES:
                lifetimes = _lifetimes(SessionLifetimesIn.model_validate(row.value))
            else:
                logger.warning("setting ignored", extra={"key": row.key, "reason": "unknown key"})
        except ValidationError:
            logger.warning("setting ignored", extra={"key": row.key, "reason": "malformed value"})
    return SystemConfig(rate_limits=limits, sessions=lifetimes)


def _lifetimes(value: SessionLifetimesIn) -> Lifetimes:
    return Lifetimes(
        token=timedelta(days=value.token_days),
        idle=timedelta(days=value.idle_days),
        absolute=timedelta(days=value.absolute_days),
    )


@cache
def _memory() -> Memory:
    return Memory()
