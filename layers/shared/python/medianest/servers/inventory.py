"""Read what a server offers: the runner of the job `inventory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr import inventory as arr_inventory
from medianest.arr.client import ArrClient
from medianest.arr.models import ArrError
from medianest.core import guard
from medianest.core.db import database
from medianest.jobs import repository as jobs_repository
from medianest.jobs.models import Handler
from medianest.servers import health, repository, service

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.arr.client import Call
    from medianest.arr.models import Inventory
    from medianest.jobs.models import Job, MayChange, Write
    from medianest.servers.models import Server


def client_of(connection: Connection[Any], server: Server, call: Call) -> ArrClient:
    """Return the client of a server; raises ArrError if it has no key."""
    credentials = service.credentials(connection, server)
    return ArrClient(server.base_url, credentials.api_key, credentials.headers, call)


def run(job: Job, _: MayChange) -> Write:
    """Read the inventory of the job's server, and return what to write; raises JobError."""
    server = database().read(lambda connection: _server_of(connection, job))
    if server is None or not server.enabled:
        return _nothing_to_do
    try:
        client = database().read(lambda connection: client_of(connection, server, guard.request))
        found = arr_inventory.read(client, server.kind)
    except ArrError as error:
        raise health.job_error(server, error) from error

    def write(connection: Connection[Any]) -> None:
        jobs_repository.lock_of_server(connection, server.id, kind="inventory")
        store(connection, server, found)
        health.succeeded(connection, server.id)

    return write


def _server_of(connection: Connection[Any], job: Job) -> Server | None:
    return None if job.server_id is None else repository.get(connection, job.server_id)


def store(connection: Connection[Any], server: Server, found: Inventory) -> None:
    """Store an inventory in the form of the API."""
    repository.set_inventory(connection, server.id, server.base_url, to_json(found))


def to_json(found: Inventory) -> dict[str, Any]:
    """Return an inventory in the form of the column and of the API."""
    return {
        "version": found.version,
        "profiles": [each._asdict() for each in found.profiles],
        "rootFolders": [
            {"path": each.path, "accessible": each.accessible}
            | ({} if each.free_bytes is None else {"freeBytes": each.free_bytes})
            for each in found.root_folders
        ],
        "tags": [each._asdict() for each in found.tags],
    }


def _nothing_to_do(_: Connection[Any]) -> None:
    """Write nothing: the server was deleted or disabled."""


HANDLER = Handler(run=run, on_failed=health.on_failed)
