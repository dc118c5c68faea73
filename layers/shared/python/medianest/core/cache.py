"""Valkey or Redis: a help, never a need. When it is down, every key is simply absent."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from medianest.core import secrets
from medianest.core.config import settings
from medianest.core.observability import count, logger

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_SECONDS = 0.25
# After a failure nothing is asked for this long: a dead cache must not cost a time-out a request.
PAUSE_SECONDS = 5.0


class Cache:
    """String keys and values with an expiry."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Redis | None = None
        self._paused_until = 0.0

    def get(self, key: str) -> str | None:
        """Return a value, or None when it is absent or the cache is down."""
        value = self._call("get", key)
        return value if isinstance(value, str) else None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for `seconds`; does nothing when the cache is down."""
        self._call("set", key, value, ex=seconds)

    def ping(self) -> bool:
        """Tell whether the cache answers, even while other calls pause."""
        self._paused_until = 0.0
        return self._call("ping") is True

    def _call(self, command: str, *args: str, **options: int) -> object:
        from redis import RedisError  # noqa: PLC0415

        if time.monotonic() < self._paused_until:
            return None
        try:
            return getattr(self._connected(), command)(*args, **options)
        except RedisError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            count("CacheUnavailable")
            logger.warning("cache failed", extra={"cause": type(error).__name__})
            return None

    def _connected(self) -> Redis:
        from redis import Redis  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        if self._client is None:
            # One retry replaces a connection that died while the environment was frozen.
            self._client = Redis.from_url(
                self._url,
                decode_responses=True,
                protocol=2,
                max_connections=2,
                socket_connect_timeout=TIMEOUT_SECONDS,
                socket_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 1),
            )
        return self._client


@cache
def shared_cache() -> Cache:
    """Return this environment's cache."""
    return Cache(secrets.resolve(settings().redis_url, "REDIS_URL"))
