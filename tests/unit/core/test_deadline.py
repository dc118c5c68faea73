"""A block of code is over when its time is, whatever it waits for."""

import signal
import time

import pytest

from medianest.core.deadline import time_limit


class InnerError(Exception):
    """What the inner of two limits raises."""


class OuterError(Exception):
    """What the outer of two limits raises."""


def timer() -> float:
    return signal.getitimer(signal.ITIMER_REAL)[0]


def wait(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


def test_a_block_within_its_limit_is_not_interrupted() -> None:
    former = signal.getsignal(signal.SIGALRM)
    with time_limit(10, InnerError()):
        assert timer() > 0
    assert timer() == 0
    assert signal.getsignal(signal.SIGALRM) is former


def test_a_block_past_its_limit_is_interrupted() -> None:
    error = InnerError("too slow")
    with pytest.raises(InnerError) as caught, time_limit(0.05, error):
        wait(10)
    assert caught.value is error
    assert timer() == 0


def nested(outer: float, inner: float, seen: list[float]) -> None:
    """Run out of an inner limit within an outer one, and go on until that is over too."""
    with time_limit(outer, OuterError()):
        with pytest.raises(InnerError), time_limit(inner, InnerError()):
            wait(10)
        seen.append(timer())
        wait(10)


def test_an_inner_limit_leaves_the_outer_one_what_is_left() -> None:
    seen: list[float] = []
    with pytest.raises(OuterError):
        nested(1.0, 0.05, seen)
    assert 0 < seen[0] < 1.0
    assert timer() == 0


@pytest.mark.parametrize("inner", [0.05, 10])
def test_an_inner_limit_never_prolongs_the_outer_one(inner: float) -> None:
    with pytest.raises(OuterError):
        nested(0.05, inner, [])
    assert timer() == 0
