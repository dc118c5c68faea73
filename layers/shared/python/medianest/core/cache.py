"""Valkey or Redis as an optional cache: every call is a cache miss while it is down.

A service with `REDIS_URL=none` has no cache: every call is a miss, and nothing counts as a failure.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from medianest.core import secrets
from medianest.core.environment import environment
from medianest.core.observability import count, logger
from medianest.core.variables import NO_CACHE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr
    from redis import Redis
    from redis.commands.core import Script

# The pause after a failure, so that not every request waits for a timeout.
PAUSE_SECONDS = 5.0
# A connection that was idle for longer is replaced: a network device may have dropped it silently.
MAX_IDLE_SECONDS = 300.0
_HEALTH_SECONDS = 60

_SET_EACH = """
for _, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[1], 'EX', ARGV[2])
end
return {}
"""


class Cache:
    """String keys and values with an expiry."""

    def __init__(self, url: SecretStr | None) -> None:
        self._secret = url
        self._url = ""
        self._client: Redis | None = None
        self._scripts: dict[str, Script] = {}
        self._used_at = 0.0
        self._paused_until = 0.0

    @property
    def exists(self) -> bool:
        """Return whether the service has a cache, which may be down."""
        return self._secret is None or self._secret.get_secret_value() != NO_CACHE

    def get(self, key: str) -> str | None:
        """Return a value, or None when it is absent or the cache is down."""
        value = self._call("get", key)
        return value if isinstance(value, str) else None

    def get_field(self, key: str, field: str) -> str | None:
        """Return a field of a hash, or None when it is absent or the cache is down."""
        value = self._call("hget", key, field)
        return value if isinstance(value, str) else None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        """Store a value for `seconds`; do nothing when the cache is down."""
        self._call("set", key, value, ex=seconds)

    def set_each(self, keys: Sequence[str], value: str, *, seconds: int) -> bool:
        """Store one value under keys of one hash slot, in one round trip; return whether it worked.

        A full cache rejects writes but still deletes, so on failure the keys are deleted.
        """
        if self.run(_SET_EACH, keys, [value, seconds]) is not None:
            return True
        self._call("delete", *keys)
        return False

    def add(self, key: str, value: str, *, seconds: int) -> None:
        """Store a value for `seconds` unless the key exists."""
        self._call("set", key, value, ex=seconds, nx=True)

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> list[Any] | None:
        """Run a Lua script that returns a list; return None when the cache is down.

        The script is sent by its digest once the server has it.
        """
        reply = self._execute(lambda client: self._script(client, script)(keys, args))
        return reply if isinstance(reply, list) else None

    def ping(self) -> bool:
        """Return whether the cache takes a value; ends the pause after a failure.

        A replica, which a primary becomes in a failover, responds to PING but takes none.
        """
        self._paused_until = 0.0
        return self._call("set", "health", "1", ex=_HEALTH_SECONDS) is True

    def _script(self, client: Redis, text: str) -> Script:
        # Kept, because the digest of a script costs more than its call.
        if text not in self._scripts:
            self._scripts[text] = client.register_script(text)
        return self._scripts[text]

    def _call(self, command: str, *args: str, **options: int) -> object:
        return self._execute(lambda client: getattr(client, command)(*args, **options))

    def _execute(self, operation: Callable[[Redis], object]) -> object:
        if not self.exists:
            return None
        from redis import OutOfMemoryError, RedisError

        if time.monotonic() < self._paused_until:
            return None
        try:
            return operation(self._connected_client())
        except OutOfMemoryError:
            # No pause: a full cache still serves reads and deletes.
            count("CacheUnavailable")
            logger.warning("cache_full")
            return None
        # ValueError: an invalid URL.
        except (RedisError, ValueError, secrets.SecretUnreadableError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            # After a failover the address leads to another server, and the old one stays connected.
            self._disconnect()
            count("CacheUnavailable")
            logger.warning("cache_failed", extra={"cause": type(error).__name__})
            return None

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected_client(self) -> Redis:
        from redis import ConnectionError as RedisConnectionError
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        url = secrets.resolve(self._secret, "REDIS_URL")
        must_reconnect = url != self._url or time.time() - self._used_at > MAX_IDLE_SECONDS
        if self._client is None or must_reconnect:
            self._disconnect()
            self._client = Redis.from_url(
                url,
                decode_responses=True,
                protocol=2,
                # One connection, which no pool checks before each command.
                single_connection_client=True,
                socket_connect_timeout=environment().cache_connect_timeout_seconds,
                socket_timeout=environment().cache_timeout_seconds,
                # Retry once, on a new connection: the old one may have been closed while the
                # environment was frozen. A timeout is not retried.
                retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            )
            self._scripts.clear()
            self._url = url
        self._used_at = time.time()
        return self._client


@cache
def shared_cache() -> Cache:
    """Return the cache of this execution environment."""
    return Cache(environment().redis_url)
