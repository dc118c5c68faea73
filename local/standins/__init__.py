"""Local stand-ins for plex.tv and TMDB, which speak the same protocols.

They serve developers without credentials, and the tests. Nothing here runs on AWS.
"""

from dataclasses import dataclass

from aiohttp import web

from local.standins.plex import app as plex
from local.standins.tmdb import app as tmdb

__all__ = ["Standins", "start"]


@dataclass(frozen=True)
class Standins:
    """Both stand-ins, running; the URLs are origins, without a path."""

    plex_url: str
    tmdb_url: str
    runners: tuple[web.AppRunner, ...]

    async def stop(self) -> None:
        """Stop both, even during a response."""
        for runner in self.runners:
            await runner.cleanup()


async def start(host: str = "127.0.0.1", plex_port: int = 0, tmdb_port: int = 0) -> Standins:
    """Start both; port 0 picks a free one."""
    plex_runner = await serve(plex.create_app(), host, plex_port)
    try:
        tmdb_runner = await serve(tmdb.create_app(), host, tmdb_port)
    except OSError:
        await plex_runner.cleanup()
        raise
    return Standins(url_of(plex_runner), url_of(tmdb_runner), (plex_runner, tmdb_runner))


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
