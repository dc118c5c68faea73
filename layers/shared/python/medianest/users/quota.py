"""API model of a quota, in a separate module: settings and so every function need it."""

from typing import Annotated

from pydantic import Field

from medianest.core.envelope import RequestModel


class QuotaIn(RequestModel):
    """A number of films or seasons that may be requested within a number of days."""

    limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        description="Number of films or seasons; `null` for no limit"
    )
    days: int = Field(ge=1, le=365, description="Number of days that the limit covers")
