"""Charge calls to rate limits, in the cache or its fallbacks, and audit refusals."""

from __future__ import annotations

import secrets
from functools import cache, partial
from typing import TYPE_CHECKING

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.errors import AppError
from medianest.core.observability import count, logger
from medianest.rate_limits import repository
from medianest.rate_limits.sliding_window import (
    Bucket,
    Charge,
    LimitResult,
    MemoryLog,
    hit_cache,
    refund_cache,
)
from medianest.system_config import service as system_config_service

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.rate_limits.policies import LimitKey


def charge(limit_keys: Sequence[LimitKey], caller: Caller, user_id: UUID | None = None) -> Charge:
    """Charge a call to all buckets of its keys, or to none when one refuses.

    Only the first refusal of a subject in a window is audited, so that further ones cost no SQL.
    """
    policies = system_config_service.rate_limits()
    buckets = [Bucket(policies[name], subject) for name, subject in limit_keys]
    member = secrets.token_hex(8)
    results = hit_cache(shared_cache(), buckets, member)
    if results is None:
        charged = _charge_without_cache(buckets)
    else:
        charged = Charge(results, partial(refund_cache, shared_cache(), buckets, member))
    for result in charged.results:
        if result.refused:
            count("RateLimited", policy=result.policy.name)
        if result.first:
            _report_refusal(result, caller, user_id)
    return charged


def _charge_without_cache(buckets: Sequence[Bucket]) -> Charge:
    """Charge in the database if a policy requires it, else in the memory of this environment."""
    count("RateLimitFallback")
    if all(bucket.policy.fallback == "memory" for bucket in buckets):
        # No refund: this fallback is approximate.
        return Charge(memory().hit(buckets), lambda: None)
    with database().transaction() as connection:
        results, at = repository.hit(connection, buckets)

    def refund() -> None:
        with database().transaction() as connection:
            repository.refund(connection, buckets, at)

    return Charge(results, refund)


def _report_refusal(result: LimitResult, caller: Caller, user_id: UUID | None) -> None:
    details = {
        "policy": result.policy.name,
        "limit": result.policy.limit,
        "window": result.policy.window,
    }
    logger.warning(
        "rate_limit_exceeded",
        extra={**details, "ip": caller.ip, "user_id": user_id and str(user_id)},
    )
    try:
        with database().transaction() as connection:
            audit_repository.record(
                connection, Action.LIMIT_EXCEEDED, caller, user_id=user_id, details=details
            )
    except AppError:
        # The call is refused without the audit row; the log line above has the details.
        count("AuditLost")


@cache
def memory() -> MemoryLog:
    """Return the logs in the memory of this execution environment."""
    return MemoryLog()
