"""Calls of the catalogue, its cache, and faults of the stand-in for TMDB."""

import json
from collections.abc import Callable
from typing import Any

import redis

from medianest.core.bounded_cache import BoundedCache
from medianest.core.cache import shared_cache
from tests.support import plex
from tests.support.api import Answer, call

type Fault = Callable[..., None]

DAY = 86_400
MATRIX = {"mediaType": "movie", "tmdbId": 603}
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396}
FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 401},
    {"kind": "html"},
    {"kind": "wrong-types"},
    {"kind": "huge"},
    {"kind": "gzip-bomb"},
    {"kind": "close"},
    {"kind": "redirect", "location": "http://127.0.0.1:1/"},
]
FAULT_IDS = ["-".join(map(str, fault.values())).partition("-http")[0] for fault in FAULTS]


def details(token: str, media_type: str, tmdb_id: object, **options: Any) -> Answer:
    """Read a title in full."""
    return call("GET", f"/api/media/{media_type}/{tmdb_id}", token=token, **options)


def search(token: str, text: str = "matrix") -> Answer:
    """Search for titles."""
    return call("GET", "/api/media/search", token=token, query={"q": text})


def post_request(token: str, body: dict[str, Any]) -> Answer:
    """Request a title."""
    return call("POST", "/api/media/request", token=token, body=body)


def requests_to(upstream_url: str) -> list[Any]:
    """Return the requests that an upstream received."""
    requests: list[Any] = plex.control(upstream_url, "GET", "requests")
    return requests


def cached_entries(keys: redis.Redis) -> dict[str, Any]:
    """Return the cached responses of TMDB by cache key."""
    entries: dict[str, Any] = {}
    for shard in keys.scan_iter("{tmdb:*}:values"):
        values = keys.hgetall(shard)
        assert isinstance(values, dict)
        entries |= {str(name): json.loads(text) for name, text in values.items() if name}
    return entries


def store(name: str, entry: Any) -> None:
    """Cache a response of TMDB, or replace the cached one."""
    response_cache = BoundedCache(shared_cache(), "tmdb", 1_000_000)
    response_cache.set(name, json.dumps(entry), seconds=8 * DAY)


def age_entries(keys: redis.Redis, seconds: int) -> None:
    """Make all cached responses of TMDB older."""
    for name, entry in cached_entries(keys).items():
        store(name, {**entry, "at": entry["at"] - seconds})
