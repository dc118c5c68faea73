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
from medianest.requests.decision_schemas import DecidedOut, DecisionOut
from medianest.requests.schemas import RequestOut
from medianest.servers.stored_schemas import HandoverOptions
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.requests.decision_schemas import ApproveIn, DecisionsIn
    from medianest.requests.models import Decision, LockedRequest
    from medianest.users.models import Principal

_ACTIONS: dict[Decision, Action] = {
    "approved": Action.REQUEST_APPROVED,
    "declined": Action.REQUEST_DECLINED,
}


def approve(request_id: UUID, body: ApproveIn, admin: Principal, caller: Caller) -> RequestOut:
    """Approve a pending request.

    Raises NOT_FOUND, INVALID_STATE, VALIDATION_ERROR or TITLE_ON_OTHER_SERVER.
    """
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
        locked = _decide(connection, body.ids, decision, admin, caller, details)
    decided = sum(each.status == "pending" for each in locked.values())
    if decided:
        count("RequestDecided", decided)
        if decision == "approved":
            bell.ring()
    return [_decision_out(each, decision, locked.get(each)) for each in body.ids]


def refusal(request: LockedRequest | None) -> AppError:
    """Return the error for a request whose state does not allow the action of an admin.

    It names the admin who has decided, because the two may act at the same time.
    """
    if request is None:
        return AppError(ErrorCode.NOT_FOUND)
    decided = DecidedOut.model_validate(request)
    details = decided.model_dump(mode="json", by_alias=True, exclude_none=True)
    return AppError(ErrorCode.INVALID_STATE, details=details)


def _decide_one(
    request_id: UUID,
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
    choice: Choice | None = None,
) -> RequestOut:
    with database().transaction() as connection:
        locked = _decide(connection, [request_id], decision, admin, caller, details, choice)
        request = locked.get(request_id)
        if request is None or request.status != "pending":
            raise refusal(request)
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
) -> dict[UUID, LockedRequest]:
    """Decide the requests that are pending; return each as it was before the decision."""
    lock_admin(connection, admin)
    locked = repository.lock(connection, request_ids)
    pending = [each for each in request_ids if each in locked and locked[each].status == "pending"]
    repository.decide(
        connection, pending, decision, admin_id=admin.user_id, reason=details.get("reason")
    )
    if decision == "declined":
        repository.release(connection, pending)
    else:
        if choice is not None and pending:
            fulfilment_service.choose(connection, locked[pending[0]].title, choice)
        fulfilment_service.start(connection, pending, by_person=choice is not None)
    audit_repository.record_each(
        connection,
        _ACTIONS[decision],
        caller,
        user_id=admin.user_id,
        target_type="request",
        target_ids=pending,
        details=details,
    )
    return locked


def _choice(body: ApproveIn) -> Choice | None:
    if body.server_id is None:
        if body.options is not None:
            raise invalid("body.options", "Requires serverId")
        return None
    return Choice(body.server_id, body.options or HandoverOptions())


def _decision_out(
    request_id: UUID, decision: Decision, previous: LockedRequest | None
) -> DecisionOut:
    if previous is not None and previous.status == "pending":
        return DecisionOut(id=request_id, status=decision)
    error = refusal(previous)
    return DecisionOut(
        id=request_id,
        error=ApiError(code=error.code, message=error.message, details=error.details),
    )
