"""The sliding window log: exact in every window, with headers, and all keys are charged or none."""

import math
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.rate_limits.policies import POLICIES, Policy, digest, network
from medianest.rate_limits.sliding_window import (
    HEADERS,
    Bucket,
    LimitResult,
    MemoryLog,
    headers,
    refusal,
)


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def bucket(limit: int, window: int, subject: str = "x") -> Bucket:
    return Bucket(Policy("api", limit, window, "memory"), subject)


def result(name: str, remaining: int, wait: float, *, refused: bool = False) -> LimitResult:
    policy = POLICIES[name]  # type: ignore[index]  # a key that exists
    return LimitResult(policy, remaining, wait, math.ceil(1000 + wait), refused, first=refused)


class TestPolicies:
    def test_policies_equal_those_of_the_contract(self) -> None:
        assert {
            name: (policy.limit, policy.window, policy.fallback)
            for name, policy in POLICIES.items()
        } == {
            "api": (100, 60, "memory"),
            "auth": (10, 60, "database"),
            "plex-pin": (5, 300, "database"),
            "plex-verify": (90, 60, "database"),
            "login": (5, 900, "database"),
            "password": (3, 3600, "database"),
            "search": (30, 60, "memory"),
            "media-request": (20, 3600, "memory"),
            "admin": (100, 60, "memory"),
            "docs": (60, 60, "memory"),
            "admin-config": (60, 60, "memory"),
            "server-test": (10, 60, "memory"),
        }

    def test_all_keys_are_in_one_slot_and_differ_by_policy_and_subject(self) -> None:
        keys = {
            Bucket(policy, subject).key for policy in POLICIES.values() for subject in ("a", "b")
        }
        assert len(keys) == 2 * len(POLICIES)
        assert {key.partition("}")[0] for key in keys} == {"{rl"}


class TestLimitKeys:
    @pytest.mark.parametrize(
        ("ip", "expected"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ],
    )
    def test_an_ip_address_is_counted_by_its_network(self, ip: str, expected: str) -> None:
        assert network(ip) == expected

    def test_the_key_of_an_account_is_a_digest(self) -> None:
        assert "ann" not in digest("ann@example.com")
        assert len(digest("x" * 60_000)) == 64

    @pytest.mark.parametrize(
        "other", [" ann@example.com ", "ANN@Example.com", "\uff41nn@example.com"]
    )
    def test_spellings_of_one_account_share_a_key(self, other: str) -> None:
        assert digest(other) == digest("ann@example.com")

    def test_different_accounts_have_different_keys(self) -> None:
        assert digest("ann@example.com") != digest("anna@example.com")


class TestMemoryLog:
    def test_calls_over_the_limit_are_refused_until_the_window_moves(self, clock: Clock) -> None:
        log, buckets = MemoryLog(), [bucket(3, 60)]
        for remaining in (2, 1, 0):
            (outcome,) = log.hit(buckets)
            assert (outcome.refused, outcome.remaining, outcome.wait) == (False, remaining, 60.0)
        clock.now += 20
        (outcome,) = log.hit(buckets)
        assert (outcome.refused, outcome.remaining, outcome.wait) == (True, 0, 40.0)
        assert outcome.resets_at == clock.now + 40
        clock.now += 39.9
        assert log.hit(buckets)[0].refused
        clock.now += 0.1
        assert not log.hit(buckets)[0].refused

    def test_only_the_first_refusal_in_a_window_is_marked_as_first(self, clock: Clock) -> None:
        log, buckets = MemoryLog(), [bucket(1, 60)]
        log.hit(buckets)
        assert [log.hit(buckets)[0].first for _ in range(3)] == [True, False, False]
        assert log.hit([bucket(1, 60, "y")])[0].first is False
        clock.now += 60
        assert not log.hit(buckets)[0].refused
        assert [log.hit(buckets)[0].first for _ in range(2)] == [True, False]

    def test_a_call_is_charged_to_all_keys_or_none(self, clock: Clock) -> None:
        log, tight, wide = MemoryLog(), bucket(1, 60, "tight"), bucket(5, 60, "wide")
        assert [outcome.remaining for outcome in log.hit([tight, wide])] == [0, 4]
        for _ in range(3):
            outcomes = log.hit([tight, wide])
            assert [outcome.refused for outcome in outcomes] == [True, False]
            assert [outcome.remaining for outcome in outcomes] == [0, 4]
        assert log.hit([wide])[0].remaining == 3

    def test_refused_calls_do_not_extend_the_wait(self, clock: Clock) -> None:
        log, buckets = MemoryLog(), [bucket(1, 60)]
        log.hit(buckets)
        for _ in range(59):
            clock.now += 1
            assert log.hit(buckets)[0].refused
        clock.now += 1
        assert not log.hit(buckets)[0].refused

    def test_a_lower_limit_applies_immediately(self, clock: Clock) -> None:
        log = MemoryLog()
        for _ in range(5):
            log.hit([bucket(5, 60)])
            clock.now += 10
        (outcome,) = log.hit([bucket(2, 60)])
        # Four of the five calls must expire first. The fourth was at 30 s and the time is 50 s.
        assert (outcome.refused, outcome.remaining, outcome.wait) == (True, 0, 40.0)

    def test_the_memory_log_is_bounded(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(MemoryLog, "MAX_KEYS", 3)
        log = MemoryLog()
        for subject in "abcd":
            log.hit([bucket(1, 60, subject)])
        assert [log.hit([bucket(1, 60, subject)])[0].refused for subject in "bcd"] == [True] * 3
        assert not log.hit([bucket(1, 60, "a")])[0].refused

    @given(
        st.integers(1, 5),
        st.integers(1, 5),
        st.lists(st.floats(0, 4, allow_nan=False), max_size=60),
    )
    def test_no_window_has_more_calls_than_the_limit(
        self,
        clock: Clock,
        limit: int,
        window: int,
        pauses: list[float],
    ) -> None:
        log = MemoryLog()
        accepted: list[float] = []
        for pause in pauses:
            clock.now += pause
            (outcome,) = log.hit([bucket(limit, window)])
            in_window = [
                accepted_at for accepted_at in accepted if accepted_at > clock.now - window
            ]
            assert outcome.refused == (len(in_window) >= limit)
            if outcome.refused:
                assert 0 < outcome.wait <= window
            else:
                accepted.append(clock.now)
                assert outcome.remaining == limit - len(in_window) - 1


class TestHeaders:
    def test_a_call_without_a_policy_has_no_headers(self) -> None:
        assert headers([]) == {}

    def test_all_policies_are_listed_with_the_strictest_first(self) -> None:
        sent_headers = headers([result("auth", 9, 59.2), result("plex-pin", 4, 299.0)])
        assert tuple(sent_headers.values()) == (
            "5",
            "4",
            "1299",
            '"plex-pin";q=5;w=300, "auth";q=10;w=60',
            '"plex-pin";r=4;t=299, "auth";r=9;t=60',
        )
        assert tuple(sent_headers) == HEADERS

    def test_a_policy_with_two_subjects_is_listed_once_with_the_fewest_remaining(self) -> None:
        sent_headers = headers(
            [result("login", 4, 900), result("login", 2, 30), result("auth", 9, 60)]
        )
        assert sent_headers["RateLimit"] == '"login";r=2;t=30, "auth";r=9;t=60'
        assert sent_headers["RateLimit-Policy"] == '"login";q=5;w=900, "auth";q=10;w=60'

    def test_the_longest_wait_of_several_refusals_is_sent(self) -> None:
        results = [
            result("auth", 0, 12.3, refused=True),
            result("plex-pin", 0, 200.1, refused=True),
        ]
        error = refusal(results)
        assert error is not None
        assert error.headers == {"Retry-After": "201"}
        assert error.details == {
            "policy": "plex-pin",
            "limit": 5,
            "window": 300,
            "retryAfter": 201,
        }
        assert headers(results)["X-RateLimit-Limit"] == "5"

    def test_retry_after_is_at_least_a_second(self) -> None:
        error = refusal([result("api", 0, 0.0, refused=True)])
        assert error is not None
        assert error.headers == {"Retry-After": "1"}

    @pytest.mark.parametrize("make", [list, lambda: [result("api", 0, 60)]])
    def test_an_allowed_call_has_no_error(self, make: Callable[[], list[LimitResult]]) -> None:
        assert refusal(make()) is None
