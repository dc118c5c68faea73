"""Fixtures: a fake TMDB, and a client with a cache in memory."""

import pytest

from medianest.catalog import response_cache
from medianest.catalog import tmdb as tmdb_module
from medianest.catalog.tmdb import TmdbClient
from medianest.core import http
from tests.support.tmdb import (
    V3_KEY,
    Clock,
    MemoryCache,
    Tmdb,
    client_of,
)


@pytest.fixture
def tmdb(monkeypatch: pytest.MonkeyPatch) -> Tmdb:
    tmdb = Tmdb()
    monkeypatch.setattr(http, "request_json", tmdb)
    return tmdb


@pytest.fixture
def cache() -> MemoryCache:
    return MemoryCache()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (tmdb_module, response_cache):
        monkeypatch.setattr(module, "now", clock)
    return clock


@pytest.fixture
def client(tmdb: Tmdb, cache: MemoryCache) -> TmdbClient:
    assert tmdb.calls == []
    return client_of(V3_KEY, cache)
