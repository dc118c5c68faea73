"""Writes audit rows, always in the transaction of the change they tell of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.audit.models import Action
from medianest.core.caller import Caller

if TYPE_CHECKING:
    from psycopg import Connection


def record(
    connection: Connection[Any],
    action: Action,
    caller: Caller,
    *,
    user_id: UUID | None,
    target: tuple[str, object] | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one row; `target` is the kind and id of what was acted upon."""
    target_type, target_id = target or (None, None)
    connection.execute(
        "INSERT INTO audit_logs"
        " (user_id, action, target_type, target_id, details, request_id, ip, user_agent)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            user_id,
            action,
            target_type,
            None if target_id is None else str(target_id),
            json.dumps(details or {}),
            caller.request_id,
            caller.ip,
            caller.user_agent,
        ),
    )
