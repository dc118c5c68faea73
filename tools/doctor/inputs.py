"""Check what a person types or builds: the identifier of Plex, the key of TMDB, the layers."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import urllib3

from tools.doctor.finding import Deployment, Finding

_ELF_MACHINES = {183: "arm64", 62: "x86_64"}
_TIMEOUT = urllib3.Timeout(connect=5, read=10)
_http = urllib3.PoolManager(retries=False)


def plex(deployment: Deployment) -> Iterator[Finding]:
    """Check the form of the identifier of the Plex server."""
    identifier = deployment.parameters["PlexServerId"]
    if not identifier:
        yield Finding(
            "warning",
            "Without PlexServerId any Plex account can sign in, and the first becomes admin: add"
            " the machineIdentifier that http://YOUR_PLEX_SERVER:32400/identity shows.",
        )
    elif not re.fullmatch(r"[0-9a-f]{40}", identifier):
        yield Finding(
            "warning",
            "PlexServerId usually has 40 digits and letters from a to f: compare it with the"
            " machineIdentifier that http://YOUR_PLEX_SERVER:32400/identity shows.",
        )
    else:
        yield Finding("ok", "PlexServerId has the form of a machine identifier.")


def tmdb(deployment: Deployment) -> Iterator[Finding]:
    """Check that TMDB accepts the key; the findings do not contain it."""
    key = deployment.parameters["TmdbApiKey"]
    if not key:
        if not deployment.parameters["TmdbApiKeySecretArn"] and not deployment.exists:
            yield Finding(
                "failure", "Add TmdbApiKey, from your account's settings at themoviedb.org."
            )
        return
    # A read token (v4) is a JWT.
    is_token = re.fullmatch(r"[^.]+\.[^.]+\.[^.]+", key) is not None
    headers = {"Authorization": f"Bearer {key}"} if is_token else {}
    fields = {} if is_token else {"api_key": key}
    try:
        answer = _http.request(
            "GET",
            f"{deployment.parameters['TmdbApiUrl']}/configuration",
            fields=fields,
            headers=headers,
            timeout=_TIMEOUT,
        )
    except urllib3.exceptions.HTTPError as error:
        yield Finding("failure", f"TMDB cannot be reached from here ({type(error).__name__}).")
        return
    if answer.status == HTTPStatus.OK:
        yield Finding("ok", "TMDB accepts TmdbApiKey.")
    elif answer.status == HTTPStatus.UNAUTHORIZED:
        yield Finding(
            "failure",
            "TMDB rejects TmdbApiKey: copy the API key or the read access token from your account's"
            " settings at themoviedb.org again.",
        )
    else:
        yield Finding("warning", f"TMDB responds with {answer.status}: try again later.")


def addresses(deployment: Deployment) -> Iterator[Finding]:
    """Check that no address of an upstream is plain HTTP, which the functions refuse."""
    if deployment.parameters["NodeEnv"] != "production":
        return
    for name in ("PlexApiUrl", "PlexAuthUrl", "TmdbApiUrl"):
        if not deployment.parameters[name].startswith("https://"):
            yield Finding("failure", f"{name} must start with https:// in production.")


def build(deployment: Deployment) -> Iterator[Finding]:
    """Check that the layers are built for the processor of the functions."""
    wanted = deployment.parameters["Architecture"]
    drivers = sorted((deployment.build / "DependenciesLayer").glob("python/psycopg_binary/*.so"))
    if not drivers:
        yield Finding("failure", f"The layers are not built: run `make build ARCH={wanted}`.")
        return
    found = _machine(drivers[0])
    if found == wanted:
        yield Finding("ok", f"The layers are built for {wanted}.")
    else:
        yield Finding(
            "failure",
            f"The layers are built for {found}, and the functions run on {wanted}:"
            f" run `make build ARCH={wanted}`.",
        )


def _machine(library: Path) -> str:
    head = library.read_bytes()[:20]
    number = int.from_bytes(head[18:20], "little")
    return _ELF_MACHINES.get(number, f"machine {number}")
