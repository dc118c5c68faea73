"""Decisions of admins: approve or decline one request, or up to 100 in one call.

An approval queues what it approves for a download server, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.envelope import ApiError
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid
from medianest.core.observability import count
from medianest.fulfilment import service as fulfilment_service
from medianest.fulfilment.service import Choice
from medianest.jobs import bell
from medianest.requests import repository
from medianest.requests.decision_schemas import DecisionOut
from medianest.requests.schemas import RequestOut
from medianest.servers.schemas import HandoverOptions
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.requests.decision_schemas import ApproveIn, DecisionsIn
    from medianest.requests.models import Decision, RequestStatus
    from medianest.users.models import Principal

_ACTIONS: dict[Decision, Action] = {
    "approved": Action.REQUEST_APPROVED,
    "declined": Action.REQUEST_DECLINED,
}


def approve(request_id: UUID, body: ApproveIn, admin: Principal, caller: Caller) -> RequestOut:
    """Approve a pending request; raises NOT_FOUND, INVALID_STATE or VALIDATION_ERROR."""
    details = {"note": body.note} if body.note else {}
    return _decide_one(request_id, "approved", admin, caller, details, _choice(body))


def decline(request_id: UUID, reason: str, admin: Principal, caller: Caller) -> RequestOut:
    """Decline a pending request and release its title; raises NOT_FOUND or INVALID_STATE."""
    return _decide_one(request_id, "declined", admin, caller, {"reason": reason})


def decide(body: DecisionsIn, admin: Principal, caller: Caller) -> list[DecisionOut]:
    """Decide the pending requests of a list in one transaction; return the result of each."""
    decision: Decision
    if body.decision == "approve":
        if body.reason is not None:
            raise invalid("body.reason", "Only for a decision to decline")
        decision, details = "approved", {"note": body.note} if body.note else {}
    else:
        if body.note is not None:
            raise invalid("body.note", "Only for a decision to approve")
        if body.reason is None:
            raise invalid("body.reason", "Required to decline")
        decision, details = "declined", {"reason": body.reason}
    with database().transaction() as connection:
        statuses = _decide(connection, body.ids, decision, admin, caller, details)
    decided = list(statuses.values()).count("pending")
    if decided:
        count("RequestDecided", decided)
        if decision == "approved":
            bell.ring()
    return [_decision_out(each, decision, statuses.get(each)) for each in body.ids]


def not_pending(status: RequestStatus | None) -> AppError:
    """Return the error for a request that cannot be decided or cancelled."""
    if status is None:
        return AppError(ErrorCode.NOT_FOUND)
    return AppError(ErrorCode.INVALID_STATE, details={"status": status})


def _decide_one(
    request_id: UUID,
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
    choice: Choice | None = None,
) -> RequestOut:
    with database().transaction() as connection:
        statuses = _decide(connection, [request_id], decision, admin, caller, details, choice)
        if statuses.get(request_id) != "pending":
            raise not_pending(statuses.get(request_id))
        decided = repository.get(connection, request_id)
    count("RequestDecided")
    if decision == "approved":
        bell.ring()
    return RequestOut.model_validate(decided)


def _decide(
    connection: Connection[Any],
    request_ids: Sequence[UUID],
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
    choice: Choice | None = None,
) -> dict[UUID, RequestStatus]:
    """Decide the requests that are pending; return the status of each before the decision."""
    lock_admin(connection, admin)
    locked = repository.lock(connection, request_ids)
    statuses = {request_id: each.status for request_id, each in locked.items()}
    pending = [each for each in request_ids if statuses.get(each) == "pending"]
    repository.decide(
        connection, pending, decision, admin_id=admin.user_id, reason=details.get("reason")
    )
    if decision == "declined":
        repository.release(connection, pending)
    else:
        if choice is not None and pending:
            fulfilment_service.choose(connection, locked[pending[0]].title, choice)
        fulfilment_service.start(connection, pending)
    audit_repository.record_each(
        connection,
        _ACTIONS[decision],
        caller,
        user_id=admin.user_id,
        target_type="request",
        target_ids=pending,
        details=details,
    )
    return statuses


def _choice(body: ApproveIn) -> Choice | None:
    if body.server_id is None:
        if body.options is not None:
            raise invalid("body.options", "Requires serverId")
        return None
    return Choice(body.server_id, body.options or HandoverOptions())


def _decision_out(
    request_id: UUID, decision: Decision, previous_status: RequestStatus | None
) -> DecisionOut:
    if previous_status == "pending":
        return DecisionOut(id=request_id, status=decision)
    error = not_pending(previous_status)
    return DecisionOut(
        id=request_id,
        error=ApiError(code=error.code, message=error.message, details=error.details),
    )
