"""An environment's connection to the cache: timeouts, lost and idle connections."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from local.engines.valkey import ValkeyEngine
from medianest.core import secrets
from medianest.core.cache import MAX_IDLE_SECONDS, PAUSE_SECONDS, Cache


@pytest.fixture
def cache(environment: dict[str, str], keys: redis.Redis) -> Iterator[Cache]:
    connected = Cache(SecretStr(environment["REDIS_URL"]))
    yield connected
    if connected._client is not None:
        connected._client.close()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Accept connections but send nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def count_connections(server: socket.socket) -> int:
    """Return the number of connections since the previous call."""
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def connection_ids(keys: redis.Redis) -> set[str]:
    """Return the ids of connections to the worker's key space, except the test's."""
    own_id, clients = str(keys.client_id()), keys.client_list()
    (space,) = [client["db"] for client in clients if client["id"] == own_id]
    return {client["id"] for client in clients if client["db"] == space} - {own_id}


def test_a_secret_that_cannot_be_read_is_a_failure_of_the_cache(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> str:
        raise secrets.SecretUnreadableError("REDIS_URL cannot be read")

    monkeypatch.setattr(secrets, "resolve", unreadable)
    assert cache.get("key") is None
    assert cache.run("return {}", [], []) is None
    monkeypatch.undo()
    assert cache.ping()


def test_cache_is_skipped_for_a_pause_after_a_time_out(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, silent: socket.socket
) -> None:
    hanging = Cache(SecretStr(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
    assert hanging.get("a") is None
    assert count_connections(silent) == 1
    for _ in range(5):
        hanging.set("a", "1", seconds=10)
        assert hanging.get("a") is None
    assert count_connections(silent) == 0
    later = time.monotonic() + PAUSE_SECONDS
    monkeypatch.setattr("medianest.core.cache.time.monotonic", lambda: later)
    assert hanging.get("a") is None
    assert count_connections(silent) == 1


def test_lost_connection_is_replaced_without_a_cache_miss(cache: Cache, keys: redis.Redis) -> None:
    before = connection_ids(keys)
    cache.set("a", "1", seconds=10)
    (client,) = connection_ids(keys) - before
    keys.client_kill_filter(_id=client)
    assert cache.get("a") == "1"
    assert client not in connection_ids(keys)


def test_connection_idle_for_too_long_is_replaced(
    cache: Cache, keys: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = connection_ids(keys)
    cache.set("a", "1", seconds=10_000)
    (client,) = connection_ids(keys) - before
    assert cache.get("a") == "1"
    assert connection_ids(keys) - before == {client}
    later = time.time() + MAX_IDLE_SECONDS + 1
    monkeypatch.setattr("medianest.core.cache.time.time", lambda: later)
    assert cache.get("a") == "1"
    (other,) = connection_ids(keys) - before
    assert other != client


def test_a_failover_is_noticed_and_its_connection_is_replaced(tmp_path: Path) -> None:
    with (
        ValkeyEngine(tmp_path).use() as server,
        redis.Redis.from_url(server.url, decode_responses=True) as control,
    ):
        cache = Cache(SecretStr(server.url))
        cache.set("a", "1", seconds=10)
        assert cache.ping()
        before = {client["id"] for client in control.client_list()}
        # A replica keeps the connections that it had as the primary, and refuses what they write.
        control.replicaof("127.0.0.1", 1)
        assert not cache.ping()
        control.replicaof("no", "one")
        assert cache.ping()
        (other,) = {client["id"] for client in control.client_list()} - before
        assert other
        cache._disconnect()
