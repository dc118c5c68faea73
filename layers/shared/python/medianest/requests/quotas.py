"""Request quotas: films and seasons that a user may request in a sliding window of days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_token
from medianest.requests import repository
from medianest.requests.models import Counted
from medianest.requests.quota_schemas import (
    AutoApproveOut,
    QuotaExceededOut,
    QuotaOut,
    QuotasOut,
)
from medianest.system_config import service as system_config_service
from medianest.users import repository as users_repository
from medianest.users.models import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType
    from medianest.requests.models import MediaRequest
    from medianest.users.models import Quota, QuotaKind

_KINDS: Mapping[QuotaKind, MediaType] = {"movies": "movie", "seasons": "tv"}


def check(connection: Connection[Any], actor: Actor, request: MediaRequest) -> None:
    """Raise QUOTA_EXCEEDED when a request exceeds the quota of its user.

    Call it in the transaction that has inserted the request, so that the error rolls it back. The
    count is exact, because this transaction has locked the user's row.
    """
    kind: QuotaKind = "movies" if request.media_type == "movie" else "seasons"
    quota = of(actor, kind)
    if quota.limit is None:
        return
    requested = 1 if request.seasons is None else len(request.seasons)
    counted = Counted(request.user_id, request.media_type, quota.days, except_id=request.id)
    used = repository.quota_used(connection, counted)
    if used + requested <= quota.limit:
        return
    # The number of items that must leave the window. A request for more items than the limit
    # never fits, so it gets the time at which the whole quota is free.
    excess = used + min(requested, quota.limit) - quota.limit
    resets_at = None
    if excess > 0 and quota.limit > 0:
        resets_at = _resets_at(connection, counted, excess)
    refusal = QuotaExceededOut(
        quota=kind,
        limit=quota.limit,
        used=used,
        requested=requested,
        remaining=max(quota.limit - used, 0),
        resets_at=resets_at,
    )
    raise AppError(
        ErrorCode.QUOTA_EXCEEDED,
        message=_message(refusal, quota.days),
        details=refusal.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def mine(user_id: UUID) -> QuotasOut:
    """Return the quotas of a user, each with its use; raises JWT_INVALID for a deleted one."""
    return database().read(lambda connection: _quotas_of(connection, user_id))


def _quotas_of(connection: Connection[Any], user_id: UUID) -> QuotasOut:
    user = users_repository.get(connection, user_id)
    if user is None:
        raise invalid_token()
    actor = Actor(user.role, user.quota)
    states = {kind: _state(connection, user_id, of(actor, kind), kind) for kind in _KINDS}
    approved = system_config_service.auto_approval(user.role)
    return QuotasOut(**states, auto_approve=AutoApproveOut(movie=approved.movie, tv=approved.tv))


def _state(
    connection: Connection[Any], user_id: UUID, quota: Quota, kind: QuotaKind
) -> QuotaOut | None:
    if quota.limit is None:
        return None
    counted = Counted(user_id, _KINDS[kind], quota.days)
    used = repository.quota_used(connection, counted)
    excess = used + 1 - quota.limit
    return QuotaOut(
        limit=quota.limit,
        used=used,
        days=quota.days,
        resets_at=_resets_at(connection, counted, excess) if 0 < excess <= used else None,
    )


def _resets_at(connection: Connection[Any], counted: Counted, items: int) -> datetime | None:
    """Return the time at which so many items have left the window; None if fewer count."""
    exact_time = repository.quota_resets_at(connection, counted, items)
    # Responses have milliseconds: round up, so that a retry is never too early.
    return None if exact_time is None else exact_time + timedelta(microseconds=999)


def _message(refusal: QuotaExceededOut, days: int) -> str:
    """Return the message: the requested number, the remaining number and the time of the reset."""
    title = {"movies": "film", "seasons": "season"}[refusal.quota]
    sentences = [
        f"You requested {_counted(refusal.requested, title)}, and {refusal.remaining} of your"
        f" {_counted(refusal.limit, title)} in {_counted(days, 'day')} "
        + ("is left." if refusal.remaining == 1 else "are left.")
    ]
    if refusal.resets_at is not None:
        # Rounded up, so that a retry at this minute is not too early.
        at = refusal.resets_at + timedelta(seconds=59, microseconds=999_999)
        sentences.append(f"More are free at {at:%Y-%m-%d %H:%M} UTC.")
    if 0 < refusal.limit < refusal.requested:
        sentences.append(f"Request at most {refusal.limit} at a time.")
    return " ".join(sentences)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def of(actor: Actor, kind: QuotaKind) -> Quota:
    """Return the quota of a user: one that an admin has set for them, or that of their role."""
    user_quota = None if actor.quota is None else actor.quota.of(kind)
    return user_quota or system_config_service.quotas(actor.role).of(kind)
