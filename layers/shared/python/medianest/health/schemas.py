"""Health on the wire."""

from typing import ClassVar, Literal

from pydantic import Field

from medianest import VERSION
from medianest.core.envelope import ResponseModel
from medianest.core.examples import Examples


class CheckOut(ResponseModel):
    """The check of one server that the service needs."""

    status: Literal["healthy", "unhealthy"] = Field(description="Whether the server answers")
    latency_ms: float = Field(description="Time until it answered or failed, in milliseconds")


class ChecksOut(ResponseModel):
    """The checks of the servers that the service needs; plex.tv and TMDB are none of them."""

    database: CheckOut
    cache: CheckOut


class HealthOut(ResponseModel):
    """The state of the service; without the cache it serves on, `degraded`."""

    EXAMPLES: ClassVar[Examples] = {
        "healthy": {
            "status": "healthy",
            "version": VERSION,
            "checks": {
                "database": {"status": "healthy", "latencyMs": 1.2},
                "cache": {"status": "healthy", "latencyMs": 0.4},
            },
        },
        "without the cache": {
            "status": "degraded",
            "version": VERSION,
            "checks": {
                "database": {"status": "healthy", "latencyMs": 1.2},
                "cache": {"status": "unhealthy", "latencyMs": 250.0},
            },
        },
    }

    status: Literal["healthy", "degraded"] = Field(
        description="Whether the service works fully (`healthy`) or without its cache (`degraded`)"
    )
    version: str = Field(description="Version of the service")
    checks: ChecksOut
