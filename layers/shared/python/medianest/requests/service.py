"""Rules of requests: PostgreSQL decides between concurrent calls.

Lock order (prevents deadlocks). Every transaction that writes takes its locks in this order:

1. the row of the acting user (`users.service.lock_active_user`) and of no other user. New rows
   refer to this user only, so no foreign key makes the transaction wait for another user later;
2. requests, ordered by id;
3. items of requests: new ones ordered by season, where the unique indexes make one transaction wait
   for another, others ordered by id. `jobs/protocol.py` has what precedes and follows them: changes
   of servers, the server of the title, and jobs.

A transaction that waits for a user therefore holds no lock that others need, and a transaction that
holds locks waits only for later ones. An idempotency key is locked before all of these, but no
transaction waits for that lock.

A transaction that changes or deletes a user, or revokes their sessions, locks the active admins by
id (`users.service.lock_admins`), then that user; a deletion continues with requests and items.
Settings and sessions come after users, too. Only a sign-in may lock two users, in any order: it
takes `FOR NO KEY UPDATE` on its own and `FOR KEY SHARE` on the user of the previous session, and
these two modes do not conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of_rows
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import count
from medianest.requests import repository
from medianest.requests.lists import repository as lists_repository
from medianest.requests.schemas import RequestOut
from medianest.users.service import lock_active_user

if TYPE_CHECKING:
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.requests.models import MediaRequest
    from medianest.requests.schemas import RequestQuery
    from medianest.users.models import Principal


def get(request_id: UUID, viewer_id: UUID) -> RequestOut:
    """Return a request if the viewer is its owner or an admin; raises NOT_FOUND otherwise."""
    request = database().read(
        lambda connection: repository.get_for(connection, request_id, viewer_id)
    )
    if request is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return RequestOut.model_validate(request)


def cancel(request_id: UUID, principal: Principal, caller: Caller) -> None:
    """Cancel a pending request of the caller, or any as an admin, and release its title.

    Raises INVALID_STATE, or NOT_FOUND, which includes requests of other users.
    """
    with database().transaction() as connection:
        actor = lock_active_user(connection, principal)
        owner_id = None if actor.role == "admin" else principal.user_id
        request = repository.delete_pending(connection, request_id, owner_id=owner_id)
        if request is None:
            status = repository.status_of(connection, request_id, owner_id=owner_id)
            if status is None:
                raise AppError(ErrorCode.NOT_FOUND)
            raise AppError(ErrorCode.INVALID_STATE, details={"status": status})
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
    requests, total = database().read(
        lambda connection: lists_repository.page(connection, query, user_id=user_id)
    )
    return page_of_rows(
        PageResponse[RequestOut], requests, page=query.page, limit=query.limit, total=total
    )


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
