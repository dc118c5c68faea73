"""API models of the call that hands over what was approved before."""

from typing import ClassVar

from pydantic import Field

from medianest.core.envelope import RequestModel, ResponseModel
from medianest.core.examples import Examples


class AdoptIn(RequestModel):
    """The call that queues what is fetched by hand; it has no fields."""

    EXAMPLES: ClassVar[Examples] = {"all": {}}


class AdoptedOut(ResponseModel):
    """The approved titles that were fetched by hand."""

    EXAMPLES: ClassVar[Examples] = {"all": {"queued": 12, "skipped": 3, "more": False}}

    queued: int = Field(description="Titles that now wait for a download server")
    skipped: int = Field(description="Titles for which no server is enabled")
    more: bool = Field(description="Whether another call will queue further titles")
