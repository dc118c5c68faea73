"""Real PostgreSQL and Valkey, and stand-ins for the upstreams that take 50 ms to respond."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from aiohttp import ClientSession, ClientTimeout, web
from psycopg import sql
from psycopg.types.json import Jsonb

from benchmarks.events import data_of, event
from benchmarks.layers import Build
from benchmarks.sandbox import Sandbox
from local import standins
from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine
from local.lambda_.runtime_api import RuntimeApi
from local.standins.faults import CONTROL_PREFIX, Handler
from local.standins.plex import app as plex
from local.standins.tmdb import app as tmdb
from medianest.rate_limits.policies import POLICIES

UPSTREAM_SECONDS = 0.05
ROTATED = {"SecretId": "jwt", "ClientRequestToken": "next", "Step": "setSecret"}
# Not in the template: Lambda adds the credentials, and boto3 knows the address of the service.
_AWS = {"AWS_ACCESS_KEY_ID": "benchmarks", "AWS_SECRET_ACCESS_KEY": "benchmarks"}
_UPSTREAM_TIMEOUT = ClientTimeout(total=10)

type Db = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Service:
    """The functions on one database and one key space of the cache."""

    api: RuntimeApi
    build: Build
    database_url: str
    redis_url: str
    aws_url: str
    variables: Mapping[str, str]

    def sandbox(self, folder: str) -> Sandbox:
        """Return a new execution environment of a function or a reference."""
        function = self.build.references.get(folder) or self.build.functions[folder]
        if folder == "rotation":
            aws = {**_AWS, "AWS_ENDPOINT_URL": self.aws_url}
            function = replace(function, environment={**function.environment, **aws})
        return Sandbox(self.api, self.build, function, self.variables)

    def connect(self) -> Db:
        """Connect to the database as its owner, without its time-outs."""
        # Autovacuum holds a lock of a table that was just filled for a second or longer.
        options = "-c statement_timeout=0 -c lock_timeout=0"
        return psycopg.connect(
            self.database_url, autocommit=True, options=options, connect_timeout=10
        )

    async def sign_in(self, sandbox: Sandbox, person: str) -> str:
        """Sign a person in at the stand-in for plex.tv; return the token."""
        handle = await self.approve(sandbox, person)
        verify = event("POST", "/api/auth/plex/verify", body={"pinId": handle})
        response, _ = await sandbox.respond(verify, 200)
        token: str = data_of(response)["token"]
        return token

    async def approve(self, sandbox: Sandbox, person: str) -> str:
        """Start a sign-in and approve it at Plex; return its handle."""
        response, _ = await sandbox.respond(event("POST", "/api/auth/plex/pin", body={}), 200)
        pin = data_of(response)
        url = f"{self.variables['PLEX_API_URL']}{CONTROL_PREFIX}pins/{pin['code']}/approve"
        async with ClientSession(timeout=_UPSTREAM_TIMEOUT, raise_for_status=True) as client:
            await client.post(url, json={"username": person})
        handle: str = pin["pinId"]
        return handle


class Stage:
    """The engines and stand-ins of a run, from which services are made."""

    def __init__(
        self,
        api: RuntimeApi,
        build: Build,
        *,
        postgres: str,
        valkey: str,
        aws_url: str,
        upstream: Mapping[str, str],
    ) -> None:
        self.build = build
        self._api = api
        self._postgres = postgres
        self._valkey = valkey
        self._aws_url = aws_url
        self._upstream = upstream
        self._services = 0

    async def service(self, name: str) -> Service:
        """Return a service on a new database: migrated, and with limits that no call reaches."""
        with psycopg.connect(self._postgres, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        database_url = urlsplit(self._postgres)._replace(path=f"/{name}").geturl()
        redis_url = urlsplit(self._valkey)._replace(path=f"/{self._services}").geturl()
        variables = {**self._upstream, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        service = Service(self._api, self.build, database_url, redis_url, self._aws_url, variables)
        self._services += 1
        async with service.sandbox("migrations") as migrations:
            await migrations.call({})
        with service.connect() as connection:
            for policy in POLICIES.values():
                if not policy.fixed:
                    raise_limit(connection, policy.name)
        return service


@asynccontextmanager
async def stage(build: Build, folder: Path) -> AsyncIterator[Stage]:
    """Start everything that the functions call; stop it after the block."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(PostgresEngine(folder, durable=True).use())
        valkey = stack.enter_context(ValkeyEngine(folder).use())
        urls = []
        for app in (plex.create_app(), tmdb.create_app(), _secrets_manager()):
            app.middlewares.insert(0, _delay)
            runner = await standins.serve(app, "127.0.0.1", 0)
            stack.push_async_callback(runner.cleanup)
            urls.append(standins.url_of(runner))
        plex_url, tmdb_url, aws_url = urls
        upstream = {
            "NODE_ENV": "development",  # production rejects engines without TLS
            "JWT_SECRET": secrets.token_urlsafe(48),
            "ENCRYPTION_KEY": secrets.token_urlsafe(48),
            "PLEX_CLIENT_ID": "benchmarks",
            "PLEX_API_URL": plex_url,
            "PLEX_AUTH_URL": f"{plex_url}/auth",
            "TMDB_API_KEY": "benchmarks",
            "TMDB_API_URL": f"{tmdb_url}/3",
        }
        api = RuntimeApi()
        await api.start()
        stack.push_async_callback(api.stop)
        yield Stage(
            *(api, build),
            postgres=postgres.url,
            valkey=valkey.url,
            aws_url=aws_url,
            upstream=upstream,
        )


def raise_limit(connection: Db, policy: str, limit: int = 1000) -> None:
    """Let a policy allow `limit` calls a second."""
    connection.execute(
        "INSERT INTO system_config (key, value) VALUES (%s, %s)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (f"rateLimit.{policy}", Jsonb({"limit": limit, "window": 1})),
    )


@web.middleware
async def _delay(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith(CONTROL_PREFIX):
        await asyncio.sleep(UPSTREAM_SECONDS)
    return await handler(request)


def _secrets_manager() -> web.Application:
    """Return the part of Secrets Manager that the step of `ROTATED` calls."""

    async def describe(_request: web.Request) -> web.Response:
        stages = {ROTATED["ClientRequestToken"]: ["AWSPENDING"]}
        return web.json_response({"Name": ROTATED["SecretId"], "VersionIdsToStages": stages})

    app = web.Application()
    app.router.add_post("/", describe)
    return app
