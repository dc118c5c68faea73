"""Charge calls to rate limits, in the cache or instead of it, and audit refusals."""

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
    evaluate,
    hit_cache,
    hit_cache_if_live,
    refund_cache,
)
from medianest.system_config import service as system_config_service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.rate_limits.policies import LimitKey, Policy


def charge(limit_keys: Sequence[LimitKey], caller: Caller, user_id: UUID | None = None) -> Charge:
    """Charge a call to all buckets of its keys, or to none when one refuses.

    Only the first refusal of a subject in a window is audited: with a cache, others cost no SQL.
    """
    buckets, member = _buckets(limit_keys), secrets.token_hex(8)
    results = hit_cache(shared_cache(), buckets, member)
    if results is None:
        return _reported(_charge_without_cache(buckets), caller, user_id)
    return _reported(_charge_in_cache(results, buckets, member), caller, user_id)


def charge_if_live(
    live_key: str, limit_key: LimitKey, caller: Caller, user_id: UUID
) -> tuple[str | None, Charge | None]:
    """Charge a user's call if the cache has a live value under `live_key`, in one round trip.

    Returns the value, and None for the charge when the value is not live. `live_key` is in the hash
    slot of the user.
    """
    buckets, member = _buckets([limit_key]), secrets.token_hex(8)
    value, results = hit_cache_if_live(shared_cache(), live_key, buckets, member)
    if results is None:
        return value, None
    return value, _reported(_charge_in_cache(results, buckets, member), caller, user_id)


def charge_in_statement[T](
    limit_key: LimitKey,
    caller: Caller,
    user_id: UUID,
    read: Callable[[Bucket], tuple[T, repository.Charged] | None],
) -> tuple[T, Charge] | None:
    """Charge a user's call in the statement of `read`, which uses `repository.CHARGE`.

    Returns what `read` found besides the charge; None if it found nothing, and charged nothing.
    """
    [bucket] = _buckets([limit_key])
    found = read(bucket)
    if found is None:
        return None
    value, charged = found
    results = evaluate([bucket], [charged.calls], [charged.marked], charged.at)
    charge = Charge(results, partial(_refund, [bucket], charged.at))
    return value, _reported(charge, caller, user_id)


def _buckets(limit_keys: Sequence[LimitKey]) -> list[Bucket]:
    policies = system_config_service.rate_limits()
    return [Bucket(policies[name], subject) for name, subject in limit_keys]


def _charge_in_cache(results: list[LimitResult], buckets: Sequence[Bucket], member: str) -> Charge:
    return Charge(results, partial(refund_cache, shared_cache(), buckets, member))


def _reported(charged: Charge, caller: Caller, user_id: UUID | None) -> Charge:
    """Count, log and audit the refusals of a charge, and return it.

    A policy that refuses two subjects of a call, such as an address and an account, is reported
    once.
    """
    for name in dict.fromkeys(each.policy.name for each in charged.results if each.refused):
        count("RateLimited", policy=name)
    for policy in dict.fromkeys(each.policy for each in charged.results if each.first):
        _report_refusal(policy, caller, user_id)
    return charged


def _charge_without_cache(buckets: Sequence[Bucket]) -> Charge:
    """Charge in the database if a policy requires it, else in the memory of this environment.

    A service without a cache counts the calls of users in the database too. Those of strangers cost
    no statement.
    """
    has_cache = shared_cache().exists
    if has_cache:
        count("RateLimitFallback")
    if all(
        bucket.policy.fallback == "memory" and (has_cache or isinstance(bucket.subject, str))
        for bucket in buckets
    ):
        # No refund: this fallback is approximate.
        return Charge(memory().hit(buckets), lambda: None)
    with database().transaction() as connection:
        results, at = repository.hit(connection, buckets)
    return Charge(results, partial(_refund, buckets, at))


def _refund(buckets: Sequence[Bucket], at: float) -> None:
    with database().transaction() as connection:
        repository.refund(connection, buckets, at)


def _report_refusal(policy: Policy, caller: Caller, user_id: UUID | None) -> None:
    details = {"policy": policy.name, "limit": policy.limit, "window": policy.window}
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
