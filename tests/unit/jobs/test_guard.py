"""No call that changes anything outlives the lease of its job."""

import pytest

from medianest.jobs import guard, protocol, worker
from medianest.jobs.guard import Guard


class Clocks:
    """The monotonic clock and the wall clock, moved by hand."""

    def __init__(self) -> None:
        self.passed_monotonic = self.passed_wall = 0.0

    def monotonic(self) -> float:
        return 1000 + self.passed_monotonic

    def time(self) -> float:
        return 1_700_000_000 + self.passed_wall


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(guard, "time", clocks)
    return clocks


@pytest.mark.parametrize(
    ("monotonic", "wall", "left", "may"),
    [
        (0, 0, 120, True),
        (105, 105, 120, True),
        (105.1, 105, 120, False),
        # The environment was frozen, and the monotonic clock with it.
        (1, 105.1, 120, False),
        # The wall clock was set back.
        (105.1, -3600, 120, False),
        (0, 0, 35, True),
        (0, 0, 34.9, False),
    ],
)
def test_a_call_begins_only_with_45_seconds_of_the_lease_and_35_of_the_run_left(
    clocks: Clocks, monotonic: float, wall: float, left: float, *, may: bool
) -> None:
    one = Guard(lambda: left)
    clocks.passed_monotonic, clocks.passed_wall = monotonic, wall
    assert one.may_change() is may


def test_a_lease_outlives_a_run_and_a_run_that_begins_may_change_something() -> None:
    assert protocol.LEASE_SECONDS - 120 >= 30  # the time-out of the function, and one call
    assert worker.MIN_SECONDS_LEFT > guard.MIN_RUN_SECONDS
