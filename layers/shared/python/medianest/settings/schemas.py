"""Values of `system_config`, as they may be."""

from typing import Annotated

from pydantic import Field

from medianest.core.envelope import In


class SessionLifetimesIn(In):
    """How many days a token lives, a session unused, and a session in all."""

    token_days: Annotated[int, Field(ge=1, le=30)]
    idle_days: Annotated[int, Field(ge=1, le=90)]
    absolute_days: Annotated[int, Field(ge=1, le=365)]


class RateLimitIn(In):
    """How many calls in how many seconds."""

    limit: Annotated[int, Field(ge=1, le=1000)]
    window: Annotated[int, Field(ge=1, le=86_400)]
