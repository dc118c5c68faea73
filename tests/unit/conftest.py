"""Plain unit tests: nothing connects anywhere, and each test has an environment of its own."""

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
from tests.conftest import JWT_SECRET

# Time says nothing on a busy machine. The fixtures below hold for all examples of a test alike.
settings.register_profile(
    "unit",
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("unit")

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nobody@database.invalid/medianest",
    "REDIS_URL": "redis://cache.invalid/0",
    "JWT_SECRET": JWT_SECRET,
    "PLEX_CLIENT_ID": "medianest-tests",
    "TMDB_API_KEY": "key-of-the-tests",
}
_CACHES = (core_environment.environment, secrets._provider)


def _no_network(*_: object, **__: object) -> NoReturn:
    pytest.fail("a unit test opened a connection: replace the outside, or move it to integration")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects; libpq does so without Python's sockets."""
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    monkeypatch.setattr(socket.socket, "connect_ex", _no_network)
    monkeypatch.setattr(psycopg, "connect", _no_network)
    monkeypatch.setattr(psycopg.Connection, "connect", _no_network)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set this process's settings; what was read from them is forgotten before and after."""
    with monkeypatch.context() as patched:
        for name in Environment.model_fields:
            patched.delenv(name.upper(), raising=False)
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        forget_settings()
        yield patched
    forget_settings()
    metrics.clear_metrics()


def forget_settings() -> None:
    """Read the settings anew, as a new process does."""
    for cached in _CACHES:
        cached.cache_clear()
    secrets._cached.clear()
