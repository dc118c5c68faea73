"""The one connection of an environment, when the server is not as it should be."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from medianest.core.config import ConfigurationError
from medianest.core.db import Database, database
from medianest.core.errors import AppError
from tests.support.api import call

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}


@pytest.fixture
def read_only(db: Db, environment: dict[str, str]) -> Iterator[None]:
    """Be a server that follows another one, as after a failover."""
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    alter = sql.SQL("ALTER DATABASE {} ").format(name)
    db.execute("SET default_transaction_read_only = off")
    db.execute(alter + sql.SQL("SET default_transaction_read_only = on"))
    database().close()
    yield
    db.execute(alter + sql.SQL("RESET default_transaction_read_only"))
    database().close()


def ask(token: str) -> Any:
    return call("POST", "/api/media/request", token=token, body=MATRIX)


def test_a_read_only_server_is_left_again(
    db: Db, environment: dict[str, str], people: dict[str, str], read_only: None
) -> None:
    answer = ask(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    name = sql.Identifier(environment["DATABASE_URL"].rpartition("/")[2])
    db.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    assert ask(people["bob"]).status == 201


def test_a_lock_that_is_held_too_long_keeps_the_connection(db: Db, people: dict[str, str]) -> None:
    call("GET", "/api/health")
    before = database()._connection
    with db.transaction():
        db.execute("LOCK TABLE request_items")
        answer = ask(people["bob"])
    assert (answer.status, answer.code) == (500, "DATABASE_CONNECTION_ERROR")
    assert database()._connection is before
    assert ask(people["bob"]).status == 201


def test_answers_are_bounded_but_for_migrations(environment: dict[str, str]) -> None:
    bounded = Database(SecretStr(environment["DATABASE_URL"]), answer_seconds=0.5)
    with pytest.raises(AppError), bounded.transaction() as connection:
        connection.execute("SELECT pg_sleep(1)")
    bounded.close()
    unbounded = Database(SecretStr(environment["DATABASE_URL"]))
    with unbounded.transaction() as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(1)").fetchone() == (1,)
    unbounded.close()


@pytest.mark.parametrize(
    "address", ["{'password': 'hunter2-canary'}", "postgresql://u:hunter2-canary%zz@127.0.0.1/db"]
)
@pytest.mark.usefixtures("environment")
def test_an_address_that_is_none_is_not_repeated(address: str) -> None:
    odd = Database(SecretStr(address))
    with pytest.raises(ConfigurationError) as caught, odd.transaction():
        pass
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
