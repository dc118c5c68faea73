"""Create a request: reserve its titles, check the quota, store the idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.catalog import service as catalog_service
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import count
from medianest.fulfilment import service as fulfilment_service
from medianest.jobs import bell
from medianest.requests import quotas, repository
from medianest.requests.idempotency import service as idempotency_service
from medianest.requests.schemas import CreatedRequestOut
from medianest.requests.seasons import season_problem, seasons_of
from medianest.requests.service import described
from medianest.system_config import service as system_config_service
from medianest.users.service import lock_active_user

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import TitleDetails
    from medianest.core.caller import Caller
    from medianest.requests.models import MediaRequest
    from medianest.requests.schemas import RequestIn
    from medianest.users.models import Actor, Principal


def create(
    body: RequestIn, principal: Principal, caller: Caller, key: str | None
) -> CreatedRequestOut:
    """Create a request; a retry with the same idempotency key returns its current state.

    Raises AppError VALIDATION_ERROR, ALREADY_REQUESTED, QUOTA_EXCEEDED, CATALOG_UNAVAILABLE,
    IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or REQUEST_CANCELLED, and JWT_INVALID for a
    user who was deleted or suspended after authentication. An error writes nothing.
    """
    fingerprint = idempotency_service.fingerprint(body)
    if key is not None:
        idempotency_service.check_key(key)
        # A fast path that saves the call of TMDB. The check under the lock below decides.
        with database().transaction() as connection:
            if replayed := idempotency_service.replay(connection, principal, key, fingerprint):
                return replayed
    title = catalog_service.title_for_request(
        body.media_type, body.tmdb_id, lambda title: season_problem(title, body) is None
    )
    seasons = seasons_of(title, body)
    with database().transaction() as connection:
        if key is not None:
            idempotency_service.lock(connection, principal, key)
            if replayed := idempotency_service.replay(connection, principal, key, fingerprint):
                return replayed
        actor = lock_active_user(connection, principal)
        request = _insert(connection, title, seasons, body.comment, actor, principal.user_id)
        quotas.check(connection, actor, request)
        _record_creation(connection, request, caller)
        skipped = sorted(set(seasons) - set(request.seasons or []))
        created = CreatedRequestOut.model_validate(request).model_copy(
            update={"skipped_seasons": skipped or None}
        )
        if key is not None:
            idempotency_service.remember(connection, principal, key, fingerprint, created)
    count("RequestCreated")
    if created.status != "pending":
        count("RequestDecided")
        bell.ring()
    return created


def _insert(
    connection: Connection[Any],
    title: TitleDetails,
    seasons: list[int],
    comment: str | None,
    actor: Actor,
    user_id: UUID,
) -> MediaRequest:
    """Insert a request and its items; raises ALREADY_REQUESTED when none of them is free."""
    approved = system_config_service.auto_approval(actor.role)
    is_approved = approved.movie if title.media_type == "movie" else approved.tv
    request_id = repository.add(connection, user_id, title, comment, approved=is_approved)
    if title.media_type == "movie":
        is_reserved = repository.reserve_movie(connection, request_id, title.tmdb_id)
    else:
        is_reserved = bool(
            repository.reserve_seasons(connection, request_id, title.tmdb_id, seasons)
        )
    if not is_reserved:
        existing_id = repository.active_request_of(
            connection, user_id, title.media_type, title.tmdb_id, seasons
        )
        raise AppError(
            ErrorCode.ALREADY_REQUESTED,
            details={"requestId": str(existing_id)} if existing_id else None,
        )
    if is_approved:
        fulfilment_service.start(connection, [request_id])
    return repository.get(connection, request_id)


def _record_creation(connection: Connection[Any], request: MediaRequest, caller: Caller) -> None:
    """Audit a new request, and its automatic approval if it has one."""
    rows = [(Action.REQUEST_CREATED, described(request))]
    if request.status == "approved":
        rows.append((Action.REQUEST_APPROVED, {"auto": True}))
    for action, details in rows:
        audit_repository.record(
            connection,
            action,
            caller,
            user_id=request.user_id,
            target=("request", request.id),
            details=details,
        )
