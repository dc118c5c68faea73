"""Call the server of a title, and record how it responds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError
from medianest.core.db import database
from medianest.jobs.models import JobError
from medianest.servers import health
from medianest.servers import repository as servers_repository
from medianest.servers import service as servers_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from psycopg import Connection

    from medianest.servers.models import Server


class Target(NamedTuple):
    """A server and a client for it."""

    server: Server
    client: ArrClient


def open_target(server_id: UUID) -> Target:
    """Return an enabled server that can be called; raises JobError misconfigured otherwise."""

    def read(connection: Connection[Any]) -> tuple[Server | None, ArrClient | None]:
        server = servers_repository.get(connection, server_id)
        if server is None or not server.enabled or server.secret_hint is None:
            return server, None
        credentials = servers_service.credentials(connection, server)
        return server, ArrClient(server.base_url, credentials.api_key, credentials.headers)

    server, client = database().read(read)
    if server is None or client is None:
        raise JobError("misconfigured", "SERVER_DISABLED", "The server is off or has no key.")
    return Target(server, client)


def calling[T](target: Target, call: Callable[[ArrClient], T]) -> T:
    """Call the server; raises JobError for its failure, which also counts for its circuit.

    The failure is written at once: it is a fact about the server, whoever holds the lease.
    """
    try:
        return call(target.client)
    except ArrError as error:
        with database().transaction() as connection:
            health.failed(connection, target.server.id, error.failure, error.code, error.message)
        raise JobError(
            error.failure, error.code, error.message, retry_after=error.retry_after
        ) from error
