"""Unit tests: no test opens a connection, and each test gets a clean environment."""

import socket
from collections.abc import Iterator
from typing import NoReturn

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from medianest.core import environment as core_environment
from medianest.core import secrets
from medianest.core.observability import metrics
from medianest.core.variables import Environment
from tests.conftest import ENCRYPTION_KEY, JWT_SECRET

# No deadline, because timing is unreliable on a busy machine. All examples of a test share the
# fixtures below.
settings.register_profile(
    "unit",
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("unit")

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://user@database.invalid/medianest",
    "REDIS_URL": "redis://cache.invalid/0",
    "JWT_SECRET": JWT_SECRET,
    "ENCRYPTION_KEY": ENCRYPTION_KEY,
    "PLEX_CLIENT_ID": "medianest-tests",
    "TMDB_API_KEY": "key-of-the-tests",
}
_CACHES = (core_environment.environment, secrets._provider)


def _no_network(*_: object, **__: object) -> NoReturn:
    pytest.fail(
        "a unit test opened a connection: use a fake, or move the test to tests/integration"
    )


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects; psycopg is patched too, as libpq does not use Python's sockets."""
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    monkeypatch.setattr(socket.socket, "connect_ex", _no_network)
    monkeypatch.setattr(psycopg, "connect", _no_network)
    monkeypatch.setattr(psycopg.Connection, "connect", _no_network)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set the environment variables of a test; clear the cached ones before and after."""
    with monkeypatch.context() as patched:
        for name in Environment.model_fields:
            patched.delenv(name.upper(), raising=False)
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        clear_caches()
        yield patched
    clear_caches()
    metrics.clear_metrics()


def clear_caches() -> None:
    """Clear the cached environment and secrets, as in a new process."""
    for cached in _CACHES:
        cached.cache_clear()
    secrets._cached.clear()
