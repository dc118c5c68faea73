"""The whole local service, put together."""

import asyncio
import errno
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from aiohttp import web
from psycopg.types.json import Jsonb

from local import reach, servers, standins
from local.control import control
from local.gateway import Gateway
from local.logs import log_printer
from local.run_config import PROJECT, RunConfig
from local.runtime import Runtime
from local.scheduler import Scheduler
from local.template import Mock, Route, Template, read_template
from medianest.core.error_codes import ErrorCode
from medianest.rate_limits.policies import PolicyName
from medianest.system_config import registry

type Say = Callable[[str], None]

_MIGRATIONS = "MigrationsFunction"
# The bounds of the template protect the smallest database of RDS. This one has 200 connections.
_UNBOUND = dict.fromkeys(
    (
        "MediaConcurrency",
        "AuthConcurrency",
        "PlexConcurrency",
        "AdminConcurrency",
        "HealthConcurrency",
    ),
    "0",
)
_ENGINE_CHECK_SECONDS = 0.5
# How often one address may begin a sign-in, so that a person who tries things out goes on.
TRIAL_LIMITS: Mapping[PolicyName, Mapping[str, int]] = {
    "auth": {"limit": 600, "window": 60},
    "plex-pin": {"limit": 600, "window": 300},
}
# A convenience of this machine: who opens the address in a browser sees the routes.
_HOME = Route(
    "/", "GET", Mock(frozenset({"application/json"}), 302, {"Location": "'/api/docs'"}, "")
)
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
    config: RunConfig
    template: Template
    runtime: Runtime
    scheduler: Scheduler
    keepers: asyncio.Future[list[None]]

    async def wait(self) -> None:
        """Wait for the end, which comes by a ServerError alone: an engine that stays down."""
        await self.keepers
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    config: RunConfig,
    *,
    say: Say = lambda _: None,
    project: Path = PROJECT,
    durable: bool = True,
    throttles: bool = True,
    trial_limits: bool = False,
    source_ip: Callable[[web.BaseRequest], str] | None = None,
) -> AsyncIterator[Service]:
    """Run everything that template.yaml describes, ready for requests inside the block.

    A StartError tells what keeps it from starting. Whatever happens, nothing of it is left running.
    With `trial_limits` an embedded database that has no sign-in limits of its own gets wide ones.
    """
    async with AsyncExitStack() as stack:
        config.data.mkdir(parents=True, exist_ok=True)
        stack.enter_context(data_lock(config.data))
        _check_port(config.port)
        _check_installed()
        template = read_template(
            project / "template.yaml",
            opt=_OPT,
            parameters={"CorsOrigin": config.known.cors_origin, **_UNBOUND},
        )
        database_url = config.variables.get("DATABASE_URL")
        redis_url = config.variables.get("REDIS_URL")
        engines: dict[servers.Engine, servers.Server] = {}
        is_embedded = database_url is None
        if database_url is None:
            with _timed(say, "PostgreSQL"):
                postgres = servers.postgres_engine(config.data, durable=durable)
                engines[postgres] = stack.enter_context(postgres.use())
                database_url = engines[postgres].url
        elif problem := await asyncio.to_thread(reach.database_problem, config.known):
            raise StartError(f"{config.origins['DATABASE_URL']}: {problem}")
        if redis_url is None:
            with _timed(say, "Valkey"):
                valkey = servers.valkey_engine(config.data)
                engines[valkey] = stack.enter_context(valkey.use())
                redis_url = engines[valkey].url
        elif problem := await asyncio.to_thread(reach.cache_problem, config.known):
            say(f"  {config.origins['REDIS_URL']}: {problem}. MediaNest goes on without a cache")
        plex_url, tmdb_url = None, None
        if not (config.has_real_plex and config.has_real_tmdb):
            with _timed(say, "Stand-ins for plex.tv and TMDB"):
                both = await _start_standins(config.port)
                stack.push_async_callback(both.stop)
            plex_url = None if config.has_real_plex else both.plex_url
            tmdb_url = None if config.has_real_tmdb else both.tmdb_url
        runtime = await stack.enter_async_context(
            Runtime(
                template.functions,
                runtime=_RUNTIME,
                pycache=PROJECT / ".local" / "pycache",
                log=log_printer(config.log_format, config.known.log_level),
                environment=variables_of(config, database_url, redis_url, plex_url, tmdb_url),
            )
        )
        await _migrate(template, runtime, say)
        if trial_limits and is_embedded:
            _set_trial_limits(database_url)
            say("  Wide limits for sign-ins (rateLimit.auth and .plex-pin in /api/admin/config)")
        with _timed(say, "API Gateway"):
            gateway = Gateway(
                replace(template, routes=(*template.routes, _HOME)),
                runtime,
                port=config.port,
                throttles=throttles,
                source_ip=source_ip,
            )
            await stack.enter_async_context(gateway)
        scheduler = Scheduler(template.schedules, runtime, log=say)
        await stack.enter_async_context(scheduler)
        control_url = await stack.enter_async_context(
            control(config.data, gateway.url, template, runtime, scheduler)
        )
        keepers = asyncio.gather(*(_keep(*each, say) for each in engines.items()))
        stack.callback(keepers.cancel)
        yield Service(
            url=gateway.url,
            control_url=control_url,
            database_url=database_url,
            redis_url=redis_url,
            plex_url=plex_url,
            tmdb_url=tmdb_url,
            config=config,
            template=template,
            runtime=runtime,
            scheduler=scheduler,
            keepers=keepers,
        )


@contextmanager
def data_lock(data: Path) -> Iterator[None]:
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
    config: RunConfig,
    database_url: str,
    redis_url: str,
    plex_url: str | None = None,
    tmdb_url: str | None = None,
) -> dict[str, str]:
    """Return the variables for the functions: those given, and the addresses of what runs here."""
    values = {**config.variables, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    if plex_url is not None:
        values = {"PLEX_AUTH_URL": f"{plex_url}/auth", **values, "PLEX_API_URL": plex_url}
    if tmdb_url is not None:
        values["TMDB_API_URL"] = f"{tmdb_url}/3"
    return values


async def _keep(engine: servers.Engine, server: servers.Server, say: Say) -> None:
    """Start an engine again whenever it has stopped; raises ServerError when that fails."""
    while True:
        await asyncio.sleep(_ENGINE_CHECK_SECONDS)
        if engine.runs(server):
            continue
        say(f"{time.strftime('%H:%M:%S')} {engine.title} has stopped by itself; starting it again")
        try:
            server = await asyncio.to_thread(engine.revive, server)
        except servers.ServerError as error:
            raise servers.ServerError(
                f"MediaNest stops, because {engine.title} cannot be started again.\n{error}"
            ) from None
        say(f"{time.strftime('%H:%M:%S')} {engine.title} runs again")


def _set_trial_limits(database_url: str) -> None:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        for policy, value in TRIAL_LIMITS.items():
            connection.execute(
                "INSERT INTO system_config (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (registry.RATE_LIMITS[policy].key, Jsonb(value)),
            )


async def _migrate(template: Template, runtime: Runtime, say: Say) -> None:
    if _MIGRATIONS not in template.functions:
        raise StartError(f"template.yaml has no {_MIGRATIONS}")
    with _timed(say, "Migrations"):
        result = await runtime.invoke(_MIGRATIONS, {})
    if result.error is not None and ErrorCode.DATABASE_CONNECTION_ERROR in str(result.payload):
        raise StartError("The database could be reached a moment ago, and now it cannot")
    if result.error is not None:
        reason = result.payload.get("errorMessage", "") if isinstance(result.payload, dict) else ""
        raise StartError(f"The migrations failed: {result.error}: {reason}")
    if isinstance(result.payload, dict) and result.payload.get("applied"):
        say(f"    applied {', '.join(result.payload['applied'])}")
