"""Local stand-ins for plex.tv, TMDB, Radarr and Sonarr, which speak the same protocols.

They serve developers without credentials, and the tests. Nothing here runs on AWS.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from local.standins.plex import app as plex
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from local.standins.tmdb import app as tmdb

__all__ = ["Ports", "Standins", "start"]


@dataclass(frozen=True)
class Ports:
    """The ports of the stand-ins; 0 picks a free one."""

    plex: int = 0
    tmdb: int = 0
    radarr: int = 0
    sonarr: int = 0

    @classmethod
    def after(cls, port: int) -> "Ports":
        """Return the ports that follow a port."""
        return cls(port + 1, port + 2, port + 3, port + 4)


@dataclass(frozen=True)
class Standins:
    """The stand-ins, running; the URLs are origins, without a path."""

    plex_url: str
    tmdb_url: str
    radarr_url: str
    sonarr_url: str
    runners: tuple[web.AppRunner, ...]

    async def stop(self) -> None:
        """Stop them, even during a response."""
        for runner in self.runners:
            await runner.cleanup()


async def start(host: str = "127.0.0.1", ports: Ports | None = None) -> Standins:
    """Start all of them, by default on free ports."""
    chosen = ports or Ports()
    apps = (
        (plex.create_app(), chosen.plex),
        (tmdb.create_app(), chosen.tmdb),
        (radarr.create_app(), chosen.radarr),
        (sonarr.create_app(), chosen.sonarr),
    )
    async with AsyncExitStack() as stack:
        runners = []
        for app, port in apps:
            runners.append(await serve(app, host, port))
            stack.push_async_callback(runners[-1].cleanup)
        stack.pop_all()
    plex_url, tmdb_url, radarr_url, sonarr_url = map(url_of, runners)
    return Standins(plex_url, tmdb_url, radarr_url, sonarr_url, tuple(runners))


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve one application on a port."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a fault that hangs ends when its client disconnects
        shutdown_timeout=0.1,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def url_of(runner: web.AppRunner) -> str:
    """Return the origin that a runner listens on."""
    host, port = runner.addresses[0][:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
