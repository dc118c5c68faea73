"""API models of the health check."""

from typing import ClassVar, Literal

from pydantic import Field

from medianest import VERSION
from medianest.core.envelope import ResponseModel
from medianest.core.examples import Examples


class CheckOut(ResponseModel):
    """The check of one server."""

    status: Literal["healthy", "unhealthy", "none"] = Field(
        description="Whether the server responds; `none` is a cache that the service does not have"
    )
    latency_ms: float = Field(
        description="Time until it responded or failed, in milliseconds; 0 with `none`"
    )


class ChecksOut(ResponseModel):
    """The checks of the database and the cache; plex.tv and TMDB are not checked."""

    database: CheckOut
    cache: CheckOut


class HealthOut(ResponseModel):
    """The state of the service, which stays available (`degraded`) without the cache."""

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
