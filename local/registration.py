"""Register download servers in the database, as an admin would.

`python -m local.registration` reads the bodies of the calls from standard input. It runs with the
variables of a function, which have the key that encrypts the API keys.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from uuid import uuid4

from medianest.core.db import database
from medianest.jobs import repository as jobs_repository
from medianest.jobs import service as jobs_service
from medianest.servers import repository
from medianest.servers.models import Credentials
from medianest.servers.schemas import ServerIn
from medianest.servers.service import sealed


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


if __name__ == "__main__":
    register(json.load(sys.stdin))
