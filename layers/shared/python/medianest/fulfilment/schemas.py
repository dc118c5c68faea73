"""API models of the fulfilment of a request."""

from pydantic import Field

from medianest.core.envelope import ResponseModel, Timestamp
from medianest.fulfilment.models import FulfilmentState


class SeasonFulfilmentOut(ResponseModel):
    """The fulfilment of one season."""

    season: int = Field(description="Number of the season")
    state: FulfilmentState = Field(description="State of the season")


class FulfilmentErrorOut(ResponseModel):
    """The reason of a failure or of a delay."""

    code: str = Field(description="Stable code of the reason", examples=["SEASON_UNKNOWN"])
    message: str = Field(description="Text for people")
    retry_at: Timestamp | None = Field(
        default=None, description="Time of the next attempt; absent if only an admin retries"
    )


class FulfilmentOut(ResponseModel):
    """The fulfilment of an approved request."""

    state: FulfilmentState = Field(
        description="The least advanced state of its items: an admin fetches it (`manual`), it"
        " waits for a download server (`queued`), the server has it (`submitted`), its files have"
        " arrived (`downloaded`), or it cannot be fetched (`failed`)"
    )
    since: Timestamp | None = Field(default=None, description="Time when the state began")
    seasons: list[SeasonFulfilmentOut] | None = Field(
        default=None, description="The state of each season of a show"
    )
    error: FulfilmentErrorOut | None = Field(
        default=None, description="Why it failed or, for admins, why it waits"
    )
