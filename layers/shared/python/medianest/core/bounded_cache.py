"""Cached values that take up a bounded share of the cache; the oldest make room.

Callers decide how many values there are, so without a bound they decide what else the cache has
room for: a full cache evicts, and the counts of failed logins would be among what it evicts.

The values lie in a few hashes, each with the order in which they came. Both keys of a shard have
one hash tag: a cluster runs a script on one hash slot only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from medianest.core.cache import Cache

SHARDS = 16
# Bytes that Valkey needs for an entry besides its name and its value, rounded up.
OVERHEAD = 300

# KEYS: the values, and the order of their names. ARGV: a name, its value, the bytes that the shard
# may take up, seconds. The empty name has the bytes that the shard takes up; it goes with them.
_STORE = f"""
local most = tonumber(ARGV[3])
local function cost(name)
  local length = redis.call('HSTRLEN', KEYS[1], name)
  return length == 0 and 0 or length + #name + {OVERHEAD}
end
if #ARGV[1] + #ARGV[2] + {OVERHEAD} > most then return {{0}} end
local size = tonumber(redis.call('HGET', KEYS[1], '') or 0) - cost(ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
size = size + cost(ARGV[1])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], ARGV[1])
while size > most do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then
    redis.call('DEL', KEYS[1])
    return {{0}}
  end
  size = size - cost(oldest)
  redis.call('HDEL', KEYS[1], oldest)
end
redis.call('HSET', KEYS[1], '', size)
local seconds = math.max(redis.call('TTL', KEYS[1]), ARGV[4])
redis.call('EXPIRE', KEYS[1], seconds)
redis.call('EXPIRE', KEYS[2], seconds)
return {{1}}
"""


class BoundedCache:
    """String values under `prefix` that together take up no more than `max_bytes`.

    A value may outlive its `seconds`, as a shard expires as a whole: it must tell its own age. One
    that is larger than a shard's part of `max_bytes` is not kept.
    """

    def __init__(self, cache: Cache, prefix: str, max_bytes: int) -> None:
        self._cache = cache
        self._prefix = prefix
        self._shard_bytes = max_bytes // SHARDS

    def get(self, name: str) -> str | None:
        """Return a value, or None when it is absent or the cache is down."""
        return self._cache.get_field(self._keys(name)[0], name)

    def set(self, name: str, value: str, *, seconds: int) -> None:
        """Keep a value; does nothing when the cache is down or full."""
        self._cache.run(_STORE, self._keys(name), [name, value, self._shard_bytes, seconds])

    def _keys(self, name: str) -> tuple[str, str]:
        shard = f"{{{self._prefix}:{crc32(name.encode()) % SHARDS}}}"
        return f"{shard}:values", f"{shard}:order"
