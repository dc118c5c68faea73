"""The health check: database and cache."""

import time

from medianest import VERSION
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.health.schemas import CheckOut, ChecksOut, HealthOut


def check() -> HealthOut:
    """Ping the database and the cache; raises AppError if the database does not serve."""
    started = time.perf_counter()
    database().ping()
    database_ms = _ms_since(started)
    cache = _check_cache()
    return HealthOut(
        status="degraded" if cache.status == "unhealthy" else "healthy",
        version=VERSION,
        checks=ChecksOut(database=CheckOut(status="healthy", latency_ms=database_ms), cache=cache),
    )


def _check_cache() -> CheckOut:
    if not shared_cache().exists:
        return CheckOut(status="none", latency_ms=0)
    started = time.perf_counter()
    is_up = shared_cache().ping()
    return CheckOut(status="healthy" if is_up else "unhealthy", latency_ms=_ms_since(started))


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
