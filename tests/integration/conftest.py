"""Fixtures: the functions run in this process, with a database and key space per worker."""

import io
import logging
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import botocore.session
import psycopg
import pytest
import redis
from argon2 import PasswordHasher
from botocore.loaders import create_loader
from pydantic import SecretStr

from local import download_servers
from local.registration.app import register
from local.standins import Standins
from local.standins.radarr.app import API_KEY, create_app
from medianest.core.caller import Caller
from medianest.core.db import Database, database
from medianest.core.environment import environment as core_environment
from medianest.core.observability import logger
from medianest.migrations import role
from medianest.migrations.runner import migrate
from medianest.sessions import service as sessions
from medianest.signin import passwords, with_plex
from medianest.signin.attempts import open_session
from medianest.signin.plex import PlexAccount
from medianest.system_config import service as system_config
from tests.conftest import ENCRYPTION_KEY, JWT_SECRET
from tests.support import plex
from tests.support.arr import ArrStandin, served_arr
from tests.support.catalog import Fault
from tests.support.clean import CleanDatabase
from tests.support.pgbouncer import Pool
from tests.support.wire import Recording, recorded


@pytest.fixture(scope="module", autouse=True)
def fast_hashes() -> Iterator[None]:
    """Hash passwords with weak parameters; `unit/signin/test_passwords.py` tests the real ones."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: weak)
        patch.setattr(passwords, "UNKNOWN_ACCOUNT_HASH", weak.hash("of no account"))
        yield


@pytest.fixture(scope="session", autouse=True)
def descriptions_of_aws() -> Iterator[None]:
    """Read the descriptions of AWS's services once; boto3 reads them for each client, in 0.2 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(create_loader))
        yield


@pytest.fixture(scope="session")
def direct_url(database_url: str, worker_id: str) -> str:
    """Return the address of the worker's migrated database, for the functions' role.

    It bypasses PgBouncer, so that a test can configure its session.
    """
    place = database_url.rpartition("@")[2]
    url = f"postgresql://test_app_{worker_id}:only-for-tests@{place}"
    owner = Database(SecretStr(database_url))
    migrate(owner)
    with owner.transaction() as connection:
        role.ensure_app_role(connection, url)
    owner.close()
    return url


_CALLER = Caller(request_id="set-up", ip="203.0.113.7", user_agent="tests")
_PEOPLE = [
    PlexAccount(1001, "alice", "alice@example.com"),
    PlexAccount(1002, "bob", "bob@example.com"),
    PlexAccount(1003, "carol", "carol@example.com"),
]


@pytest.fixture(scope="session")
def app_database_url(direct_url: str, pool: Pool | None) -> str:
    """Return the address that the functions use."""
    return pool.url(direct_url) if pool else direct_url


@pytest.fixture(scope="session")
def environment(
    app_database_url: str, redis_url: str, upstreams: Standins
) -> Iterator[dict[str, str]]:
    """Set this process's environment as a function's, before any function is imported."""
    values = {
        "DATABASE_URL": app_database_url,
        "REDIS_URL": redis_url,
        # A command that a busy machine delays would pause the cache for the tests that follow.
        "CACHE_TIMEOUT_SECONDS": "2",
        "CACHE_CONNECT_TIMEOUT_SECONDS": "2",
        "JWT_SECRET": JWT_SECRET,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "ALLOW_PRIVATE_SERVERS": "true",
        "PLEX_CLIENT_ID": "medianest-tests",
        "PLEX_API_URL": upstreams.plex_url,
        "PLEX_AUTH_URL": f"{upstreams.plex_url}/auth",
        "TMDB_API_KEY": "key-of-the-tests",
        "TMDB_API_URL": f"{upstreams.tmdb_url}/3",
    }
    os.environ.update(values)
    core_environment.cache_clear()
    yield values
    database().close()


type Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="session")
def connections(database_url: str) -> Iterator[list[Connection]]:
    """Return the connections of the owner; the tests of a worker share the last one."""
    opened: list[Connection] = []
    yield opened
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def clean(environment: object, database_url: str) -> Iterator[CleanDatabase]:
    """Return what sets the worker's database back."""
    database = CleanDatabase(database_url, _sign_in)
    yield database
    database.close()


@pytest.fixture
def db(
    clean: CleanDatabase, database_url: str, connections: list[Connection]
) -> Iterator[Connection]:
    """Return the owner's connection to the worker's database, emptied before the test.

    A new connection for each test would take longer than most tests.
    """
    if not connections or connections[-1].closed:
        # Without prepared statements, because a test may alter a table.
        opened = psycopg.connect(database_url, autocommit=True, prepare_threshold=None)
        connections.append(opened)
    connection = connections[-1]
    connection.execute("RESET ALL")
    clean.empty()
    yield connection
    connection.rollback()


@pytest.fixture(scope="session")
def reconnect(pool: Pool | None) -> Callable[[], None]:
    """Return a function after which the next transaction uses a new connection to PostgreSQL."""

    def now() -> None:
        database().close()
        if pool:
            pool.reconnect()

    return now


@pytest.fixture(autouse=True)
def fresh_settings() -> None:
    """Let no test use the run-time settings of another."""
    system_config.invalidate()


@pytest.fixture
def uncached_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply settings with the next call that a test changed in the database."""
    monkeypatch.setattr(system_config, "CACHE_SECONDS", 0.0)


@pytest.fixture(scope="session")
def key_space(environment: dict[str, str]) -> Iterator[redis.Redis]:
    """Return a client of the worker's key space."""
    with redis.Redis.from_url(environment["REDIS_URL"], decode_responses=True) as client:
        yield client


@pytest.fixture
def keys(key_space: redis.Redis) -> redis.Redis:
    """Return a client of the worker's key space, emptied before the test."""
    key_space.flushdb()
    return key_space


@pytest.fixture
def cache_round_trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list with what this process sends to the cache: a command, or a pipeline's all."""
    sent: list[object] = []
    send: Callable[..., None] = redis.Connection.send_packed_command

    def record(
        self: redis.Connection,
        command: object,
        check_health: bool = True,
    ) -> None:
        sent.append(command)
        send(self, command, check_health=check_health)

    monkeypatch.setattr(redis.Connection, "send_packed_command", record)
    return sent


@pytest.fixture
def statements(
    people: object, direct_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Recording]:
    """Record the statements of the functions, with warm settings and tombstones."""
    monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
    monkeypatch.setattr(sessions, "TOMBSTONE_POLL_SECONDS", 30.0)
    with recorded(direct_url) as (url, recording):
        database().close()
        database.cache_clear()
        core_environment.cache_clear()
        monkeypatch.setenv("DATABASE_URL", url)
        yield recording
        database().close()
        database.cache_clear()
    monkeypatch.undo()
    core_environment.cache_clear()


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Collect what the functions log."""
    stream = io.StringIO()
    handler = cast("logging.StreamHandler[Any]", logger.registered_handler)
    previous = handler.setStream(stream)
    yield stream
    handler.setStream(previous)


@pytest.fixture
def plex_url(upstreams: Standins, keys: object) -> Iterator[str]:
    """Return the stand-in for plex.tv; faults and an open breaker end with the test."""
    yield upstreams.plex_url
    plex.end_fault(upstreams.plex_url)


@pytest.fixture
def tmdb_url(upstreams: Standins) -> Iterator[str]:
    """Return the address of the stand-in for TMDB; faults end with the test."""
    yield upstreams.tmdb_url
    plex.end_fault(upstreams.tmdb_url)


@pytest.fixture
def fault(tmdb_url: str) -> Fault:
    """Return a function that sets a fault of TMDB and clears its list of requests."""

    def set_fault(**options: Any) -> None:
        plex.control(tmdb_url, "PUT", "fault", options)
        plex.control(tmdb_url, "DELETE", "requests")

    return set_fault


@pytest.fixture
def people(db: object, clean: CleanDatabase, keys: object, plex_url: str) -> dict[str, str]:
    """Sign in alice, the first user and so the admin, then bob and carol; return their tokens.

    The rows are those of the worker's first sign-ins, with new ids and times.
    """
    tokens = clean.people()
    # The worker's first sign-ins have read them, and no others do.
    system_config.invalidate()
    return tokens


@pytest.fixture
def people_anew(people: object, clean: CleanDatabase) -> Callable[[], dict[str, str]]:
    """Return a function that empties the database and signs in again, as for another test."""

    def sign_in() -> dict[str, str]:
        clean.empty()
        return clean.people()

    return sign_in


def _sign_in() -> None:
    """Write the rows of sign-ins with Plex, without the calls to Plex."""
    how: dict[str, str | None] = {"method": "plex", "begunFrom": _CALLER.ip}
    for account in _PEOPLE:
        with database().transaction() as connection:
            user, _ = with_plex._user_of(connection, account, None, _CALLER)
            open_session(connection, user, _CALLER, None, how)


@pytest.fixture
def standin(environment: object) -> Iterator[ArrStandin]:
    """Run a stand-in for Radarr."""
    with served_arr(create_app(), API_KEY) as radarr:
        yield radarr


@pytest.fixture
def servers(people: dict[str, str], upstreams: Standins) -> Iterator[Standins]:
    """Register the stand-ins, empty and without faults."""
    for url in (upstreams.radarr_url, upstreams.sonarr_url):
        plex.control(url, "DELETE", "titles")
    register(download_servers.bodies_of_standins(upstreams.radarr_url, upstreams.sonarr_url))
    yield upstreams
    for url in (upstreams.radarr_url, upstreams.sonarr_url):
        plex.end_fault(url)
