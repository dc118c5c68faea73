"""Read the audit log, and record denied calls, which change nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from medianest.audit import repository
from medianest.audit.models import Action, AuditRow
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of

if TYPE_CHECKING:
    from medianest.audit.schemas import AuditLogOut, AuditQuery


def record_denial(user_id: UUID, caller: Caller) -> None:
    """Record that a user called an admin route; repeated calls are counted in one row.

    Without a transaction, which would be two more statements: only one of the statements writes.
    On a dead connection, the call may count twice.
    """
    database().read(
        lambda connection: repository.record_repeated(
            connection, Action.ACCESS_DENIED, caller, user_id=user_id
        )
    )


def page(query: AuditQuery) -> PageResponse[AuditLogOut]:
    """Return one page of the audit log, the newest first."""
    rows, total = database().read(lambda connection: repository.page(connection, query))
    items = [_out(row) for row in rows]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def _out(row: AuditRow) -> AuditLogOut:
    # Imported on first use: every function with sessions imports this module, but only one lists.
    from medianest.audit.schemas import AuditLogOut

    out = AuditLogOut.model_validate(row)
    # Only the session list returns ids of sessions (section 3 of the contract).
    return out.model_copy(update={"target_id": None}) if row.target_type == "session" else out
