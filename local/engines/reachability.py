"""Check that an external database or cache is reachable; if not, return the reason."""

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from medianest.core.db import certificate_authorities, url_parts
from medianest.core.environment import ConfigurationError
from medianest.core.variables import Environment

_NO_RETRY = Retry(NoBackoff(), 0)
_OLDEST = 140_000  # PostgreSQL's number for version 14.0
_LOGIN_REFUSED = ("authentication failed", "no password supplied", "does not exist")


def database_problem(environment: Environment) -> str | None:
    """Return the problem with DATABASE_URL, without its password; None if there is none."""
    url = environment.database_url.get_secret_value() if environment.database_url else ""
    try:
        parts = url_parts(url)
    except ConfigurationError as error:
        return error.problems[0]
    place = f"{parts.get('host') or parts.get('hostaddr') or 'localhost'}:{parts.get('port', 5432)}"
    start = f"PostgreSQL at {place} (DATABASE_URL)"
    try:
        with psycopg.connect(
            url,
            connect_timeout=environment.database_connect_timeout_seconds,
            sslrootcert=certificate_authorities(url),
        ) as connection:
            version = connection.info.server_version
            may_create = connection.execute(
                "SELECT has_schema_privilege(current_schema(), 'CREATE')"
            ).fetchone()
    except psycopg.OperationalError as error:
        return f"{start} {_database_reason(str(error), parts.get('dbname') or '')}"
    if version < _OLDEST:
        return f"{start} has version {version // 10_000}, but must have 14 or later"
    if may_create != (True,):
        return f"{start} does not let the user create tables: grant CREATE on the schema"
    return None


def cache_problem(environment: Environment) -> str | None:
    """Return the problem with REDIS_URL, without its password; None if there is none."""
    url = environment.redis_url.get_secret_value() if environment.redis_url else ""
    place = url.rpartition("@")[2].partition("://")[2] or url.rpartition("@")[2]
    start = f"the cache at {place.partition('/')[0]} (REDIS_URL)"
    try:
        with redis.Redis.from_url(
            url,
            socket_connect_timeout=environment.cache_connect_timeout_seconds,
            socket_timeout=environment.cache_timeout_seconds,
            retry=_NO_RETRY,
        ) as client:
            client.ping()
    except redis.AuthenticationError:
        return f"{start} rejects the user or the password"
    except (redis.RedisError, OSError, ValueError) as error:
        return f"{start} cannot be reached ({_cause(str(error))})"
    return None


def _database_reason(message: str, name: str) -> str:
    first = message.partition("\n")[0]
    if f'database "{name}" does not exist' in first:
        return f'has no database "{name}": create it, or correct the name'
    if any(words in first for words in _LOGIN_REFUSED):
        return "rejects the user or the password"
    return f"cannot be reached ({_cause(first.rpartition(' failed: ')[2])})"


def _cause(message: str) -> str:
    return message.strip().removeprefix("FATAL:").removeprefix("connection is bad:").strip(" .")
