"""The health check, and the limit of the pages beside it."""

import time
from collections.abc import Sequence
from uuid import UUID

from medianest import VERSION
from medianest.core.cache import shared_cache
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.rate_limit import Ask, Charge
from medianest.health.schemas import CheckOut, ChecksOut, HealthOut


def check() -> HealthOut:
    """Ask database and cache for a sign of life; raises DATABASE_CONNECTION_ERROR."""
    started = time.perf_counter()
    database().ping()
    database_ms = _ms_since(started)
    started = time.perf_counter()
    cache_up = shared_cache().ping()
    return HealthOut(
        status="healthy" if cache_up else "degraded",
        version=VERSION,
        checks=ChecksOut(
            database=CheckOut(status="healthy", latency_ms=database_ms),
            cache=CheckOut(
                status="healthy" if cache_up else "unhealthy", latency_ms=_ms_since(started)
            ),
        ),
    )


def charge(asks: Sequence[Ask], caller: Caller, user_id: UUID | None) -> Charge:
    """Charge the caller; raises RATE_LIMITED."""
    # Imported here: a health check, which is nearly every call, is not limited.
    from medianest.limits.service import charge as charge_limits  # noqa: PLC0415

    return charge_limits(asks, caller, user_id)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
