"""Register download servers in the database, as an admin would.

A function, because it needs the variables of one, such as the key that encrypts the API keys.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from medianest.core.db import database
from medianest.jobs import repository as jobs_repository
from medianest.jobs import service as jobs_service
from medianest.servers import repository
from medianest.servers.models import Credentials
from medianest.servers.schemas import ServerIn
from medianest.servers.service import sealed


def handler(event: Sequence[Mapping[str, object]], context: Any) -> None:
    """Register the servers of the event, which has the bodies of the calls that would add them."""
    del context
    register(event)


def register(servers: Sequence[Mapping[str, object]]) -> None:
    """Add servers, unless the database has any already.

    Those of an earlier run with the same names get their present addresses.
    """
    bodies = [ServerIn.model_validate(each) for each in servers]
    with database().transaction() as connection:
        jobs_repository.lock_server_changes(connection)
        if repository.count(connection):
            for body in bodies:
                repository.move_local(connection, body.name, body.base_url)
            return
        for body in bodies:
            server_id = uuid4()
            secret = sealed(server_id, Credentials(body.api_key, {}))
            repository.add(connection, server_id, body, base_url=body.base_url, secret=secret)
            jobs_service.enqueue(connection, "inventory", {}, server_id=server_id)
