"""API models of decisions on requests, and of what admins do after an approval."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from medianest.core.envelope import TYPED, ApiError, Id, RequestModel, ResponseModel, Timestamp
from medianest.core.examples import REQUEST_ID, SECOND_REQUEST_ID, SERVER_ID, Examples
from medianest.requests.models import Decision, RequestStatus
from medianest.requests.schemas import Comment, RequestIds
from medianest.servers.stored_schemas import HandoverOptions


class ApproveIn(RequestModel):
    """The approval of a request."""

    EXAMPLES: ClassVar[Examples] = {
        "note": {"note": "Fits on the disk"},
        "without a note": {},
        "server": {"serverId": SERVER_ID, "options": {"search": False}},
    }

    note: Comment | None = Field(default=None, description="Note for the audit log")
    server_id: Id | None = Field(
        default=None,
        description="Id of the download server of the title; without it, the routing rules decide",
    )
    options: HandoverOptions | None = Field(
        default=None, description="Options that differ from those of the server"
    )


class RetryIn(RequestModel):
    """Another attempt to hand a request over."""

    EXAMPLES: ClassVar[Examples] = {"same server": {}, "by the rules": {"reroute": True}}

    reroute: Annotated[bool, TYPED] = Field(
        default=False, description="Whether the routing rules choose the server again"
    )


class WithdrawIn(RequestModel):
    """The withdrawal of an approval."""

    EXAMPLES: ClassVar[Examples] = {"reason": {"reason": "The wrong film"}}

    reason: Comment = Field(description="Reason, which the requester can read")


class DeclineIn(RequestModel):
    """The rejection of a request."""

    EXAMPLES: ClassVar[Examples] = {"reason": {"reason": "Already on the server"}}

    reason: Comment = Field(description="Reason, which the requester can read")


class DecisionsIn(RequestModel):
    """One decision on many requests."""

    EXAMPLES: ClassVar[Examples] = {
        "approve": {"decision": "approve", "ids": [REQUEST_ID]},
        "decline": {
            "decision": "decline",
            "ids": [REQUEST_ID, SECOND_REQUEST_ID],
            "reason": "No space left this month",
        },
    }

    decision: Literal["approve", "decline"] = Field(description="The decision on each of them")
    ids: RequestIds = Field(description="Ids of the requests")
    reason: Comment | None = Field(
        default=None, description="Reason, which the requesters can read; required by `decline`"
    )
    note: Comment | None = Field(
        default=None, description="Note for the audit log; only with `approve`"
    )


class DecidedOut(ResponseModel):
    """The state of a request that does not allow the action, and the decision that made it so."""

    EXAMPLES: ClassVar[Examples] = {
        "decided": {
            "status": "declined",
            "processedAt": "2026-01-06T08:00:00.000Z",
            "processedByName": "alice",
        }
    }

    status: RequestStatus = Field(description="State of the request")
    processed_at: Timestamp | None = Field(default=None, description="Time of the decision")
    processed_by_name: str | None = Field(
        default=None, description="Name of the admin who decided; absent if no admin did"
    )


class DecisionOut(ResponseModel):
    """The result for one of many requests: its new state, or the error."""

    EXAMPLES: ClassVar[Examples] = {
        "done": {"id": REQUEST_ID, "status": "approved"},
        "too late": {
            "id": SECOND_REQUEST_ID,
            "error": {
                "code": "INVALID_STATE",
                "message": "The request is not in a state that allows this.",
                "details": DecidedOut.EXAMPLES["decided"],
            },
        },
    }

    id: UUID = Field(description="Id of the request")
    status: Decision | None = Field(default=None, description="New state of the request")
    error: ApiError | None = None
