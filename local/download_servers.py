"""Make the stand-ins for Radarr and Sonarr the download servers of a new database."""

from dataclasses import replace
from pathlib import Path

from local.lambda_.runtime import Runtime
from local.preflight import StartError
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from local.template.models import Function, Template
from medianest.servers.models import Kind

PROFILE = 1
_ID = "RegistrationFunction"
# Admins add download servers with this function, so it has the layers and variables for it.
_LIKE = "FulfilmentFunction"


def registration_function(template: Template) -> Function:
    """Return the function that registers servers, which the template does not have.

    Raises StartError if the template lacks the function with its layers and variables.
    """
    if _LIKE not in template.functions:
        raise StartError(f"template.yaml has no {_LIKE}")
    code = Path(__file__).with_name("registration")
    like = template.functions[_LIKE]
    return replace(like, id=_ID, code=code, handler="app.handler", concurrency=None)


async def register_standins(runtime: Runtime, radarr_url: str, sonarr_url: str) -> None:
    """Register both as the defaults of their kinds; raises StartError."""
    result = await runtime.invoke(_ID, bodies_of_standins(radarr_url, sonarr_url))
    if result.error is not None:
        raise StartError(
            f"The stand-ins could not be registered as servers: {result.error}: {result.message}"
        )


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
