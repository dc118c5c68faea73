"""The circuit breaker of one environment; tests/integration has the one shared by many."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from medianest.core.breaker import FAILURES, OPEN_SECONDS, Breaker
from medianest.core.cache import Cache
from medianest.core.http import UpstreamError


class NoCache(Cache):
    """A cache that is down."""

    def __init__(self) -> None:
        super().__init__(SecretStr("redis://cache.invalid"))

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> None:
        return None


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
def test_a_host_is_left_alone_after_five_failures_in_a_row_and_for_as_long_as_said(
    calls: list[tuple[bool, int]],
) -> None:
    now = 1_800_000_000.0
    in_a_row, open_until = 0, now
    breaker = Breaker(NoCache(), "upstream.example.org")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "time", lambda: now)
        for host_is_up, seconds in calls:
            now += seconds
            result = outcome(breaker, host_is_up=host_is_up)
            if in_a_row >= FAILURES and now < open_until:
                assert result == "open"
            elif host_is_up:
                assert result == "up"
                in_a_row = 0
            else:
                assert result == "down"
                in_a_row += 1
                open_until = now + OPEN_SECONDS
