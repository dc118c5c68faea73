"""The circuit breaker, shared through a real Valkey and, without it, alone."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from pydantic import SecretStr

from medianest.core import breaker as module
from medianest.core.breaker import FAILURES, MAX_PAUSE_SECONDS, OPEN_SECONDS, Breaker
from medianest.core.cache import Cache
from medianest.core.http import UpstreamError

HOST = "upstream.example.org:443"
STATE = f"{{breaker:{HOST}}}:state"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["shared", "alone"])
def url(request: pytest.FixtureRequest, environment: dict[str, str], keys: redis.Redis) -> str:
    """Return where the state is, and where it cannot be."""
    return environment["REDIS_URL"] if request.param == "shared" else NOWHERE


@pytest.fixture
def breaker(url: str) -> Breaker:
    return Breaker(Cache(SecretStr(url)), HOST)


@pytest.fixture
def lapse(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the time pass for which a host is left alone, here and there."""
    passed = 0.0
    now = time.time

    def pass_by() -> None:
        nonlocal passed
        passed += MAX_PAUSE_SECONDS
        keys.delete(STATE)

    monkeypatch.setattr(time, "time", lambda: now() + passed)
    return pass_by


def call(breaker: Breaker) -> None:
    """Make a call that goes well."""
    with breaker.guard():
        pass


def fail(breaker: Breaker, times: int = 1, retry_after: int | None = None) -> None:
    for _ in range(times):
        with pytest.raises(UpstreamError, match=r"^down$"), breaker.guard():
            raise UpstreamError("down", retry_after=retry_after)


def wait_of(breaker: Breaker) -> int:
    """Return how long an open breaker says to wait; its block must not run."""
    with pytest.raises(UpstreamError, match=r"circuit of .* is open") as caught, breaker.guard():
        pytest.fail("a call of a host that is to be left alone")
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def opened(text: str) -> int:
    return text.count('"BreakerOpened":[1.0]')


def test_five_failures_in_a_row_open_it(
    breaker: Breaker, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(breaker, FAILURES - 1)
    call(breaker)
    assert opened(capsys.readouterr().out) == 0
    fail(breaker, FAILURES - 1)
    call(breaker)
    fail(breaker, FAILURES)
    assert OPEN_SECONDS - 5 < wait_of(breaker) <= OPEN_SECONDS
    assert opened(capsys.readouterr().out) == 1


def test_then_one_call_is_tried_which_may_close_it(
    breaker: Breaker, lapse: Callable[[], None]
) -> None:
    fail(breaker, FAILURES)
    lapse()
    call(breaker)
    fail(breaker, FAILURES - 1)
    call(breaker)


def test_or_open_it_again(
    breaker: Breaker, lapse: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    fail(breaker, FAILURES)
    for _ in range(3):
        lapse()
        fail(breaker)
        assert wait_of(breaker) > OPEN_SECONDS - 5
    assert opened(capsys.readouterr().out) == 4
    lapse()
    call(breaker)
    call(breaker)


@pytest.mark.parametrize(("asked", "waits"), [(7, 7), (45, 45), (86_400, MAX_PAUSE_SECONDS)])
def test_a_host_that_says_when_to_come_back_is_left_alone_at_once(
    breaker: Breaker, lapse: Callable[[], None], asked: int, waits: int
) -> None:
    fail(breaker, retry_after=asked)
    assert waits - 5 < wait_of(breaker) <= waits
    lapse()
    call(breaker)
    call(breaker)


def test_an_error_of_our_own_says_nothing_of_the_host(breaker: Breaker) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(KeyError), breaker.guard():
            raise KeyError
    call(breaker)


def test_hosts_are_apart(breaker: Breaker, url: str) -> None:
    fail(breaker, FAILURES)
    call(Breaker(Cache(SecretStr(url)), "other.example.org"))
    assert wait_of(breaker)


class TestShared:
    """What many environments make of it together."""

    @pytest.fixture
    def breakers(self, environment: dict[str, str], keys: redis.Redis) -> list[Breaker]:
        url = SecretStr(environment["REDIS_URL"])
        return [Breaker(Cache(url), HOST) for _ in range(8)]

    def test_the_failures_of_all_count(self, breakers: list[Breaker]) -> None:
        for each in breakers[:FAILURES]:
            fail(each)
        for each in breakers:
            assert wait_of(each)

    def test_one_of_all_tries(
        self, breakers: list[Breaker], lapse: Callable[[], None], keys: redis.Redis
    ) -> None:
        fail(breakers[0], FAILURES)
        lapse()
        first, second, *_ = breakers
        with first.guard():
            assert 0 < wait_of(second) <= module.PROBE_SECONDS
        call(second)

    def test_one_of_all_tries_whoever_comes_at_once(
        self, breakers: list[Breaker], lapse: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        lapse()
        barrier = Barrier(len(breakers))

        def probe(breaker: Breaker) -> float:
            barrier.wait(20)
            return breaker._seconds_to_wait()

        with ThreadPoolExecutor(len(breakers)) as pool:
            waits = list(pool.map(probe, breakers))
        assert waits.count(0) == 1

    def test_a_try_that_never_comes_back_is_not_waited_for(
        self, breakers: list[Breaker], lapse: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        lapse()
        with pytest.raises(KeyboardInterrupt), breakers[0].guard():
            raise KeyboardInterrupt
        assert wait_of(breakers[1])
        lapse()
        call(breakers[1])

    def test_a_call_from_before_does_not_close_it(self, breakers: list[Breaker]) -> None:
        early, *others = breakers
        with early.guard():
            for each in others[:FAILURES]:
                fail(each)
        assert wait_of(early)

    def test_a_longer_pause_counts_and_a_shorter_does_not(self, breakers: list[Breaker]) -> None:
        first, second, third, *_ = breakers
        with first.guard(), second.guard(), third.guard():
            first._record_failure(20)
            second._record_failure(50)
            third._record_failure(2)
        assert 45 < wait_of(first) <= 50

    def test_every_key_expires(self, breakers: list[Breaker], keys: redis.Redis) -> None:
        fail(breakers[0], FAILURES)
        found = list(keys.scan_iter("{breaker:*"))
        assert len(found) == 2
        assert all(0 < keys.ttl(key) <= 600 for key in found)

    def test_nothing_is_left_of_one_that_is_closed(
        self, breakers: list[Breaker], keys: redis.Redis, lapse: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        lapse()
        call(breakers[1])
        assert list(keys.scan_iter("{breaker:*")) == []
