"""Hand over what was approved before a server was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.fulfilment import repository, service
from medianest.fulfilment.adopt_schemas import AdoptedOut
from medianest.jobs import bell
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from medianest.core.caller import Caller
    from medianest.users.models import Principal

# Items of one transaction, and transactions of one call.
ITEMS = 500
BATCHES = 4


def adopt(admin: Principal, caller: Caller) -> AdoptedOut:
    """Queue the approved titles that admins fetch by hand, up to a bound for one call."""
    queued = 0
    for _ in range(BATCHES):
        titles = _adopt_batch(admin, caller)
        queued += titles
        if titles == 0:
            break
    if queued:
        bell.ring()
    # All of them lack a server once a batch was empty.
    more = titles > 0
    skipped = 0 if more else database().read(repository.titles_by_hand)
    return AdoptedOut(queued=queued, skipped=skipped, more=more)


def _adopt_batch(admin: Principal, caller: Caller) -> int:
    with database().transaction() as connection:
        lock_admin(connection, admin)
        types = service.types_with_server(connection)
        titles = repository.queue_by_hand(connection, types, ITEMS)
        if titles:
            service.enqueue(connection, titles)
            audit_repository.record(
                connection,
                Action.FULFILMENT_ADOPTED,
                caller,
                user_id=admin.user_id,
                details={"titles": len(titles)},
            )
    return len(titles)
