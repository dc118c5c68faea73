"""Request quotas: films and seasons that a user may request in a sliding window of days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.requests import repository
from medianest.requests.schemas import QuotaExceededOut
from medianest.system_config import service as system_config_service

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.requests.models import MediaRequest
    from medianest.users.models import Actor, Quota, QuotaKind


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
    used = repository.quota_used(connection, request, quota.days)
    if used + requested <= quota.limit:
        return
    # The number of items that must leave the window. A request for more items than the limit
    # never fits, so it gets the time at which the whole quota is free.
    excess = used + min(requested, quota.limit) - quota.limit
    resets_at = None
    if excess > 0 and quota.limit > 0:
        exact_time = repository.quota_resets_at(connection, request, quota.days, excess)
        # Responses have milliseconds: round up, so that a retry is never too early.
        resets_at = exact_time + timedelta(microseconds=999)
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


def _message(refusal: QuotaExceededOut, days: int) -> str:
    """Return the message: the requested number, the remaining number and the time of the reset."""
    title = {"movies": "film", "seasons": "season"}[refusal.quota]
    sentences = [
        f"You requested {_counted(refusal.requested, title)}, and {refusal.remaining} of your"
        f" {_counted(refusal.limit, title)} in {_counted(days, 'day')} "
        + ("is left." if refusal.remaining == 1 else "are left.")
    ]
    if refusal.resets_at is not None:
        sentences.append(f"More are free at {refusal.resets_at:%Y-%m-%d %H:%M} UTC.")
    if 0 < refusal.limit < refusal.requested:
        sentences.append(f"Request at most {refusal.limit} at a time.")
    return " ".join(sentences)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def of(actor: Actor, kind: QuotaKind) -> Quota:
    """Return the quota of a user: one that an admin has set for them, or that of their role."""
    user_quota = None if actor.quota is None else actor.quota.of(kind)
    return user_quota or system_config_service.quotas(actor.role).of(kind)
