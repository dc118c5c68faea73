"""The whole local service, put together."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from local import servers, standins
from local.config import PROJECT, Settings
from local.control import control
from local.gateway import Gateway
from local.runtime import Runtime
from local.scheduler import Scheduler
from local.template import Template, read_template
from medianest.core.errors import ErrorCode

type Say = Callable[[str], None]

_MIGRATIONS = "MigrationsFunction"
# Where `make` installs what Lambda has under /opt and /var/runtime.
_OPT = PROJECT / ".venv" / "opt"
_RUNTIME = PROJECT / ".venv" / "var" / "runtime"


class StartError(Exception):
    """Why the service cannot start, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service; `plex_url` and `tmdb_url` are None where the real one is used."""

    url: str
    control_url: str
    database_url: str
    redis_url: str
    plex_url: str | None
    tmdb_url: str | None
    settings: Settings
    template: Template
    runtime: Runtime
    scheduler: Scheduler


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    say: Say = lambda _: None,
    project: Path = PROJECT,
    durable: bool = True,
    throttles: bool = True,
    source_ip: Callable[[web.BaseRequest], str] | None = None,
) -> AsyncIterator[Service]:
    """Run everything that template.yaml describes, ready for requests inside the block.

    A StartError tells what keeps it from starting. Whatever happens, nothing of it is left running.
    """
    async with AsyncExitStack() as stack:
        settings.data.mkdir(parents=True, exist_ok=True)
        stack.enter_context(alone(settings.data))
        _check_port(settings.port)
        _check_installed()
        template = read_template(
            project / "template.yaml",
            opt=_OPT,
            parameters={"CorsOrigin": settings.known.cors_origin},
        )
        database_url = settings.variables.get("DATABASE_URL")
        redis_url = settings.variables.get("REDIS_URL")
        if database_url is None:
            with _timed(say, "PostgreSQL"):
                postgres = servers.postgres(settings.data, durable=durable)
                database_url = stack.enter_context(postgres).url
        if redis_url is None:
            with _timed(say, "Valkey"):
                redis_url = stack.enter_context(servers.valkey(settings.data)).url
        plex_url, tmdb_url = None, None
        if not (settings.has_real_plex and settings.has_real_tmdb):
            with _timed(say, "Stand-ins for plex.tv and TMDB"):
                both = await _start_standins(settings.port)
                stack.push_async_callback(both.stop)
            plex_url = None if settings.has_real_plex else both.plex_url
            tmdb_url = None if settings.has_real_tmdb else both.tmdb_url
        runtime = await stack.enter_async_context(
            Runtime(
                template.functions,
                runtime=_RUNTIME,
                pycache=PROJECT / ".local" / "pycache",
                environment=variables_of(settings, database_url, redis_url, plex_url, tmdb_url),
            )
        )
        await _migrate(template, runtime, say)
        with _timed(say, "API Gateway"):
            gateway = Gateway(
                template, runtime, port=settings.port, throttles=throttles, source_ip=source_ip
            )
            await stack.enter_async_context(gateway)
        scheduler = Scheduler(template.schedules, runtime, log=say)
        await stack.enter_async_context(scheduler)
        control_url = await stack.enter_async_context(
            control(settings.data, gateway.url, template, runtime, scheduler)
        )
        yield Service(
            url=gateway.url,
            control_url=control_url,
            database_url=database_url,
            redis_url=redis_url,
            plex_url=plex_url,
            tmdb_url=tmdb_url,
            settings=settings,
            template=template,
            runtime=runtime,
            scheduler=scheduler,
        )


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold a data folder for oneself; raises StartError while a service runs on it."""
    # The kernel drops the lock with its holder, so a killed run is never in the way.
    with (data / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"MediaNest already runs on the data in {data}") from None
        yield


def _check_port(port: int) -> None:
    # Early, so that nobody waits for a database only to learn this.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise StartError(
                f"Port {port} cannot be used: {os.strerror(error.errno)}. "
                "Choose another one: PORT=3100 make run"
            ) from error


def _check_installed() -> None:
    missing = [str(folder) for folder in (_OPT, _RUNTIME) if not folder.is_dir()]
    if missing:
        raise StartError(f"Not installed: {', '.join(missing)}. `make run` installs it.")


@contextmanager
def _timed(say: Say, what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    say(f"  {what} ({time.perf_counter() - started:.1f} s)")


async def _start_standins(port: int) -> standins.Standins:
    # Next to the API while the ports are free, to be found easily.
    if port:
        try:
            return await standins.start("127.0.0.1", port + 1, port + 2)
        except (OSError, OverflowError):
            return await standins.start("127.0.0.1", 0, 0)
    return await standins.start("127.0.0.1", 0, 0)


def variables_of(
    settings: Settings,
    database_url: str,
    redis_url: str,
    plex_url: str | None = None,
    tmdb_url: str | None = None,
) -> dict[str, str]:
    """Return the variables for the functions: those given, and the addresses of what runs here."""
    values = {**settings.variables, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    if plex_url is not None:
        values = {"PLEX_AUTH_URL": f"{plex_url}/auth", **values, "PLEX_API_URL": plex_url}
    if tmdb_url is not None:
        values["TMDB_API_URL"] = f"{tmdb_url}/3"
    return values


async def _migrate(template: Template, runtime: Runtime, say: Say) -> None:
    if _MIGRATIONS not in template.functions:
        raise StartError(f"template.yaml has no {_MIGRATIONS}")
    with _timed(say, "Migrations"):
        result = await runtime.invoke(_MIGRATIONS, {})
    if result.error is not None and ErrorCode.DATABASE_CONNECTION_ERROR in str(result.payload):
        raise StartError("The database cannot be reached: is DATABASE_URL right, is it running?")
    if result.error is not None:
        reason = result.payload.get("errorMessage", "") if isinstance(result.payload, dict) else ""
        raise StartError(f"The migrations failed: {result.error}: {reason}")
    if isinstance(result.payload, dict) and result.payload.get("applied"):
        say(f"    applied {', '.join(result.payload['applied'])}")
