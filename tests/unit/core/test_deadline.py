"""A time limit interrupts a block of code when its time is over."""

import signal
import time

import pytest

from medianest.core.deadline import time_limit


class InnerError(Exception):
    """The error of the inner of two limits."""


class OuterError(Exception):
    """The error of the outer of two limits."""


def timer() -> float:
    return signal.getitimer(signal.ITIMER_REAL)[0]


def wait(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


def test_a_block_within_its_limit_is_not_interrupted() -> None:
    previous = signal.getsignal(signal.SIGALRM)
    with time_limit(10, InnerError()):
        assert timer() > 0
    assert timer() == 0
    assert signal.getsignal(signal.SIGALRM) is previous


def test_a_block_past_its_limit_is_interrupted() -> None:
    error = InnerError("too slow")
    with pytest.raises(InnerError) as caught, time_limit(0.05, error):
        wait(10)
    assert caught.value is error
    assert timer() == 0


def nested(outer: float, inner: float, remaining: list[float]) -> None:
    """Exceed an inner limit, record the outer timer in `remaining`, and exceed the outer limit."""
    with time_limit(outer, OuterError()):
        with pytest.raises(InnerError), time_limit(inner, InnerError()):
            wait(10)
        remaining.append(timer())
        wait(10)


def test_an_inner_limit_leaves_the_outer_one_what_is_left() -> None:
    remaining: list[float] = []
    with pytest.raises(OuterError):
        nested(1.0, 0.05, remaining)
    assert 0 < remaining[0] < 1.0
    assert timer() == 0


@pytest.mark.parametrize("inner", [0.05, 10])
def test_an_inner_limit_never_prolongs_the_outer_one(inner: float) -> None:
    with pytest.raises(OuterError):
        nested(0.05, inner, [])
    assert timer() == 0
