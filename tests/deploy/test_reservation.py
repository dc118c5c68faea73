"""`make doctor` knows how much of the account's concurrency the template reserves."""

from types import SimpleNamespace

import pytest

from tests.support.bounded import LIMITS
from tests.support.cloudformation import REGION, resolve
from tests.support.stacks import all_stacks
from tools.doctor import account, settings
from tools.doctor.finding import Deployment


def level(given: list[str], environments: int) -> str:
    """Return what the check finds for an account with a quota of environments."""
    names = ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
    limit = {"AccountLimit": dict.fromkeys(names, environments)}
    stack = {"StackStatus": "REVIEW_IN_PROGRESS"}
    aws = SimpleNamespace(
        get_account_settings=lambda: limit, describe_stacks=lambda **_: {"Stacks": [stack]}
    )
    parameters = settings.parameters("hobby", given)
    (finding,) = account.concurrency(Deployment(parameters, "medianest", REGION, lambda _: aws))
    return finding.level


@pytest.mark.parametrize(
    ("option", "more"),
    [({}, 0), ({"JwtRotationDays": "31"}, 1), ({"SecretStore": "parameterstore"}, 1)],
)
def test_the_fixed_reservation_is_that_of_the_template(option: dict[str, str], more: int) -> None:
    base = all_stacks()["hobby and concurrency limits"]
    stack = resolve(base.template, {**base.parameters, **option})
    reserved = sum(
        int(each.get("ReservedConcurrentExecutions")) for each in stack.of("AWS::Lambda::Function")
    )
    limits = sum(map(int, LIMITS.values()))
    assert reserved == limits + account.FIXED_RESERVATION + more
    given = [f"{name}={value}" for name, value in (LIMITS | option).items()]
    assert level(given, reserved + 100) == "ok"
    assert level(given, reserved + 99) == "failure"
