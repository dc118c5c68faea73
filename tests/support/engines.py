"""The engines of a run: those configured in its environment, or embedded ones.

On configured engines the tests drop only databases that they created, and empty the databases of a
cache only if it was empty before their first run.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine

# The functions read the same names, which tests set, so the run's variables get a prefix.
# Workers of pytest-xdist inherit the prefixed ones.
_NAMES = ("DATABASE_URL", "REDIS_URL", "PGBOUNCER")
_TEST_PREFIX = "MEDIANEST_TEST_"
_DATABASE_PREFIX = "test_"
_COMMENT = "Made by MediaNest's tests, which drop it"
_CACHE_MARKER = "medianest-tests"


def move_variables() -> None:
    """Rename the variables of this run's engines, so that no function reads them."""
    for name in _NAMES:
        if name in os.environ:
            os.environ[_TEST_PREFIX + name] = os.environ.pop(name)


def variable(name: str) -> str:
    """Return a variable of the run's environment, empty if it is not set."""
    return os.environ.get(_TEST_PREFIX + name, "")


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Return the URL of the run's PostgreSQL, with a superuser."""
    url = variable("DATABASE_URL")
    if not url:
        with PostgresEngine(directory, durable=False).use() as server:
            yield server.url
        return
    parts = urlsplit(url)
    if not (parts.hostname and parts.port and parts.username and parts.password) or parts.query:
        raise pytest.UsageError(
            "Tests need a DATABASE_URL like postgresql://user:password@host:port/database"
        )
    with psycopg.connect(url, connect_timeout=10) as connection:
        if connection.info.parameter_status("is_superuser") != "on":
            raise pytest.UsageError(
                "Tests need a superuser in DATABASE_URL, because they create roles"
            )
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise pytest.UsageError("Tests need a PostgreSQL that creates databases in UTF-8")
    yield url


@contextmanager
def cache(directory: Path) -> Iterator[str]:
    """Return the URL of the run's Valkey or Redis.

    The embedded one is a cluster, like the default cache on AWS, so keys and scripts must work on
    a cluster.
    """
    url = variable("REDIS_URL")
    if not url:
        with ValkeyEngine(directory, cluster=True).use() as server:
            yield server.url
        return
    with redis.Redis.from_url(at(url, "0"), socket_timeout=10) as client:
        # In one transaction, because another worker may do the same.
        pipeline = client.pipeline(transaction=True).get(_CACHE_MARKER).info("keyspace")
        marker, key_counts = pipeline.execute()
        if marker is None and key_counts:
            raise pytest.UsageError(
                "Tests empty the databases of REDIS_URL, and this server holds other keys."
                f" If no application needs them: redis-cli SET {_CACHE_MARKER} yes"
            )
        client.set(_CACHE_MARKER, "yes")
    yield url


def key_space(url: str, number: int) -> str:
    """Return the URL of a database of the cache; database 0 holds the marker of the tests."""
    database_url = at(url, str(number + 1))
    with redis.Redis.from_url(database_url, socket_timeout=10) as client:
        try:
            client.ping()
        except redis.ResponseError as error:
            raise pytest.UsageError(
                f"REDIS_URL has no database {number + 1} ({error}): each worker needs two. Start"
                " the server without cluster mode with more --databases, or use fewer workers (-n)"
            ) from error
    return database_url


@contextmanager
def database(server: str, name: str, roles: Sequence[str] = ()) -> Iterator[str]:
    """Create an empty database for the block and return its URL, with the user of `server`.

    The database and then the `roles` that a test created for it are dropped afterwards, and
    beforehand if a killed run has left them.
    """
    _drop(server, name, roles)
    with psycopg.connect(server, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(identifier, _COMMENT))
    try:
        yield at(server, name)
    finally:
        _drop(server, name, roles)


def drop_role(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a role of the tests if it exists; PostgreSQL refuses while it owns objects."""
    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(_test_identifier(name)))


def at(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _test_identifier(name: str) -> sql.Identifier:
    if not name.startswith(_DATABASE_PREFIX):
        raise ValueError(f"{name} does not start with {_DATABASE_PREFIX}")
    return sql.Identifier(name)


def _drop(server: str, name: str, roles: Sequence[str]) -> None:
    identifier = _test_identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        comment = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            (name,),
        ).fetchone()
        if comment not in {None, (_COMMENT,)}:
            raise pytest.UsageError(
                f"DATABASE_URL has a database {name} that the tests did not create"
            )
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        for role in roles:
            drop_role(connection, role)
