"""A time limit interrupts a block of code that exceeds it."""

import signal
import time

import pytest

from medianest.core.deadline import time_limit


class InnerError(Exception):
    """The error of the inner limit."""


class OuterError(Exception):
    """The error of the outer limit."""


def timer() -> float:
    return signal.getitimer(signal.ITIMER_REAL)[0]


def spin(seconds: float) -> None:
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
        spin(10)
    assert caught.value is error
    assert timer() == 0


def nested(outer: float, inner: float, remaining: list[float]) -> None:
    """Exceed an inner limit, record the outer timer in `remaining`, and exceed the outer limit."""
    with time_limit(outer, OuterError()):
        with pytest.raises(InnerError), time_limit(inner, InnerError()):
            spin(10)
        remaining.append(timer())
        spin(10)


def test_the_outer_limit_continues_after_an_inner_one() -> None:
    remaining: list[float] = []
    with pytest.raises(OuterError):
        nested(1.0, 0.05, remaining)
    assert 0 < remaining[0] < 1.0
    assert timer() == 0


@pytest.mark.parametrize("inner", [0.05, 10])
def test_an_inner_limit_does_not_extend_the_outer_one(inner: float) -> None:
    with pytest.raises(OuterError):
        nested(0.05, inner, [])
    assert timer() == 0
