"""Cached values with a bounded total size; the oldest values are evicted first.

Callers choose the names of the values, and so their number. Without a bound they could fill the
cache, and a full cache evicts other keys, such as the counters of rate limits.

The values are spread over a few shards. A shard is a hash of values and a sorted set with their
insertion order. Both keys of a shard share a hash tag, because a cluster runs a script on one hash
slot only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from medianest.core.cache import Cache

SHARDS = 16
# Memory that Valkey uses for an entry in addition to its name and value, in bytes, rounded up.
OVERHEAD = 300

# KEYS: the hash of values, and the sorted set of their names. ARGV: a name, its value, the maximum
# size of the shard in bytes, and the expiry in seconds. The field with the empty name is the
# current size of the shard, so that both expire together.
_STORE = f"""
local max_size = tonumber(ARGV[3])
local function cost(name)
  local length = redis.call('HSTRLEN', KEYS[1], name)
  return length == 0 and 0 or length + #name + {OVERHEAD}
end
if #ARGV[1] + #ARGV[2] + {OVERHEAD} > max_size then return {{0}} end
local size = tonumber(redis.call('HGET', KEYS[1], '') or 0) - cost(ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
size = size + cost(ARGV[1])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], ARGV[1])
while size > max_size do
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
    """String values under `prefix` with a total size of at most `max_bytes`.

    A shard expires as a whole, so a value may outlive its `seconds`: store a timestamp in the value
    and check it. A value that is larger than one shard is not stored.
    """

    def __init__(self, cache: Cache, prefix: str, max_bytes: int) -> None:
        self._cache = cache
        self._prefix = prefix
        self._shard_bytes = max_bytes // SHARDS

    def get(self, name: str) -> str | None:
        """Return a value, or None when it is absent or the cache is down."""
        return self._cache.get_field(self._keys(name)[0], name)

    def set(self, name: str, value: str, *, seconds: int) -> None:
        """Store a value; do nothing when the cache is down or full."""
        self._cache.run(_STORE, self._keys(name), [name, value, self._shard_bytes, seconds])

    def _keys(self, name: str) -> tuple[str, str]:
        shard = f"{{{self._prefix}:{crc32(name.encode()) % SHARDS}}}"
        return f"{shard}:values", f"{shard}:order"
