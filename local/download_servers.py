"""Register the stand-ins for Radarr and Sonarr as download servers, as an admin would.

`python -m local.download_servers <radarr> <sonarr>` runs with the environment of a function, which
has the key that encrypts the API keys.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from uuid import uuid4

from local.preflight import StartError
from local.run_config import PROJECT
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from medianest.core.db import database
from medianest.jobs import service as jobs_service
from medianest.servers import repository
from medianest.servers.models import Credentials, Kind
from medianest.servers.schemas import ServerIn
from medianest.servers.service import sealed

PROFILE = 1
_SECONDS = 30.0


def register(radarr_url: str, sonarr_url: str) -> None:
    """Add both as the defaults of their kinds, unless the database has servers already.

    Stand-ins of an earlier run get their present addresses.
    """
    bodies = [
        _server("radarr", "Radarr", radarr_url, radarr.API_KEY, radarr.ROOT_FOLDER),
        _server("sonarr", "Sonarr", sonarr_url, sonarr.API_KEY, sonarr.ROOT_FOLDER),
    ]
    with database().transaction() as connection:
        repository.lock_changes(connection)
        if repository.count(connection):
            for body in bodies:
                repository.move_local(connection, body.name, body.base_url)
            return
        for body in bodies:
            server_id = uuid4()
            secret = sealed(server_id, Credentials(body.api_key, {}))
            repository.add(connection, server_id, body, base_url=body.base_url, secret=secret)
            jobs_service.enqueue(connection, "inventory", {}, server_id=server_id)
    database().close()


def _server(kind: Kind, name: str, base_url: str, api_key: str, root_folder: str) -> ServerIn:
    return ServerIn.model_validate(
        {
            "kind": kind,
            "name": name,
            "baseUrl": base_url,
            "apiKey": api_key,
            "isDefault": True,
            "options": {"qualityProfileId": PROFILE, "rootFolderPath": root_folder},
        }
    )


async def run_register(radarr_url: str, sonarr_url: str, variables: Mapping[str, str]) -> None:
    """Register both in a process with the variables of a function; raises StartError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.download_servers", radarr_url, sonarr_url),
        cwd=PROJECT,
        env={"PATH": os.environ.get("PATH", ""), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    if process.returncode != 0:
        reason = output.decode(errors="replace").strip().rpartition("\n")[2]
        raise StartError(f"The stand-ins could not be registered as servers: {reason}")


if __name__ == "__main__":
    register(*sys.argv[1:])
