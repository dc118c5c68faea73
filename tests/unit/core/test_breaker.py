"""The circuit breaker within one environment; tests/integration tests the shared state."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.core.breaker import FAILURES, OPEN_SECONDS, Breaker
from medianest.core.http import UpstreamError
from tests.support.canned import NoCache


def outcome(breaker: Breaker, *, host_is_up: bool) -> str:
    """Make a call; return `up`, `down`, or `open` if the breaker made no call."""

    def call() -> None:
        if not host_is_up:
            raise UpstreamError("down")

    try:
        with breaker.guard():
            call()
    except UpstreamError as error:
        return "down" if str(error) == "down" else "open"
    return "up"


@given(calls=st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, OPEN_SECONDS])), max_size=60))
def test_five_consecutive_failures_open_the_breaker_for_its_period(
    calls: list[tuple[bool, int]],
) -> None:
    now = 1_800_000_000.0
    consecutive_failures, open_until = 0, now
    breaker = Breaker(NoCache(), "upstream.example.org")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "time", lambda: now)
        for host_is_up, seconds in calls:
            now += seconds
            result = outcome(breaker, host_is_up=host_is_up)
            if consecutive_failures >= FAILURES and now < open_until:
                assert result == "open"
            elif host_is_up:
                assert result == "up"
                consecutive_failures = 0
            else:
                assert result == "down"
                consecutive_failures += 1
                open_until = now + OPEN_SECONDS
