"""Make the stand-ins for Radarr and Sonarr the download servers of a new database."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping

from local.preflight import StartError
from local.run_config import PROJECT
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from medianest.servers.models import Kind

PROFILE = 1
_SECONDS = 30.0


async def run_register(radarr_url: str, sonarr_url: str, variables: Mapping[str, str]) -> None:
    """Register both as the defaults of their kinds; raises StartError.

    In a separate process, because each process has the variables of one function. It imports no
    stand-in, and so no HTTP server, which would double its time.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.registration"),
        cwd=PROJECT,
        env={"PATH": os.environ.get("PATH", ""), **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text = json.dumps(bodies_of_standins(radarr_url, sonarr_url)).encode()
    try:
        output, _ = await asyncio.wait_for(process.communicate(text), _SECONDS)
    except TimeoutError as error:
        raise StartError(
            f"The stand-ins could not be registered as servers within {_SECONDS:.0f} seconds."
        ) from error
    finally:
        if process.returncode is None:  # too slow, or the start was cancelled
            process.kill()
            await process.wait()
    if process.returncode != 0:
        reason = output.decode(errors="replace").strip().rpartition("\n")[2]
        raise StartError(f"The stand-ins could not be registered as servers: {reason}")


def bodies_of_standins(radarr_url: str, sonarr_url: str) -> list[dict[str, object]]:
    """Return the bodies of the calls that would add the stand-ins."""
    return [
        _server("radarr", "Radarr", radarr_url, radarr.API_KEY, radarr.ROOT_FOLDER),
        _server("sonarr", "Sonarr", sonarr_url, sonarr.API_KEY, sonarr.ROOT_FOLDER),
    ]


def _server(
    kind: Kind, name: str, base_url: str, api_key: str, root_folder: str
) -> dict[str, object]:
    return {
        "kind": kind,
        "name": name,
        "baseUrl": base_url,
        "apiKey": api_key,
        "isDefault": True,
        "options": {"qualityProfileId": PROFILE, "rootFolderPath": root_folder},
    }
