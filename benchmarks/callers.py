"""Signed-in people and warm execution environments, which the routes are called with."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import redis

from benchmarks.events import Event, data_of, event
from benchmarks.sandbox import Cost, Sandbox
from benchmarks.stage import Db, Service

# The first user of a database becomes its admin.
ADMIN, USER, OTHER_USER = "alice", "bob", "carol"
API = ("health", "auth", "plex", "media", "admin", "fulfilment")
PASSWORD = "Tr0ub4dor-and-3"
_CACHE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Callers:
    """An admin, a user and a local account, with one warm environment of each function."""

    service: Service
    sandboxes: Mapping[str, Sandbox]
    admin: str
    user: str
    local_name: str
    db: Db
    keys: redis.Redis

    async def call(self, function: str, event: Event, status: int = 200) -> Any:
        """Call a function and return the data of its response."""
        response, _ = await self.respond(function, event, status)
        return data_of(response)

    async def respond(self, function: str, event: Event, status: int) -> tuple[Any, Cost]:
        """Call a function; return its response and the cost."""
        return await self.sandboxes[function].respond(event, status)

    async def sign_in(self, person: str) -> str:
        """Sign a person in with Plex; return the token."""
        return await self.service.sign_in(self.sandboxes["plex"], person)

    async def login(self) -> str:
        """Sign in to the local account; return the token."""
        body = {"identifier": self.local_name, "password": PASSWORD}
        token: str = (await self.call("auth", event("POST", "/api/auth/login", body=body)))["token"]
        return token


@asynccontextmanager
async def callers(service: Service) -> AsyncIterator[Callers]:
    """Start one environment of each function of the API, and sign everybody in."""
    async with AsyncExitStack() as stack:
        sandboxes = {name: await stack.enter_async_context(service.sandbox(name)) for name in API}
        name = f"erin-{uuid.uuid4().hex[:12]}"
        people = Callers(
            service,
            sandboxes,
            admin=await service.sign_in(sandboxes["plex"], ADMIN),
            user=await service.sign_in(sandboxes["plex"], USER),
            local_name=name,
            db=stack.enter_context(service.connect()),
            keys=stack.enter_context(
                redis.Redis.from_url(
                    service.redis_url,
                    socket_timeout=_CACHE_SECONDS,
                    socket_connect_timeout=_CACHE_SECONDS,
                )
            ),
        )
        account = {"email": f"{name}@example.com", "username": name, "role": "user"}
        body = {**account, "password": PASSWORD}
        create = event("POST", "/api/admin/users", body=body, token=people.admin)
        await people.call("admin", create, 201)
        yield people
