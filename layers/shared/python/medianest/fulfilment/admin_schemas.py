"""API models of the fulfilment of a request, as admins see it."""

from uuid import UUID

from pydantic import Field

from medianest.core.envelope import ResponseModel
from medianest.fulfilment.schemas import FulfilmentOut


class ServerNameOut(ResponseModel):
    """A download server."""

    id: UUID = Field(description="Id of the server")
    name: str = Field(description="Name of the server")


class AdminFulfilmentOut(FulfilmentOut):
    """The fulfilment of an approved request, as admins see it."""

    server: ServerNameOut | None = Field(
        default=None, description="The download server of the title"
    )
    job_id: UUID | None = Field(
        default=None, description="Id of the job that is due, or that failed"
    )
