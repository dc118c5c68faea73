"""The run-time settings, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from medianest.core.rate_limit import POLICIES, Policy, PolicyName


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A row of `system_config`, as it is."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions last: a token; unused; and in all, however often it is refreshed."""

    token: timedelta
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """What holds now; the defaults are what holds without a row."""

    rate_limits: Mapping[PolicyName, Policy]
    sessions: Lifetimes


DEFAULTS = SystemConfig(
    rate_limits=POLICIES,
    # A token lives 30 days (section 5 of the contract); the other two only bound it.
    sessions=Lifetimes(timedelta(days=30), timedelta(days=30), timedelta(days=90)),
)
