"""Rules of the limits per caller: who counts, and what is told to an operator."""

from __future__ import annotations

import secrets
from functools import cache, partial
from typing import TYPE_CHECKING

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core.cache import shared_cache
from medianest.core.db import database
from medianest.core.errors import AppError
from medianest.core.observability import count, logger
from medianest.core.rate_limit import (
    Charge,
    MemoryLog,
    Share,
    Verdict,
    refund_to_cache,
    take_from_cache,
)
from medianest.limits import repository
from medianest.settings import service as settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from medianest.core.caller import Caller
    from medianest.core.rate_limit import Ask


def charge(asks: Sequence[Ask], caller: Caller, user_id: UUID | None = None) -> Charge:
    """Charge a call to every share that it asks for, or to none when one refuses.

    Only the first refusal of a subject in a window reaches the audit log: further ones cost no SQL.
    """
    policies = settings.rate_limits()
    shares = [Share(policies[name], subject) for name, subject in asks]
    member = secrets.token_hex(8)
    verdicts = take_from_cache(shared_cache(), shares, member)
    if verdicts is None:
        charged = _charge_without_cache(shares)
    else:
        charged = Charge(verdicts, partial(refund_to_cache, shared_cache(), shares, member))
    for verdict in charged.verdicts:
        if verdict.refused:
            count("RateLimited", policy=verdict.policy.name)
        if verdict.first:
            _tell(verdict, caller, user_id)
    return charged


def _charge_without_cache(shares: Sequence[Share]) -> Charge:
    """Count in the database what guards a sign-in, and anything else in this environment alone."""
    count("RateLimitFallback")
    if all(share.policy.kind == "general" for share in shares):
        # Nothing general is ever refunded.
        return Charge(memory().take(shares), lambda: None)
    with database().transaction() as connection:
        verdicts, at = repository.take(connection, shares)

    def refund() -> None:
        with database().transaction() as connection:
            repository.refund(connection, shares, at)

    return Charge(verdicts, refund)


def _tell(verdict: Verdict, caller: Caller, user_id: UUID | None) -> None:
    details = {
        "policy": verdict.policy.name,
        "limit": verdict.policy.limit,
        "window": verdict.policy.window,
    }
    logger.warning(
        "limit exceeded",
        extra={**details, "ip": caller.ip, "user_id": user_id and str(user_id)},
    )
    try:
        with database().transaction() as connection:
            audit.record(
                connection, Action.LIMIT_EXCEEDED, caller, user_id=user_id, details=details
            )
    except AppError:
        # The refusal stands without its row, and the log line above has what the row would say.
        count("AuditLost")


@cache
def memory() -> MemoryLog:
    """Return this environment's own logs."""
    return MemoryLog()
