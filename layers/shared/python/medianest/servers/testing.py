"""The test of a server, on an admin's request: the only call of a server within a request."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from medianest.arr import inventory as arr_inventory
from medianest.arr.models import ArrError
from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core import guard
from medianest.core.db import database
from medianest.core.http import Budget
from medianest.jobs import bell
from medianest.servers import health, inventory, repository, service
from medianest.servers.rule_schemas import TestOut
from medianest.servers.schemas import ServerErrorOut

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.arr.models import Inventory
    from medianest.core.caller import Caller
    from medianest.servers.models import Server
    from medianest.users.models import Principal

SECONDS = 8.0
CONNECT_SECONDS = 3.0


def test(server_id: UUID, admin: Principal, caller: Caller) -> TestOut:
    """Read the inventory of a server now; raises NOT_FOUND.

    A success frees a misconfigured server, closes its circuit and makes its jobs due. A failure
    changes nothing.
    """
    server = service.get(server_id)
    started = time.monotonic()
    call = partial(_call, Budget(SECONDS))
    found: Inventory | None = None
    try:
        client = database().read(lambda each: inventory.client_of(each, server, call))
        found = arr_inventory.read(client, server.kind)
    except ArrError as error:
        problem = ServerErrorOut(code=error.code, message=error.message)
        result = TestOut(ok=False, error=problem)
    else:
        milliseconds = round((time.monotonic() - started) * 1000)
        result = TestOut(ok=True, version=found.version, latency_ms=milliseconds)
    with database().transaction() as connection:
        if found is not None:
            _free(connection, server, found)
        audit_repository.record(
            connection,
            Action.SERVER_TESTED,
            caller,
            user_id=admin.user_id,
            target=("server", server_id),
            details={"ok": result.ok} | ({"code": result.error.code} if result.error else {}),
        )
    if result.ok:
        bell.ring()
    return result


def _free(connection: Connection[Any], server: Server, found: Inventory) -> None:
    """Free the server, unless an admin has changed it since it was read."""
    current = repository.lock(connection, server.id)
    if current is not None and current.updated_at == server.updated_at:
        inventory.store(connection, server, found)
        health.freed(connection, server.id)


def _call(budget: Budget, method: str, url: str, **options: Any) -> guard.Response:
    seconds = max(budget.seconds_left, 0.001)
    options |= {"connect_seconds": min(CONNECT_SECONDS, seconds), "call_seconds": seconds}
    return guard.request(method, url, **options)
