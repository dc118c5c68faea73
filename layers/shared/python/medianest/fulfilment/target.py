"""Call the server of a title; each failure of a call becomes the error of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from medianest.arr.models import ArrError, LeaseShortError
from medianest.core import guard
from medianest.core.db import database
from medianest.jobs.models import GiveBackError, JobError
from medianest.servers import health
from medianest.servers import repository as servers_repository
from medianest.servers.inventory import client_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from psycopg import Connection

    from medianest.arr.client import ArrClient
    from medianest.servers.models import Server


class Target(NamedTuple):
    """A server and a client for it."""

    server: Server
    client: ArrClient


def open_target(server_id: UUID) -> Target:
    """Return an enabled server and its client; raises JobError misconfigured without one."""

    def read(connection: Connection[object]) -> Target:
        server = servers_repository.get(connection, server_id)
        if server is None or not server.enabled:
            raise JobError("misconfigured", "SERVER_DISABLED", "The server is disabled.")
        return Target(server, calling(server, lambda: client_of(connection, server, guard.request)))

    return database().read(read)


def calling[T](server: Server, call: Callable[[], T]) -> T:
    """Call a server; raises JobError for its failure, GiveBackError when the lease is too short."""
    try:
        return call()
    except LeaseShortError as error:
        raise GiveBackError from error
    except ArrError as error:
        raise health.job_error(server, error) from error


def responded(server_id: UUID) -> None:
    """Note that a server responds, in a transaction of its own.

    It is a fact about the server, with or without the lease. No job waits for its lock.
    """
    with database().transaction() as connection:
        health.succeeded(connection, server_id)
