"""The service in real processes while the database, the cache or an upstream fails or hangs."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
import redis

from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine
from tests.prove import processes
from tests.prove.stage import RunningEngine
from tests.support import plex
from tests.support.local import LocalService, eventually, local_service


@dataclass(frozen=True, slots=True)
class Engines:
    """The database and the cache of the service of this file."""

    postgres: RunningEngine
    valkey: RunningEngine

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.postgres.server.url, autocommit=True)


@pytest.fixture(scope="module")
def external_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Run engines outside the service, which gets only their addresses."""
    folder = tmp_path_factory.mktemp("engines")
    postgres, valkey = PostgresEngine(folder, durable=True), ValkeyEngine(folder, cluster=True)
    with postgres.use() as database, valkey.use() as cache:
        yield Engines(RunningEngine(postgres, database), RunningEngine(valkey, cache))


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, external_engines: Engines
) -> Iterator[LocalService]:
    environment = {
        "DATABASE_URL": external_engines.postgres.server.url,
        "REDIS_URL": external_engines.valkey.server.url,
    }
    data = tmp_path_factory.mktemp("service")
    with local_service(data, environment=environment) as running:
        yield running


@pytest.fixture
def service(started: LocalService, external_engines: Engines) -> LocalService:
    """Return the service as it works without a fault: healthy, and with nothing in its cache."""
    with redis.Redis.from_url(external_engines.valkey.server.url) as cache:
        cache.flushall()
    eventually(lambda: status_of(started) == "healthy")
    return started


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Suspend processes: they do not respond and keep their connections open."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def status_of(service: LocalService) -> str:
    answer = service.call("GET", "/api/health")
    return str(answer.data["status"]) if answer.status == 200 else answer.code


def healthy(service: LocalService) -> bool:
    return service.call("GET", "/api/health").status == 200


def test_service_recovers_after_a_restart_of_the_database(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    os.kill(external_engines.postgres.server.pid, signal.SIGKILL)
    eventually(lambda: not healthy(service))
    for path in ("/api/health", "/api/auth/me"):
        failed = service.call("GET", path, token=token)
        assert (failed.status, failed.code) == (500, "DATABASE_CONNECTION_ERROR")
        assert int(failed.headers["retry-after"]) >= 1
        assert failed.headers["x-frame-options"] == "DENY"
        assert "127.0.0.1" not in failed.text
    external_engines.postgres.restart()
    eventually(lambda: healthy(service), seconds=10)
    assert service.call("GET", "/api/auth/me", token=token).data["username"] == "alice"


def test_connection_lost_between_two_calls_is_replaced_without_an_error(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    assert service.call("GET", "/api/auth/me", token=token).status == 200
    with external_engines.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'medianest-%' AND pid <> pg_backend_pid()"
        )
    assert service.call("GET", "/api/auth/me", token=token).status == 200


def test_transaction_is_rolled_back_when_its_function_is_killed(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    post_request = partial(
        service.call,
        "POST",
        "/api/media/request",
        token=token,
        body={"mediaType": "movie", "tmdbId": 603},
        headers={"Idempotency-Key": "once"},
    )
    with (
        psycopg.connect(external_engines.postgres.server.url) as connection,
        external_engines.connect() as observer,
        ThreadPoolExecutor(1) as pool,
    ):
        connection.execute("LOCK TABLE request_items")
        interrupted = pool.submit(post_request)
        eventually(
            lambda: observer.execute(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE application_name = 'medianest-media' AND wait_event_type = 'Lock'"
            ).fetchone()
        )
        for pid, function in processes.workers_of(service.pid).items():
            if function == "media":
                os.kill(pid, signal.SIGKILL)
        answer = interrupted.result(20)
        assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
        connection.rollback()
        created = eventually(post_request)
        assert created.status == 201
        assert observer.execute(
            "SELECT id::text FROM media_requests WHERE tmdb_id = 603"
        ).fetchall() == [(created.data["id"],)]
        assert observer.execute(
            "SELECT target_id FROM audit_logs WHERE action = 'request.created'"
        ).fetchall() == [(created.data["id"],)]


def seconds_until_refused(service: LocalService, path: str, token: str) -> float:
    started = time.monotonic()
    answer = service.call("GET", path, token=token)
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    return time.monotonic() - started


def test_calls_fail_within_time_outs_while_the_database_hangs(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    pid = external_engines.postgres.server.pid
    with frozen(pid, *processes.children_of(pid)):
        # An open connection: 2 seconds for the response, then 3 for a new connection, and as much
        # again for a busy machine; test_timeouts.py measures both alone.
        assert seconds_until_refused(service, "/api/auth/me", token) < 10
        # The next call fails fast during the pause, which may end before it on a busy machine; each
        # slow call starts another pause.
        assert min(seconds_until_refused(service, "/api/auth/me", token) for _ in range(3)) < 1.5
        # A new environment: its start, which takes seconds on a busy machine, and 3 seconds for
        # the connection, which test_timeouts.py measures alone. No other test calls this function.
        assert "admin" not in processes.workers_of(service.pid).values()
        assert seconds_until_refused(service, "/api/admin/users", token) < 15
    eventually(lambda: service.call("GET", "/api/auth/me", token=token).status == 200, seconds=5)


def test_service_is_degraded_but_works_after_the_cache_is_killed(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    assert service.call("GET", "/api/health").data["status"] == "healthy"
    os.kill(external_engines.valkey.server.pid, signal.SIGKILL)
    degraded = service.call("GET", "/api/health")
    assert degraded.status == 200
    assert degraded.data["status"] == "degraded"
    assert degraded.data["checks"]["cache"]["status"] == "unhealthy"
    assert degraded.data["checks"]["database"]["status"] == "healthy"
    search = service.call("GET", "/api/media/search", token=token, query={"q": "matrix"})
    assert search.data[0]["title"] == "The Matrix"
    body = {"mediaType": "movie", "tmdbId": 27205}
    assert service.call("POST", "/api/media/request", token=token, body=body).status == 201
    bob = service.sign_in(service.standin_urls[0], "bob")
    refreshed = service.call("POST", "/api/auth/refresh", token=bob, body={}).data["token"]
    assert service.call("GET", "/api/auth/me", token=bob).code == "JWT_INVALID"
    assert service.call("GET", "/api/auth/me", token=refreshed).status == 200
    assert service.call("POST", "/api/auth/logout", token=refreshed, body={}).status == 204
    assert service.call("GET", "/api/auth/me", token=refreshed).code == "JWT_INVALID"
    external_engines.valkey.restart()
    eventually(lambda: status_of(service) == "healthy")


def test_calls_succeed_within_time_outs_while_the_cache_hangs(
    service: LocalService, external_engines: Engines
) -> None:
    token = service.sign_in(service.standin_urls[0], "alice")
    service.call("GET", "/api/media/search", token=token, query={"q": "inception"})
    with frozen(external_engines.valkey.server.pid):
        started = time.monotonic()
        for text in ("matrix", "inception", "interstellar"):
            answer = service.call("GET", "/api/media/search", token=token, query={"q": text})
            assert answer.status == 200
        assert time.monotonic() - started < 5  # one timeout of 0.1 s every five seconds
        bob = service.sign_in(service.standin_urls[0], "bob")
        assert service.call("POST", "/api/auth/logout", token=bob, body={}).status == 204
        assert service.call("GET", "/api/auth/me", token=bob).code == "JWT_INVALID"
    eventually(lambda: status_of(service) == "healthy")


@pytest.mark.parametrize("kind", ["hang", "drip", "close", "html"])
def test_calls_get_503_within_ten_seconds_while_upstreams_fail(
    service: LocalService, kind: str
) -> None:
    plex_url, tmdb_url = service.standin_urls
    token = service.sign_in(plex_url, "alice")
    handle = service.begin(plex_url, "bob")
    # A cold start is not part of the time: in a fresh clone it compiles every module it imports.
    assert service.call("GET", "/api/media/search", token=token, query={"q": "dune"}).status == 200
    for url in (plex_url, tmdb_url):
        plex.control(url, "PUT", "fault", {"kind": kind})
    calls: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/api/auth/plex/pin", {"body": {}}, "PLEX_UNREACHABLE"),
        ("POST", "/api/auth/plex/verify", {"body": {"pinId": handle}}, "PLEX_UNREACHABLE"),
        ("GET", "/api/media/search", {"query": {"q": "matrix"}}, "CATALOG_UNAVAILABLE"),
    ]
    for method, path, options, code in calls:
        started = time.monotonic()
        answer = service.call(method, path, token=token, **options)
        assert (answer.status, answer.code) == (503, code)
        assert time.monotonic() - started < 10
    for url in (plex_url, tmdb_url):
        plex.control(url, "DELETE", "fault")
    assert service.call("POST", "/api/auth/plex/verify", body={"pinId": handle}).status == 200
    results = service.call("GET", "/api/media/search", token=token, query={"q": "matrix"})
    assert results.data[0]["title"] == "The Matrix"
