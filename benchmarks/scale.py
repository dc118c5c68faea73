"""The size of a run."""

from dataclasses import dataclass

from benchmarks.fill import SMALL, Rows, large
from benchmarks.warm import SCHEDULED_CALLS


@dataclass(frozen=True, slots=True)
class Scale:
    """How often everything is measured, and with how many rows."""

    samples: int
    profiles: int
    rounds: int
    requests: int
    growth_calls: int
    large: Rows
    small: Rows = SMALL
    scheduled: int = SCHEDULED_CALLS
    is_quick: bool = False


FULL = Scale(
    samples=15, profiles=7, rounds=40, requests=5000, growth_calls=20, large=large(1_000_000)
)
QUICK = Scale(
    samples=5,
    profiles=3,
    rounds=10,
    requests=300,
    growth_calls=4,
    large=large(200_000),
    is_quick=True,
)
