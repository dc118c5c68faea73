"""Rules of requests: PostgreSQL decides between concurrent calls.

Lock order, which prevents deadlocks. Every transaction that writes locks in this order:

1. the row of the user who acts (`users.service.lock_active_user`), and no other user's: all that a
   transaction writes refers, where it is new, to that one user, so no foreign key makes it wait for
   a user later;
2. requests, in the order of their ids;
3. what they hold, in the order of seasons, where the unique indexes make one wait for another.

So who waits for a user holds nothing that others could wait for (of an idempotency key it is only
asked whether it is free), and who holds something waits only for what comes later in the order.
Who changes or deletes a user, or ends their sessions, locks the admins by id
(`users.service.lock_admins`) and then that one, before a deletion goes on to requests and what they
hold: the same order. Settings and sessions come after users, too. Only who signs in may lock two
users, in any order: `FOR NO KEY UPDATE` their own and `FOR KEY SHARE` that of the former session,
which let each other pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import count
from medianest.requests import repository
from medianest.requests.decisions import not_pending
from medianest.requests.schemas import AdminRequestOut, RequesterOut, RequestOut
from medianest.users.service import lock_active_user

if TYPE_CHECKING:
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.requests.models import MediaRequest, RequestWithRequester
    from medianest.requests.schemas import AdminRequestQuery, RequestQuery
    from medianest.users.models import Principal


def get(request_id: UUID, viewer_id: UUID) -> RequestOut:
    """Return a request to its owner or an admin; raises NOT_FOUND for anybody else."""
    with database().transaction() as connection:
        request = repository.get_for(connection, request_id, viewer_id)
    if request is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return RequestOut.model_validate(request)


def cancel(request_id: UUID, principal: Principal, caller: Caller) -> None:
    """Remove a pending request, which frees its title; one's own, or any as an admin.

    Raises NOT_FOUND, also for somebody else's, or INVALID_STATE.
    """
    with database().transaction() as connection:
        actor = lock_active_user(connection, principal)
        owner_id = None if actor.role == "admin" else principal.user_id
        request = repository.delete_pending(connection, request_id, owner_id=owner_id)
        if request is None:
            raise not_pending(repository.status_of(connection, request_id, owner_id=owner_id))
        details = described(request)
        if request.user_id != principal.user_id:
            details["ownerId"] = str(request.user_id)
        audit_repository.record(
            connection,
            Action.REQUEST_CANCELLED,
            caller,
            user_id=principal.user_id,
            target=("request", request_id),
            details=details,
        )
    count("RequestCancelled")


def list_mine(query: RequestQuery, user_id: UUID) -> PageResponse[RequestOut]:
    """Return a page of a user's requests."""
    with database().transaction() as connection:
        requests, total = repository.page(connection, query, user_id)
    items = [RequestOut.model_validate(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def list_all(query: AdminRequestQuery) -> PageResponse[AdminRequestOut]:
    """Return a page of all requests, each with its requester."""
    with database().transaction() as connection:
        requests, total = repository.page(connection, query, query.user_id)
    items = [_admin_out(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def described(request: MediaRequest) -> dict[str, Any]:
    """Return the audit details of a request."""
    details: dict[str, Any] = {
        "mediaType": request.media_type,
        "tmdbId": request.tmdb_id,
        "title": request.title,
    }
    if request.seasons is not None:
        details["seasons"] = request.seasons
    return details


def _admin_out(request: RequestWithRequester) -> AdminRequestOut:
    return AdminRequestOut(
        **RequestOut.model_validate(request).model_dump(),
        requester=RequesterOut(id=request.user_id, username=request.username, email=request.email),
    )
