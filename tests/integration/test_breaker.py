"""The circuit breaker, shared through a real Valkey or local to one environment."""

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


@pytest.fixture(params=["shared", "local"])
def url(request: pytest.FixtureRequest, environment: dict[str, str], keys: redis.Redis) -> str:
    """Return the address of the shared cache, or one where nothing listens: the state is local."""
    return environment["REDIS_URL"] if request.param == "shared" else NOWHERE


@pytest.fixture
def breaker(url: str) -> Breaker:
    return Breaker(Cache(SecretStr(url)), HOST)


@pytest.fixture
def end_pause(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that ends the pause of an open breaker, shared and local."""
    elapsed = 0.0
    now = time.time

    def expire() -> None:
        nonlocal elapsed
        elapsed += MAX_PAUSE_SECONDS
        keys.delete(STATE)

    monkeypatch.setattr(time, "time", lambda: now() + elapsed)
    return expire


def succeed(breaker: Breaker) -> None:
    """Make a call that succeeds."""
    with breaker.guard():
        pass


def fail(breaker: Breaker, times: int = 1, retry_after: int | None = None) -> None:
    for _ in range(times):
        with pytest.raises(UpstreamError, match=r"^down$"), breaker.guard():
            raise UpstreamError("down", retry_after=retry_after)


def seconds_to_wait(breaker: Breaker) -> int:
    """Return the seconds until an open breaker allows a call; check that its block does not run."""
    with pytest.raises(UpstreamError, match=r"circuit of .* is open") as caught, breaker.guard():
        pytest.fail("the host was called while the breaker is open")
    assert caught.value.retry_after is not None
    return caught.value.retry_after


def count_openings(text: str) -> int:
    return text.count('"BreakerOpened":[1.0]')


def test_five_consecutive_failures_open_the_breaker(
    breaker: Breaker, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(breaker, FAILURES - 1)
    succeed(breaker)
    assert count_openings(capsys.readouterr().out) == 0
    fail(breaker, FAILURES - 1)
    succeed(breaker)
    fail(breaker, FAILURES)
    assert OPEN_SECONDS - 5 < seconds_to_wait(breaker) <= OPEN_SECONDS
    assert count_openings(capsys.readouterr().out) == 1


def test_successful_probe_closes_the_breaker(
    breaker: Breaker, end_pause: Callable[[], None]
) -> None:
    fail(breaker, FAILURES)
    end_pause()
    succeed(breaker)
    fail(breaker, FAILURES - 1)
    succeed(breaker)


def test_a_clock_that_is_set_back_does_not_prolong_the_pause(
    breaker: Breaker, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(breaker, FAILURES)
    keys.delete(STATE)  # the clock of the cache ends it
    past = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: past)
    succeed(breaker)


def test_failed_probe_opens_the_breaker_again(
    breaker: Breaker, end_pause: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    fail(breaker, FAILURES)
    for _ in range(3):
        end_pause()
        fail(breaker)
        assert seconds_to_wait(breaker) > OPEN_SECONDS - 5
    assert count_openings(capsys.readouterr().out) == 4
    end_pause()
    succeed(breaker)
    succeed(breaker)


@pytest.mark.parametrize(
    ("retry_after", "expected_wait"), [(7, 7), (45, 45), (86_400, MAX_PAUSE_SECONDS)]
)
def test_retry_after_opens_the_breaker_immediately(
    breaker: Breaker, end_pause: Callable[[], None], retry_after: int, expected_wait: int
) -> None:
    fail(breaker, retry_after=retry_after)
    assert expected_wait - 5 < seconds_to_wait(breaker) <= expected_wait
    end_pause()
    succeed(breaker)
    succeed(breaker)


def test_other_exceptions_do_not_count_as_failures(breaker: Breaker) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(KeyError), breaker.guard():
            raise KeyError
    succeed(breaker)


def test_each_host_has_its_own_breaker(breaker: Breaker, url: str) -> None:
    fail(breaker, FAILURES)
    succeed(Breaker(Cache(SecretStr(url)), "other.example.org"))
    assert seconds_to_wait(breaker)


class TestShared:
    """Environments share the state of the breaker."""

    @pytest.fixture
    def breakers(self, environment: dict[str, str], keys: redis.Redis) -> list[Breaker]:
        url = SecretStr(environment["REDIS_URL"])
        return [Breaker(Cache(url), HOST) for _ in range(8)]

    def test_failures_of_all_environments_count(self, breakers: list[Breaker]) -> None:
        for each in breakers[:FAILURES]:
            fail(each)
        for each in breakers:
            assert seconds_to_wait(each)

    def test_second_environment_waits_while_the_first_probes(
        self, breakers: list[Breaker], end_pause: Callable[[], None], keys: redis.Redis
    ) -> None:
        fail(breakers[0], FAILURES)
        end_pause()
        first, second, *_ = breakers
        with first.guard():
            assert 0 < seconds_to_wait(second) <= module.PROBE_SECONDS
        succeed(second)

    def test_only_one_of_concurrent_environments_probes(
        self, breakers: list[Breaker], end_pause: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        end_pause()
        barrier = Barrier(len(breakers))

        def probe(breaker: Breaker) -> float:
            barrier.wait(20)
            return breaker._seconds_to_wait()

        with ThreadPoolExecutor(len(breakers)) as pool:
            waits = list(pool.map(probe, breakers))
        assert waits.count(0) == 1

    def test_next_probe_is_allowed_after_an_interrupted_probe_has_timed_out(
        self, breakers: list[Breaker], end_pause: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        end_pause()
        with pytest.raises(KeyboardInterrupt), breakers[0].guard():
            raise KeyboardInterrupt
        assert seconds_to_wait(breakers[1])
        end_pause()
        succeed(breakers[1])

    def test_success_of_a_call_that_began_before_the_opening_does_not_close_it(
        self, breakers: list[Breaker]
    ) -> None:
        early, *others = breakers
        with early.guard():
            for each in others[:FAILURES]:
                fail(each)
        assert seconds_to_wait(early)

    def test_only_a_longer_pause_replaces_the_current_one(self, breakers: list[Breaker]) -> None:
        first, second, third, *_ = breakers
        with first.guard(), second.guard(), third.guard():
            first._record_failure(20)
            second._record_failure(50)
            third._record_failure(2)
        assert 45 < seconds_to_wait(first) <= 50

    def test_every_key_expires(self, breakers: list[Breaker], keys: redis.Redis) -> None:
        fail(breakers[0], FAILURES)
        state_keys = list(keys.scan_iter("{breaker:*"))
        assert len(state_keys) == 2
        assert all(0 < keys.ttl(key) <= 600 for key in state_keys)

    def test_closed_breaker_has_no_keys(
        self, breakers: list[Breaker], keys: redis.Redis, end_pause: Callable[[], None]
    ) -> None:
        fail(breakers[0], FAILURES)
        end_pause()
        succeed(breakers[1])
        assert list(keys.scan_iter("{breaker:*")) == []
