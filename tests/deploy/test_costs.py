"""The costs of `scale` in docs/operations.md match the resources of the profile."""

import re

from tests.deploy.test_prices import costs_by_the_hour
from tests.support.stacks import all_stacks
from tools.docs import costs

SCALE = all_stacks()["scale"]
PRICED = {
    name for each in costs.SCALE_BY_THE_HOUR for name in re.findall(r"`(.+?)`", each.resource)
}


# Charged with the resource they belong to; the account's first three dashboards are free.
FREE = {
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::Function",  # its SnapStart snapshots
    "AWS::RDS::DBProxyTargetGroup",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::WAFv2::WebACLAssociation",
}


def test_everything_that_costs_by_the_hour_has_a_price() -> None:
    for each in SCALE.resources.values():
        if costs_by_the_hour(each) and each.type not in FREE:
            assert {each.id, each.type} & PRICED, each


def test_every_price_is_of_something_that_is_made() -> None:
    made = {name for each in SCALE.resources.values() for name in (each.id, each.type)}
    assert made >= PRICED


def test_alarms_are_counted() -> None:
    for profile in ("hobby", "scale"):
        alarms = all_stacks()[profile].of("AWS::CloudWatch::Alarm")
        assert len(alarms) == costs.ALARMS


def test_snapshots_are_as_large_as_the_functions() -> None:
    functions = [
        each
        for each in SCALE.of("AWS::Lambda::Function")
        if each.get("SnapStart.ApplyOn", "None") != "None"
    ]
    gigabytes = sum(each.get("MemorySize") for each in functions) / 1024
    assert abs(gigabytes - costs.SNAPSHOTS_GB) < 0.01


def test_sizes_are_the_profiles() -> None:
    amounts = " ".join(each.amount for each in costs.SCALE_BY_THE_HOUR)
    for name in ("DatabaseInstanceClass", "CacheNodeType"):
        assert str(SCALE.parameters[name]) in amounts
    assert f"{SCALE.parameters['DatabaseStorageGb']} GiB" in amounts
