"""The engines of a run: those that its environment names, else embedded ones.

Whatever it names, the tests drop no database but those that they made themselves, and empty no
key space of a cache that held something before they first came.
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

# The functions read the same names, which tests set: the run's own are moved out of their way.
# Workers of pytest-xdist inherit them as they are then.
_NAMES = ("DATABASE_URL", "REDIS_URL", "PGBOUNCER")
_MOVED = "MEDIANEST_TEST_"
_PREFIX = "test_"
_MARK = "Made by MediaNest's tests, which drop it"
_CACHE_MARK = "medianest-tests"


def take_over() -> None:
    """Keep what the environment says of this run's engines where no function looks."""
    for name in _NAMES:
        if name in os.environ:
            os.environ[_MOVED + name] = os.environ.pop(name)


def given(name: str) -> str:
    """Return what `make test` was given as `name`, empty for nothing."""
    return os.environ.get(_MOVED + name, "")


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Return the address of a superuser of the PostgreSQL of this run."""
    url = given("DATABASE_URL")
    if not url:
        with PostgresEngine(directory, durable=False).use() as server:
            yield server.url
        return
    parts = urlsplit(url)
    if not (parts.hostname and parts.port and parts.username and parts.password) or parts.query:
        raise pytest.UsageError(
            "Tests take a DATABASE_URL like postgresql://user:password@host:port/database"
        )
    with psycopg.connect(url, connect_timeout=10) as connection:
        if connection.info.parameter_status("is_superuser") != "on":
            raise pytest.UsageError("Tests need a superuser in DATABASE_URL: they make roles")
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise pytest.UsageError("Tests need a PostgreSQL that makes databases in UTF-8")
    yield url


@contextmanager
def cache(directory: Path) -> Iterator[str]:
    """Return the address of the Valkey or Redis of this run.

    The embedded one is a cluster, as the default cache on AWS is: each key and script is held to
    that.
    """
    url = given("REDIS_URL")
    if not url:
        with ValkeyEngine(directory, cluster=True).use() as server:
            yield server.url
        return
    with redis.Redis.from_url(at(url, "0"), socket_timeout=10) as client:
        # In one step: another worker may be at it too.
        asked = client.pipeline(transaction=True).get(_CACHE_MARK).info("keyspace")
        mark, kept = asked.execute()
        if mark is None and kept:
            raise pytest.UsageError(
                "Tests empty the databases of REDIS_URL, and this server holds keys that are not"
                f" theirs. If nobody needs them: redis-cli SET {_CACHE_MARK} yes"
            )
        client.set(_CACHE_MARK, "yes")
    yield url


def key_space(url: str, number: int) -> str:
    """Return the address of a key space of the tests; number 0 holds what marks them as theirs."""
    own = at(url, str(number + 1))
    with redis.Redis.from_url(own, socket_timeout=10) as client:
        try:
            client.ping()
        except redis.ResponseError as error:
            raise pytest.UsageError(
                f"REDIS_URL has no database {number + 1} ({error}): each worker takes two. Start it"
                " as no cluster and with more --databases, or the tests with fewer workers (-n)"
            ) from error
    return own


@contextmanager
def database(server: str, name: str, roles: Sequence[str] = ()) -> Iterator[str]:
    """Create an empty database for the block and return its address, with `server`'s user.

    It is dropped afterwards, then the `roles` that a test made for it; before, those that a run
    which was killed has left.
    """
    _drop(server, name, roles)
    with psycopg.connect(server, autocommit=True) as connection:
        place = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(place))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(place, _MARK))
    try:
        yield at(server, name)
    finally:
        _drop(server, name, roles)


def drop_role(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a role of the tests, if there is one; PostgreSQL refuses while it owns anything."""
    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(_own(name)))


def at(url: str, place: str) -> str:
    """Return an address on the same server."""
    return urlsplit(url)._replace(path=f"/{place}").geturl()


def _own(name: str) -> sql.Identifier:
    if not name.startswith(_PREFIX):
        raise ValueError(f"{name} does not begin with {_PREFIX}")
    return sql.Identifier(name)


def _drop(server: str, name: str, roles: Sequence[str]) -> None:
    place = _own(name)
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            (name,),
        ).fetchone()
        if found not in {None, (_MARK,)}:
            raise pytest.UsageError(f"DATABASE_URL has a database {name} that the tests never made")
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(place))
        for role in roles:
            drop_role(connection, role)
