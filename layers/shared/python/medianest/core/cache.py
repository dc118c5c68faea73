"""Valkey or Redis: a help, never a need. When it is down, every key is simply absent."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from medianest.core import secrets
from medianest.core.config import settings
from medianest.core.observability import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr
    from redis import Redis

# After a failure nothing is asked for this long: a dead cache must not cost a time-out a request.
PAUSE_SECONDS = 5.0


class Cache:
    """String keys and values with an expiry."""

    def __init__(self, url: SecretStr | None) -> None:
        self._secret = url
        self._url = ""
        self._client: Redis | None = None
        self._paused_until = 0.0

    def get(self, key: str) -> str | None:
        """Return a value, or None when it is absent or the cache is down."""
        value = self._call("get", key)
        return value if isinstance(value, str) else None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for `seconds`; does nothing when the cache is down."""
        self._call("set", key, value, ex=seconds)

    def set_each(self, keys: Sequence[str], value: str, *, seconds: int) -> None:
        """Keep one value under many keys, in one round trip."""

        def work(client: Redis) -> object:
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.set(key, value, ex=seconds)
            return pipeline.execute()

        if keys:
            self._try(work)

    def add(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for `seconds` unless the key has one."""
        self._call("set", key, value, ex=seconds, nx=True)

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> list[int] | None:
        """Run a Lua script that answers with numbers, sent by its digest once the server has it.

        None when the cache is down.
        """
        answer = self._try(lambda client: client.register_script(script)(keys, args))
        return answer if isinstance(answer, list) else None

    def ping(self) -> bool:
        """Tell whether the cache answers, even while other calls pause."""
        self._paused_until = 0.0
        return self._call("ping") is True

    def _call(self, command: str, *args: str, **options: int) -> object:
        return self._try(lambda client: getattr(client, command)(*args, **options))

    def _try(self, work: Callable[[Redis], object]) -> object:
        from redis import RedisError  # noqa: PLC0415

        if time.monotonic() < self._paused_until:
            return None
        try:
            return work(self._connected())
        except (RedisError, ValueError) as error:  # ValueError: an address that is none
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            count("CacheUnavailable")
            logger.warning("cache failed", extra={"cause": type(error).__name__})
            return None

    def _connected(self) -> Redis:
        from redis import Redis  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        url = secrets.resolve(self._secret, "REDIS_URL")
        if self._client is None or url != self._url:
            if self._client is not None:
                self._client.close()
            seconds = settings().cache_timeout_seconds
            # One retry replaces a connection that died while the environment was frozen.
            self._client = Redis.from_url(
                url,
                decode_responses=True,
                protocol=2,
                max_connections=2,
                socket_connect_timeout=seconds,
                socket_timeout=seconds,
                retry=Retry(NoBackoff(), 1),
            )
            self._url = url
        return self._client


@cache
def shared_cache() -> Cache:
    """Return this environment's cache."""
    return Cache(settings().redis_url)
