"""The measured reads and refusals: how to call each of them again and again."""

import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.callers import USER, Callers
from benchmarks.events import Event, event
from benchmarks.rows import id_of, job_of, request_of, server_of
from local.standins.tmdb.catalogue import CATALOGUE

CACHED_SEARCH = "GET /api/media/search"
# Calls in a minute that the policy `docs` allows an address.
_DOCS_LIMIT = 60
_DOCS_SECONDS = 45.0


def _ignore(response: Any) -> None:
    del response


@dataclass(frozen=True, slots=True)
class Route:
    """A route, or a refusal named by its status; `prepare` makes the next call possible.

    A `slow` route waits for an upstream or hashes a password, so it is called less often. `seen`
    gets each response.
    """

    name: str
    function: str
    prepare: Callable[[], Awaitable[Event]]
    status: int = 200
    slow: bool = False
    seen: Callable[[Any], None] = _ignore


def film_ids() -> list[int]:
    """Return the ids of the films that the stand-in for TMDB has."""
    return [each["id"] for each in json.loads(CATALOGUE.read_text())["movies"]]


def reads(people: Callers) -> Iterator[Route]:
    """Yield the routes that change nothing."""
    user, admin = people.user, people.admin
    yield _read("health", "/api/health", None)
    yield _read("auth", "/api/auth/me", user)
    yield _read("auth", "/api/auth/csrf", user)
    yield _read("auth", "/api/auth/session", user)
    yield _read("auth", "/api/auth/options", None)
    yield _read("auth", "/api/auth/sessions", user)
    yield _read("media", "/api/media/search", user, query={"q": "matrix"})
    yield _read("media", "/api/media/discover", user, query={"list": "trending"})
    title = {"mediaType": "movie", "tmdbId": "603"}
    yield _read("media", "/api/media/{mediaType}/{tmdbId}", user, parameters=title)
    yield _read("media", "/api/media/quota", user)
    yield _read("media", "/api/media/requests", user)
    yield _read(
        "media", "/api/media/requests/{id}", user, parameters={"id": request_of(people.db, USER)}
    )
    yield _read("admin", "/api/admin/users", admin)
    user_id = {"id": id_of(people.db, USER)}
    yield _read("admin", "/api/admin/users/{id}", admin, parameters=user_id)
    yield _read("admin", "/api/admin/requests", admin)
    yield _read("admin", "/api/admin/requests/counts", admin)
    yield _read("admin", "/api/admin/audit-logs", admin)
    yield _read("admin", "/api/admin/stats", admin)
    yield from _of_fulfilment(people)
    yield _uncached_search(user)
    for path, parameters in (
        ("/api/openapi.json", None),
        ("/api/docs", None),
        ("/api/docs/{asset}", {"asset": "page.js"}),
    ):
        yield _document(path, parameters)

    async def settings() -> Event:
        allow_settings(people)
        return event("GET", "/api/admin/config", token=admin)

    yield Route("GET /api/admin/config", "admin", settings)


def _of_fulfilment(people: Callers) -> Iterator[Route]:
    server, job = {"id": server_of(people.db)}, {"id": job_of(people.db)}
    for path, parameters in (
        ("/api/admin/servers", None),
        ("/api/admin/servers/{id}", server),
        ("/api/admin/servers/{id}/inventory", server),
        ("/api/admin/routing-rules", None),
        ("/api/admin/jobs", None),
        ("/api/admin/jobs/{id}", job),
    ):
        yield _read("fulfilment", path, people.admin, parameters=parameters)


def refusals(people: Callers) -> Iterator[Route]:
    """Yield a call without a token, with a bad one, with a wrong role, and one too many."""
    bad = f"{people.user[:-4]}AAAA"

    async def anonymous() -> Event:
        return event("GET", "/api/auth/me")

    async def forged() -> Event:
        return event("GET", "/api/auth/me", token=bad)

    async def no_session() -> Event:
        return event("GET", "/api/auth/session")

    async def wrong_role() -> Event:
        return event("GET", "/api/admin/users", token=people.user)

    yield Route("401", "auth", anonymous, 401)
    yield Route("401 bad token", "auth", forged, 401)
    yield Route("200 no session", "auth", no_session)
    yield Route("403", "admin", wrong_role, 403)
    yield Route("429", "health", _one_too_many(people), 429)


def allow_settings(people: Callers) -> None:
    """Clear the log of the limit that protects the settings, which no setting can raise."""
    used = list(people.keys.scan_iter("*:admin-config:*"))
    if used:
        people.keys.delete(*used)


def _read(
    function: str,
    path: str,
    token: str | None,
    *,
    parameters: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
) -> Route:
    async def prepare() -> Event:
        return event("GET", path, parameters=parameters, query=query, token=token)

    return Route(f"GET {path}", function, prepare)


def _uncached_search(token: str) -> Route:
    number = itertools.count()

    async def prepare() -> Event:
        query = {"q": f"matrix {next(number)} {time.time_ns()}"}
        return event("GET", "/api/media/search", query=query, token=token)

    return Route(f"{CACHED_SEARCH} not cached", "media", prepare, slow=True)


def _document(path: str, parameters: Mapping[str, str] | None) -> Route:
    addresses = _addresses(path)

    async def prepare() -> Event:
        return event("GET", path, parameters=parameters, ip=next(addresses))

    return Route(f"GET {path}", "health", prepare)


def _one_too_many(people: Callers) -> Callable[[], Awaitable[Event]]:
    addresses = _addresses("429")
    address, exhausted_at = "", float("-inf")

    async def prepare() -> Event:
        nonlocal address, exhausted_at
        if time.monotonic() > exhausted_at + _DOCS_SECONDS:
            address, exhausted_at = next(addresses), time.monotonic()
            for _ in range(_DOCS_LIMIT):
                await people.respond("health", event("GET", "/api/docs", ip=address), 200)
        return event("GET", "/api/docs", ip=address)

    return prepare


def _addresses(use: str) -> Iterator[str]:
    """Yield IPv6 networks, each with limits of its own."""
    start = time.time_ns() + hash(use)
    for number in itertools.count(start):
        yield f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1"
