"""The tests delete only the data that they created, also on engines that the run names."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from local.engines.valkey import ValkeyEngine
from tests.support import engines as engines_of_run


def names(server: str) -> set[str]:
    with psycopg.connect(server) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


@pytest.fixture
def name(worker_id: str) -> str:
    return f"test_engines_{worker_id}"


def test_database_of_a_previous_run_is_recreated(
    engines: tuple[str, str], name: str, worker_id: str
) -> None:
    role = f"test_engines_role_{worker_id}"
    previous = engines_of_run.database(engines[0], name, [role])
    url = previous.__enter__()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute("CREATE TABLE old (id int)")
        connection.execute(sql.SQL("GRANT SELECT ON old TO {}").format(sql.Identifier(role)))
    with (
        engines_of_run.database(engines[0], name, [role]) as recreated,
        psycopg.connect(recreated, autocommit=True) as connection,
    ):
        assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    assert name not in names(engines[0])
    previous.__exit__(None, None, None)


def test_database_that_the_tests_did_not_create_is_refused(
    engines: tuple[str, str], name: str
) -> None:
    with psycopg.connect(engines[0], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with (
            pytest.raises(pytest.UsageError, match="did not create"),
            engines_of_run.database(engines[0], name),
        ):
            pytest.fail("the database was used")
        assert name in names(engines[0])
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_names_without_the_test_prefix_are_refused(engines: tuple[str, str]) -> None:
    with (
        pytest.raises(ValueError, match="does not start with test_"),
        engines_of_run.database(engines[0], "medianest"),
    ):
        pytest.fail("the database was used")
    with (
        psycopg.connect(engines[0]) as connection,
        pytest.raises(ValueError, match="does not start with test_"),
    ):
        engines_of_run.drop_role(connection, "medianest")


@pytest.fixture
def external_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """Return a client of a cache that the run names."""
    with ValkeyEngine(tmp_path).use() as valkey, redis.Redis.from_url(valkey.url) as client:
        monkeypatch.setenv("MEDIANEST_TEST_REDIS_URL", valkey.url)
        yield client


def test_cache_with_other_keys_is_refused(external_cache: redis.Redis, tmp_path: Path) -> None:
    external_cache.execute_command("SELECT", 7)
    external_cache.set("precious", "1")
    with pytest.raises(pytest.UsageError, match="holds other keys"), engines_of_run.cache(tmp_path):
        pytest.fail("the cache was used")
    assert external_cache.get("precious") == b"1"


def test_empty_cache_is_marked_and_can_be_used_again(
    external_cache: redis.Redis, tmp_path: Path
) -> None:
    for _ in range(2):
        with engines_of_run.cache(tmp_path) as url:
            key_space = engines_of_run.key_space(url, 0)
        assert key_space.endswith("/1")
        with redis.Redis.from_url(key_space) as client:
            client.set("left", "behind")
    assert external_cache.get("medianest-tests") == b"yes"


def test_missing_cache_database_is_named_in_the_error(
    external_cache: redis.Redis, tmp_path: Path
) -> None:
    with engines_of_run.cache(tmp_path) as url:
        assert engines_of_run.key_space(url, 14).endswith("/15")
        with pytest.raises(pytest.UsageError, match="no database 16"):
            engines_of_run.key_space(url, 15)
