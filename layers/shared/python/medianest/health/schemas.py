"""Health on the wire."""

from typing import Literal

from medianest.core.envelope import ResponseModel


class CheckOut(ResponseModel):
    """One thing the service needs."""

    status: Literal["healthy", "unhealthy"]
    latency_ms: float


class ChecksOut(ResponseModel):
    """All things the service needs. Third parties are not asked: their trouble is not ours."""

    database: CheckOut
    cache: CheckOut


class HealthOut(ResponseModel):
    """Whether everything is well; without the cache the service goes on, `degraded`."""

    status: Literal["healthy", "degraded"]
    version: str
    checks: ChecksOut
