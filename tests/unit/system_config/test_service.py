"""Rows of system_config: invalid ones are ignored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.rate_limits.policies import POLICIES
from medianest.system_config.models import AutoApproval, ConfigRow, Lifetimes, Quotas
from medianest.system_config.registry import SETTINGS
from medianest.system_config.service import parse
from medianest.users.models import Quota

LIFETIMES = {"tokenDays": 30, "idleDays": 30, "absoluteDays": 90}


def row(key: str, value: Any) -> ConfigRow:
    return ConfigRow(key, value, updated_at=datetime(2026, 1, 1, tzinfo=UTC), updated_by=None)


def test_the_keys_equal_those_of_the_contract() -> None:
    assert set(SETTINGS) == {
        *(f"rateLimit.{name}" for name, policy in POLICIES.items() if not policy.fixed),
        "session.lifetimes",
        "requestQuota.admin",
        "requestQuota.user",
        "autoApprove.admin",
        "autoApprove.user",
        "audit.retention",
        "signIn.page",
    }


def test_defaults_apply_without_rows() -> None:
    config = parse(())
    assert config.rate_limits == POLICIES
    assert config.sessions == Lifetimes(timedelta(days=30), timedelta(days=30), timedelta(days=90))
    assert config.quotas == {"admin": Quotas(), "user": Quotas()}
    assert config.quotas["user"].movies == Quota(limit=None, days=7)
    assert config.auto_approval == {"admin": AutoApproval(), "user": AutoApproval()}
    assert config.audit_retention == timedelta(days=365)


def test_every_kind_of_row_is_parsed() -> None:
    quotas = {"movies": {"limit": 0, "days": 1}, "seasons": {"limit": None, "days": 365}}
    config = parse(
        [
            row("rateLimit.api", {"limit": 1000, "window": 86_400}),
            row("session.lifetimes", {"tokenDays": 1, "idleDays": 2, "absoluteDays": 3}),
            row("requestQuota.user", quotas),
            row("autoApprove.admin", {"movie": True, "tv": False}),
            row("audit.retention", {"days": 90}),
        ]
    )
    api = config.rate_limits["api"]
    assert (api.name, api.limit, api.window, api.fallback) == ("api", 1000, 86_400, "memory")
    assert config.rate_limits["search"] == POLICIES["search"]
    assert config.sessions == Lifetimes(timedelta(days=1), timedelta(days=2), timedelta(days=3))
    assert config.quotas == {
        "admin": Quotas(),
        "user": Quotas(Quota(limit=0, days=1), Quota(limit=None, days=365)),
    }
    assert config.auto_approval == {
        "admin": AutoApproval(movie=True, tv=False),
        "user": AutoApproval(),
    }
    assert config.audit_retention == timedelta(days=90)


@pytest.mark.parametrize("key", sorted(SETTINGS))
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"limit": "5"}, {"nothing": 1}])
def test_an_invalid_row_is_ignored(key: str, value: Any) -> None:
    assert parse([row(key, value)]) == parse(())


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_each_default_is_a_valid_value(key: str) -> None:
    setting = SETTINGS[key]
    default = setting.default.model_dump(mode="json", by_alias=True)
    assert setting.read(default) == setting.default
    for name, (minimum, maximum) in setting.bounds.items():
        assert minimum <= default[name] <= maximum


numbers = st.one_of(st.integers(-10, 5000), st.floats(), st.booleans(), st.none())
names = st.sampled_from(
    ["limit", "window", "days", "movie", "tv", "movies", "seasons", *LIFETIMES, "other"]
)
values = st.recursive(
    st.one_of(numbers, st.text(max_size=3)),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=6,
)


@given(rows=st.dictionaries(st.sampled_from([*sorted(SETTINGS), "unknown"]), values))
def test_any_rows_give_a_configuration_within_its_bounds(rows: dict[str, Any]) -> None:
    config = parse([row(key, value) for key, value in rows.items()])
    assert config.rate_limits.keys() == POLICIES.keys()
    for policy in config.rate_limits.values():
        assert 1 <= policy.limit <= 1000
        assert 1 <= policy.window <= 86_400
    assert timedelta(days=1) <= config.sessions.token <= config.sessions.absolute
    assert timedelta(days=1) <= config.sessions.idle <= config.sessions.absolute
    for quotas in config.quotas.values():
        for quota in (quotas.movies, quotas.seasons):
            assert quota.limit is None or 0 <= quota.limit <= 1000
            assert 1 <= quota.days <= 365
    assert timedelta(days=90) <= config.audit_retention <= timedelta(days=3650)
