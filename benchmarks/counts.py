"""Count what a call costs the database and the cache, between the function and the server."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from statistics import median_low
from urllib.parse import urlsplit

from benchmarks.callers import Callers
from benchmarks.routes import Route
from benchmarks.stage import Service
from benchmarks.warm import routes

CALLS = 5
WARM_UP_CALLS = 3
_HOST = "127.0.0.1"
_CHUNK = 65_536
_HEADER = 5  # of a message of PostgreSQL: type, and length without the type
# The server confirms each statement, or reports its error.
_STATEMENT_ENDS = frozenset(b"CE")
# Requests to encrypt the connection, which precede the first message.
_ENCRYPTION_CODES = frozenset({80_877_103, 80_877_104})
_ENCRYPTION_BYTES = 8


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """The statements of a call, including BEGIN and COMMIT, and its waits for the cache."""

    sql: int
    cache: int


@dataclass
class Counter:
    """The count of a server, on all connections."""

    url: str
    number: int = 0


class Statements:
    """Counts the statements that PostgreSQL completes on one connection."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._rest = b""

    def from_client(self, data: bytes) -> bytes | None:
        """Return the response to a request for encryption, which is not forwarded."""
        is_request = len(data) == _ENCRYPTION_BYTES
        if is_request and int.from_bytes(data[4:]) in _ENCRYPTION_CODES:
            return b"N"
        return None

    def from_server(self, data: bytes) -> None:
        """Count the ends of statements in a part of the server's messages."""
        self._rest += data
        while len(self._rest) >= _HEADER:
            size = 1 + int.from_bytes(self._rest[1:_HEADER])
            if len(self._rest) < size:
                return
            self._counter.number += self._rest[0] in _STATEMENT_ENDS
            self._rest = self._rest[size:]


class Trips:
    """Counts how often the client of a cache waits for a reply; a pipeline waits once."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._is_waiting = False

    def from_client(self, data: bytes) -> bytes | None:
        """Count a command after a reply."""
        del data
        self._counter.number += not self._is_waiting
        self._is_waiting = True
        return None

    def from_server(self, data: bytes) -> None:
        """Note a reply."""
        del data
        self._is_waiting = False


@asynccontextmanager
async def counted(url: str, kind: type[Statements | Trips]) -> AsyncIterator[Counter]:
    """Forward to the server at `url` during the block; the counter has the URL to call instead."""
    target = urlsplit(url)
    counter = Counter(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(target.hostname, target.port)
        connection = kind(counter)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_send(reader, writer, upstream[1], connection))
                group.create_task(_receive(upstream[0], writer, connection))
        except* ConnectionError:
            pass  # the process of the function was killed
        finally:
            writer.close()
            upstream[1].close()

    server = await asyncio.start_server(serve, _HOST, 0)
    port = server.sockets[0].getsockname()[1]
    credentials = target.netloc.rpartition("@")[0]
    place = f"{credentials}@{_HOST}:{port}" if credentials else f"{_HOST}:{port}"
    counter.url = target._replace(netloc=place).geturl()
    async with server:
        yield counter
        server.close_clients()


async def _send(
    reader: asyncio.StreamReader,
    client: asyncio.StreamWriter,
    server: asyncio.StreamWriter,
    connection: Statements | Trips,
) -> None:
    while data := await reader.read(_CHUNK):
        reply = connection.from_client(data)
        if reply is None:
            server.write(data)
            await server.drain()
        else:
            client.write(reply)
    server.write_eof()


async def _receive(
    reader: asyncio.StreamReader, client: asyncio.StreamWriter, connection: Statements | Trips
) -> None:
    while data := await reader.read(_CHUNK):
        connection.from_server(data)
        client.write(data)
        await client.drain()


@dataclass(frozen=True, slots=True)
class Observed:
    """A service whose calls to its database and its cache are counted."""

    service: Service
    statements: Counter
    trips: Counter


@asynccontextmanager
async def observed(service: Service) -> AsyncIterator[Observed]:
    """Put the counters between a service and its servers during the block."""
    async with (
        counted(service.database_url, Statements) as statements,
        counted(service.redis_url, Trips) as trips,
    ):
        # On a busy machine the cache may respond late; a call without it reads the session's row.
        patience = {"CACHE_TIMEOUT_SECONDS": "2", "CACHE_CONNECT_TIMEOUT_SECONDS": "2"}
        urls = {"DATABASE_URL": statements.url, "REDIS_URL": trips.url, **patience}
        variables = {**service.variables, **urls}
        yield Observed(replace(service, variables=variables), statements, trips)


async def count(
    people: Callers, counters: Observed, names: Collection[str] | None = None
) -> dict[str, RoundTrips]:
    """Return the round trips of each route, or of `names`: the median of some warm calls.

    The people are callers of the observed service.
    """
    wanted = [each for each in routes(people) if names is None or each.name in names]
    return {each.name: await _count(each, people, counters) for each in wanted}


async def _count(route: Route, people: Callers, counters: Observed) -> RoundTrips:
    statements, trips = counters.statements, counters.trips
    found: list[RoundTrips] = []
    for number in range(WARM_UP_CALLS + CALLS):
        event = await route.prepare()
        before = RoundTrips(statements.number, trips.number)
        response, _ = await people.respond(route.function, event, route.status)
        route.seen(response)
        if number >= WARM_UP_CALLS:
            found.append(RoundTrips(statements.number - before.sql, trips.number - before.cache))
    return RoundTrips(
        median_low(each.sql for each in found), median_low(each.cache for each in found)
    )
