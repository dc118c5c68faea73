"""Rate limits over HTTP, with many processes and with a cache that fails."""

import asyncio
import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from aiohttp import web

from local.engines.valkey import ValkeyEngine
from local.run_config import read_run_config
from local.service import Service, running
from tests.support.api import Answer
from tests.support.limits import raise_limits, set_limit
from tests.support.local import LocalService, eventually
from tests.support.plex import approve
from tests.support.processes import suspended
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]

IP_WHILE_HANGING = "203.0.113.9"
AT_ONCE = 8  # below the concurrency of a function
LIMIT = 25
# The gateway of these tests takes the caller's address from this header.
CALLER_HEADER = "X-Test-Caller"
PIN = ("POST", "/api/auth/plex/pin")
USERS = ("GET", "/api/admin/users")
ME = ("GET", "/api/auth/me")


@dataclass
class Unthrottled:
    """A service whose gateway does not throttle, with its database and cache."""

    http: LocalService
    plex_url: str
    db: Db
    cache: redis.Redis | None
    cache_pid: int

    def restart_scripts(self) -> None:
        """Make the cache forget its scripts, as after a failover."""
        if self.cache is not None:
            self.cache.script_flush()

    def call(self, route: tuple[str, str], *, ip: str = "203.0.113.7", **options: Any) -> Answer:
        headers = {CALLER_HEADER: ip, **options.pop("headers", {})}
        return self.http.call(*route, headers=headers, **options)

    def sign_in(self, person: str) -> str:
        # Another address, so that the limits of the tests' addresses stay unused.
        ip = "203.0.113.200"
        pin = self.call(PIN, body={}, ip=ip).data
        approve(self.plex_url, pin["code"], person)
        verify = ("POST", "/api/auth/plex/verify")
        answer = self.call(verify, body={"pinId": pin["pinId"]}, ip=ip)
        token: str = answer.data["token"]
        return token

    def environments(self, function: str) -> int:
        """Return how many processes of a function have a connection to the database."""
        row = self.db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s",
            (f"medianest-{function}",),
        ).fetchone()
        assert row is not None
        return int(row[0])


def source_ip(request: web.BaseRequest) -> str:
    return request.headers.get(CALLER_HEADER, "127.0.0.1")


@contextmanager
def in_a_thread(data: Path, redis_url: str) -> Iterator[Service]:
    """Run a service on a separate event loop, without the gateway's throttles."""
    settings = read_run_config(
        data=data, port=0, environment={"REDIS_URL": redis_url}, env_file=data / ".env"
    )
    ready: Future[Service] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with running(
                settings, durable=False, throttles=False, source_ip=source_ip
            ) as service:
                ready.set_result(service)
                await stop.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


@pytest.fixture(scope="module")
def unthrottled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unthrottled]:
    folder = tmp_path_factory.mktemp("unthrottled")
    engine = ValkeyEngine(folder / "cache", cluster=True)
    with (
        engine.use() as valkey,
        redis.Redis.from_url(valkey.url, decode_responses=True) as cache,
        unthrottled_service(folder / "data", valkey.url, cache, valkey.pid) as service,
    ):
        yield service


@pytest.fixture
def without_cache(tmp_path: Path) -> Iterator[Unthrottled]:
    with unthrottled_service(tmp_path / "data", "none", None, 0) as service:
        yield service


@contextmanager
def unthrottled_service(
    data: Path, redis_url: str, cache: redis.Redis | None, cache_pid: int
) -> Iterator[Unthrottled]:
    with (
        in_a_thread(data, redis_url) as service,
        psycopg.connect(service.backends.database_url, autocommit=True) as db,
    ):
        raise_limits(db)
        # Before the first call, because functions keep the limits for a while.
        set_limit(db, "admin", LIMIT, 3600)
        set_limit(db, "plex-pin", 12, 3600)
        assert service.backends.plex_url is not None
        http = LocalService(
            process=None,  # type: ignore[arg-type]  # the service runs in this process
            data=data,
            url=service.url,
            log=data / "log",
        )
        yield Unthrottled(http, service.backends.plex_url, db, cache, cache_pid)


def count_results(total: int, job: Callable[[int], Answer]) -> Counter[str]:
    """Make calls with up to AT_ONCE in parallel; count the statuses and error codes."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        responses = list(pool.map(job, range(total)))
    return Counter(
        str(response.status) if response.status < 400 else response.code for response in responses
    )


def warm(service: Unthrottled, function: str, route: tuple[str, str]) -> None:
    """Send parallel calls to a function until at least four of its environments run."""

    def send_calls() -> bool:
        count_results(2 * AT_ONCE, lambda _: service.call(route, ip="198.51.100.1"))
        return service.environments(function) >= 4

    eventually(send_calls, seconds=30)


def refusals_audited(db: Db) -> int:
    return count(db, "audit_logs WHERE action = 'limit.exceeded'")


@pytest.mark.parametrize("kind", ["unthrottled", "without_cache"])
def test_exactly_the_limit_passes_across_all_processes(
    kind: str, request: pytest.FixtureRequest
) -> None:
    unthrottled: Unthrottled = request.getfixturevalue(kind)
    alice, bob = unthrottled.sign_in("alice"), unthrottled.sign_in("bob")
    warm(unthrottled, "admin", USERS)

    def call(number: int) -> Answer:
        if number % 20 == 7:
            unthrottled.restart_scripts()
        return unthrottled.call(USERS, token=alice, ip=f"203.0.113.{number}")

    assert count_results(60, call) == {"200": LIMIT, "RATE_LIMITED": 60 - LIMIT}
    # Another user at the same addresses has a separate limit.
    assert count_results(35, lambda _: unthrottled.call(USERS, token=bob)) == {
        "FORBIDDEN": LIMIT,
        "RATE_LIMITED": 10,
    }


def test_sign_in_limits_hold_and_calls_stay_fast_while_the_cache_hangs(
    unthrottled: Unthrottled,
) -> None:
    alice = unthrottled.sign_in("alice")
    assert unthrottled.call(ME, token=alice).status == 200
    with suspended(unthrottled.cache_pid):
        durations = []
        for _ in range(20):
            started = time.monotonic()
            answer = unthrottled.call(ME, token=alice)
            durations.append(time.monotonic() - started)
            assert answer.status == 200
            assert "ratelimit" in answer.headers
        # One call waits 0.1 seconds for the cache; the next ones skip it during the pause.
        assert max(durations) < 1
        assert statistics.median(durations) < 0.15
        statuses = [unthrottled.call(PIN, body={}, ip=IP_WHILE_HANGING).status for _ in range(14)]
        assert statuses == [200] * 12 + [429, 429]
        assert unthrottled.call(PIN, body={}, ip="2001:db8::1").status == 200


# The last one on this service, whose cache it ends.
def test_exactly_the_limit_of_sign_ins_passes_when_the_cache_is_down(
    unthrottled: Unthrottled,
) -> None:
    audited = refusals_audited(unthrottled.db)
    warm(unthrottled, "auth", ME)
    os.kill(unthrottled.cache_pid, signal.SIGKILL)
    assert count_results(60, lambda _: unthrottled.call(PIN, body={})) == {
        "200": 12,
        "RATE_LIMITED": 48,
    }
    assert unthrottled.call(PIN, body={}, ip="203.0.113.8").status == 200
    assert refusals_audited(unthrottled.db) == audited + 1
