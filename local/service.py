"""Start the service of template.yaml, with its database, cache and stand-ins, on this machine."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from local import standins
from local.control import control
from local.distribution.folder import WebFolder
from local.distribution.images import ImageHost
from local.distribution.server import DistributionServer
from local.download_servers import register_standins, registration_function
from local.engines import reachability
from local.engines.engine import Engine, Server
from local.engines.postgres import PostgresEngine
from local.engines.supervisor import supervise
from local.engines.valkey import ValkeyEngine
from local.gateway.http_server import HttpServer
from local.gateway.server import Gateway
from local.lambda_.logs import log_printer
from local.lambda_.runtime import Runtime
from local.preflight import StartError, check_installed, check_port, data_lock
from local.queues.mapping import QueueMappings
from local.queues.server import QueueServer
from local.run_config import PROJECT, RunConfig
from local.scheduler import Scheduler
from local.template.models import Template
from local.template.reader import read_template
from local.trial_limits import set_trial_limits
from medianest.core.error_codes import ErrorCode
from medianest.core.variables import NO_CACHE

type Report = Callable[[str], None]

_MIGRATIONS = "MigrationsFunction"
# `make` installs here what Lambda has under /opt and /var/runtime.
_OPT = PROJECT / ".venv" / "opt"
_RUNTIME = PROJECT / ".venv" / "var" / "runtime"


@dataclass(frozen=True, slots=True)
class Backends:
    """The URLs of what the service uses; None selects the real plex.tv or TMDB.

    Those of the stand-ins for Radarr and Sonarr are None when no stand-in runs.
    """

    database_url: str
    redis_url: str
    plex_url: str | None = None
    tmdb_url: str | None = None
    radarr_url: str | None = None
    sonarr_url: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    url: str
    control_url: str
    backends: Backends
    config: RunConfig
    template: Template
    runtime: Runtime
    scheduler: Scheduler
    supervisors: Sequence[asyncio.Task[None]]

    async def wait(self) -> None:
        """Wait until cancelled; raises EngineError if an engine cannot be restarted."""
        await asyncio.gather(*self.supervisors)
        await asyncio.Event().wait()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks, of which some may have failed, and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(
    config: RunConfig,
    *,
    report: Report = lambda _: None,
    project: Path = PROJECT,
    durable: bool = True,
    throttles: bool = True,
    trial_limits: bool = False,
    source_ip: Callable[[web.BaseRequest], str] | None = None,
) -> AsyncIterator[Service]:
    """Run everything that template.yaml describes, ready for requests inside the block.

    Raises StartError if it cannot start; every exit stops everything that was started. With
    `trial_limits` an embedded database without sign-in limits of its own gets higher ones.
    """
    async with AsyncExitStack() as stack:
        config.data.mkdir(parents=True, exist_ok=True)
        stack.enter_context(data_lock(config.data))
        check_port(config.port)
        check_installed(_OPT, _RUNTIME)
        template = read_template(
            project / "template.yaml",
            opt=_OPT,
            parameters={"CorsOrigin": config.validated.cors_origin},
        )
        backends, engines = await _start_backends(stack, config, report, durable=durable)
        sqs = await stack.enter_async_context(QueueServer(template.queues))
        runtime = await stack.enter_async_context(_lambda(config, template, backends, sqs))
        await _migrate(template, runtime, report)
        await _fill(config, backends, runtime, report, trial_limits=trial_limits)
        gateway = Gateway(
            template, runtime, port=config.port, throttles=throttles, source_ip=source_ip
        )
        with _timed(report, "CloudFront and API Gateway"):
            front = await _front(stack, gateway, template, config, backends, project / "web")
        await stack.enter_async_context(
            QueueMappings(template.event_sources, sqs.queues, runtime, log=report)
        )
        scheduler = await stack.enter_async_context(
            Scheduler(template.schedules, runtime, log=report)
        )
        control_url = await stack.enter_async_context(
            control(config.data, front.url, template, runtime, scheduler)
        )
        supervisors = [asyncio.create_task(supervise(*each, report)) for each in engines.items()]
        stack.push_async_callback(_cancel, supervisors)
        yield Service(
            *(front.url, control_url, backends, config, template, runtime, scheduler),
            supervisors=supervisors,
        )


async def _front(
    stack: AsyncExitStack,
    gateway: Gateway,
    template: Template,
    config: RunConfig,
    backends: Backends,
    web_folder: Path,
) -> HttpServer:
    """Start the server that clients call: the distribution, or without one the API itself."""
    if template.distribution is None:
        return await stack.enter_async_context(gateway)
    # The stand-in for TMDB also has the images of its titles.
    images = ImageHost(backends.tmdb_url or template.distribution.image_url)
    return await stack.enter_async_context(
        DistributionServer(
            template.distribution,
            api=gateway.respond,
            page=WebFolder(web_folder),
            images=await stack.enter_async_context(images),
            port=config.port,
        )
    )


async def _start_backends(
    stack: AsyncExitStack, config: RunConfig, report: Report, *, durable: bool
) -> tuple[Backends, dict[Engine, Server]]:
    """Start each backend whose URL is not set; return all URLs, and the started engines."""
    engines: dict[Engine, Server] = {}
    database_url = await _database(stack, config, engines, report, durable=durable)
    redis_url = await _cache(stack, config, engines, report)
    servers = await _upstreams(stack, config, report)
    if servers is None:
        return Backends(database_url, redis_url), engines
    backends = Backends(
        database_url,
        redis_url,
        plex_url=None if config.has_real_plex else servers.plex_url,
        tmdb_url=None if config.has_real_tmdb else servers.tmdb_url,
        radarr_url=servers.radarr_url,
        sonarr_url=servers.sonarr_url,
    )
    return backends, engines


async def _database(
    stack: AsyncExitStack,
    config: RunConfig,
    engines: dict[Engine, Server],
    report: Report,
    *,
    durable: bool,
) -> str:
    """Return the URL of the external database, or start an embedded one."""
    url = config.variables.get("DATABASE_URL")
    if url is None:
        return _start(stack, PostgresEngine(config.data, durable=durable), engines, report)
    if problem := await asyncio.to_thread(reachability.database_problem, config.validated):
        raise StartError(f"{config.origins['DATABASE_URL']}: {problem}")
    return url


async def _cache(
    stack: AsyncExitStack, config: RunConfig, engines: dict[Engine, Server], report: Report
) -> str:
    """Return the URL of the external cache, which may be down, or start an embedded one.

    With `none` there is no cache.
    """
    url = config.variables.get("REDIS_URL")
    if url is None:
        return _start(stack, ValkeyEngine(config.data), engines, report)
    if url == NO_CACHE:
        report("  No cache (REDIS_URL=none)")
        return url
    if problem := await asyncio.to_thread(reachability.cache_problem, config.validated):
        report(f"  {config.origins['REDIS_URL']}: {problem}. MediaNest starts without a cache")
    return url


def _start(
    stack: AsyncExitStack, engine: Engine, engines: dict[Engine, Server], report: Report
) -> str:
    with _timed(report, engine.title):
        engines[engine] = stack.enter_context(engine.use())
    return engines[engine].url


async def _upstreams(
    stack: AsyncExitStack, config: RunConfig, report: Report
) -> standins.Standins | None:
    """Start the stand-ins unless plex.tv and TMDB are both real."""
    if config.has_real_plex and config.has_real_tmdb:
        return None
    with _timed(report, "Stand-ins for plex.tv, TMDB, Radarr and Sonarr"):
        servers = await _start_standins(config.port)
        stack.push_async_callback(servers.stop)
    return servers


async def _start_standins(port: int) -> standins.Standins:
    # Prefer the ports after the API's, which are easy to find, to any free ones.
    if port:
        try:
            return await standins.start(ports=standins.Ports.after(port))
        except (OSError, OverflowError):
            return await standins.start()
    return await standins.start()


def _lambda(config: RunConfig, template: Template, backends: Backends, sqs: QueueServer) -> Runtime:
    registration = registration_function(template)
    return Runtime(
        {**template.functions, registration.id: registration},
        runtime=_RUNTIME,
        pycache=PROJECT / ".local" / "pycache",
        log=log_printer(config.log_format, config.validated.log_level),
        environment=function_variables(config, backends),
        aws={"AWS_ENDPOINT_URL_SQS": sqs.url},
    )


def function_variables(config: RunConfig, backends: Backends) -> dict[str, str]:
    """Return the variables of the functions: the configured ones and the URLs of the backends."""
    values = {
        **config.variables,
        "DATABASE_URL": backends.database_url,
        "REDIS_URL": backends.redis_url,
    }
    if (plex_url := backends.plex_url) is not None:
        values = {"PLEX_AUTH_URL": f"{plex_url}/auth", **values, "PLEX_API_URL": plex_url}
    if backends.tmdb_url is not None:
        values["TMDB_API_URL"] = f"{backends.tmdb_url}/3"
    return values


async def _migrate(template: Template, runtime: Runtime, report: Report) -> None:
    if _MIGRATIONS not in template.functions:
        raise StartError(f"template.yaml has no {_MIGRATIONS}")
    with _timed(report, "Migrations"):
        result = await runtime.invoke(_MIGRATIONS, {})
    if result.error is not None and ErrorCode.DATABASE_CONNECTION_ERROR in str(result.payload):
        raise StartError(
            "The database became unreachable during the start. Check it, then start again"
        )
    if result.error is not None:
        raise StartError(f"The migrations failed: {result.error}: {result.message}")
    if isinstance(result.payload, dict) and result.payload.get("applied"):
        report(f"    applied {', '.join(result.payload['applied'])}")


async def _fill(
    config: RunConfig, backends: Backends, runtime: Runtime, report: Report, *, trial_limits: bool
) -> None:
    """Write into the database what makes it easy to try things out."""
    if trial_limits and "DATABASE_URL" not in config.variables:
        set_trial_limits(backends.database_url)
        report("  Higher sign-in limits for local use (rateLimit.auth, rateLimit.plex-pin)")
    if backends.radarr_url is not None and backends.sonarr_url is not None:
        with _timed(report, "Stand-ins as download servers"):
            await register_standins(runtime, backends.radarr_url, backends.sonarr_url)


@contextmanager
def _timed(report: Report, step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    report(f"  {step} ({time.perf_counter() - started:.1f} s)")
