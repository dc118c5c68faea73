"""Actions of admins on an approved request: retry its hand-over, or withdraw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.fulfilment import repository as fulfilment_repository
from medianest.fulfilment import service as fulfilment_service
from medianest.jobs import bell
from medianest.requests import repository
from medianest.requests.decisions import refusal
from medianest.requests.schemas import RequestOut
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.fulfilment.models import TitleKey
    from medianest.users.models import Principal


def retry(request_id: UUID, admin: Principal, caller: Caller, *, reroute: bool) -> RequestOut:
    """Hand an approved request over again; raises NOT_FOUND, or INVALID_STATE if nothing waits."""
    with database().transaction() as connection:
        title = _lock_approved(connection, request_id, admin)
        if not fulfilment_service.retry(connection, title, request_id, reroute=reroute):
            raise AppError(ErrorCode.INVALID_STATE, details={"status": "approved"})
        _record(connection, Action.REQUEST_RETRIED, request_id, admin, caller, {"reroute": reroute})
        request = repository.get(connection, request_id)
    bell.ring()
    return RequestOut.model_validate(request)


def withdraw(request_id: UUID, reason: str, admin: Principal, caller: Caller) -> RequestOut:
    """Decline a request that was approved, and release its title; raises as `retry` does.

    What a server already has stays there.
    """
    with database().transaction() as connection:
        _lock_approved(connection, request_id, admin)
        repository.decide(
            connection, [request_id], "declined", admin_id=admin.user_id, reason=reason
        )
        fulfilment_repository.release(connection, request_id)
        _record(connection, Action.REQUEST_WITHDRAWN, request_id, admin, caller, {"reason": reason})
        request = repository.get(connection, request_id)
    return RequestOut.model_validate(request)


def _lock_approved(connection: Connection[Any], request_id: UUID, admin: Principal) -> TitleKey:
    lock_admin(connection, admin)
    locked = repository.lock(connection, [request_id]).get(request_id)
    if locked is None or locked.status != "approved":
        raise refusal(locked)
    return locked.title


def _record(
    connection: Connection[Any],
    action: Action,
    request_id: UUID,
    admin: Principal,
    caller: Caller,
    details: dict[str, Any],
) -> None:
    audit_repository.record(
        connection,
        action,
        caller,
        user_id=admin.user_id,
        target=("request", request_id),
        details=details,
    )
