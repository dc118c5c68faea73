"""How much a user may ask for: films by request, shows by season, in any so many days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from medianest.core.errors import AppError, ErrorCode
from medianest.requests import repository
from medianest.requests.schemas import QuotaExceededOut
from medianest.settings import service as settings
from medianest.settings.models import Quota

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.requests.models import MediaRequest, QuotaKind
    from medianest.users.models import Actor


def check(connection: Connection[Any], actor: Actor, request: MediaRequest) -> None:
    """Refuse a request just made when it is more than its user may ask for: QUOTA_EXCEEDED.

    The count is right because one user's requests are made one after the other: their row is
    locked. To be called in the transaction that made the request, which is then rolled back.
    """
    kind: QuotaKind = "movies" if request.media_type == "movie" else "seasons"
    quota = of(actor, kind)
    if quota.limit is None:
        return
    wanted = 1 if request.seasons is None else len(request.seasons)
    used = repository.quota_used(connection, request, quota.days)
    excess = used + wanted - quota.limit
    if excess <= 0:
        return
    refusal = QuotaExceededOut(quota=kind, limit=quota.limit, used=used)
    if wanted <= quota.limit:
        frees = repository.quota_frees(connection, request, quota.days, excess)
        # Sent in milliseconds, and never too early.
        refusal.resets_at = frees + timedelta(microseconds=999)
    raise AppError(
        ErrorCode.QUOTA_EXCEEDED,
        details=refusal.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def of(actor: Actor, kind: QuotaKind) -> Quota:
    """Return the quota that holds for a user: their own, or else their role's."""
    own = (actor.quota or {}).get(kind)
    if own is not None:
        return Quota(limit=own["limit"], days=own["days"])
    of_role = settings.quotas(actor.role)
    return of_role.movies if kind == "movies" else of_role.seasons
