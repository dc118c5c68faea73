"""Growth: every list, filter, sort and page with few rows and with many, interleaved."""

import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from benchmarks.callers import ADMIN, USER
from benchmarks.events import data_of, event, json_of
from benchmarks.progress import Progress
from benchmarks.results import Page, percentile
from benchmarks.sandbox import Sandbox
from benchmarks.stage import Service
from medianest.requests.schemas import RequestSort
from medianest.users.schemas import UserSort

WARM_UP_CALLS = 1
_LIMIT = 20
_OK, _TIMED_OUT = 200, 503
_PLACES = ("first", "middle", "last")
_OWN_FILTERS: tuple[Mapping[str, str], ...] = (
    {},
    {"status": "pending"},
    {"status": "approved"},
    {"mediaType": "movie"},
    {"mediaType": "tv", "status": "declined"},
)
_USER_FILTERS: tuple[Mapping[str, str], ...] = (
    {},
    {"role": "admin"},
    {"role": "user"},
    {"status": "suspended"},
    {"role": "user", "status": "active"},
    {"search": "person123"},
    {"search": "mail.example"},
    {"search": "99"},
    {"search": "太"},
)


@dataclass(frozen=True, slots=True)
class List:
    """A list with a filter and an order; `is_paged` unless it returns everything at once."""

    function: str
    path: str
    query: Mapping[str, str]
    is_paged: bool = True

    def name(self, place: str) -> str:
        """Return the name of one of its pages."""
        query = {**self.query, **({"page": place} if self.is_paged else {})}
        return f"GET {self.path}{'?' if query else ''}{urlencode(query, safe=':')}"


@dataclass(frozen=True, slots=True)
class Database:
    """A service on a database, with a warm environment of each function that lists."""

    sandboxes: Mapping[str, Sandbox]
    tokens: Mapping[str, str]
    user_id: str

    async def seconds(self, of: List, page: int) -> tuple[float, int]:
        """Return the Duration of a call, and the number of the last page."""
        # The id of the user differs from database to database.
        query = {name: value.replace(USER, self.user_id) for name, value in of.query.items()}
        if of.is_paged:
            query |= {"page": str(page), "limit": str(_LIMIT)}
        call = event("GET", of.path, query=query, token=self.tokens[of.function])
        response, cost = await self.sandboxes[of.function].call(call)
        status = response["statusCode"]
        # The database cancels a statement that takes too long: the time until then counts.
        self.sandboxes[of.function].check(response, _TIMED_OUT if status == _TIMED_OUT else _OK)
        pagination = json_of(response).get("pagination", {"total": 0})
        return cost.wall, max(math.ceil(pagination["total"] / _LIMIT), 1)


def lists() -> Iterator[List]:
    """Yield every list with each filter in each order."""
    for sort in get_args(RequestSort.__value__):
        for filters in _OWN_FILTERS:
            yield List("media", "/api/media/requests", {**filters, "sort": sort})
        for filters in (
            *_OWN_FILTERS,
            {"userId": USER},
            {"userId": USER, "status": "pending", "mediaType": "movie"},
        ):
            yield List("admin", "/api/admin/requests", {**filters, "sort": sort})
    for sort in get_args(UserSort.__value__):
        for filters in _USER_FILTERS:
            yield List("admin", "/api/admin/users", {**filters, "sort": sort})
    for filters in (
        {},
        {"userId": USER},
        {"action": "user.changed"},
        {"action": "auth.sign_in"},
        {"userId": USER, "action": "auth.sign_in"},
        {"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"},
    ):
        yield List("admin", "/api/admin/audit-logs", filters)
    for filters in ({}, {"state": "dead"}, {"kind": "check"}, {"state": "done", "kind": "check"}):
        yield List("fulfilment", "/api/admin/jobs", filters)
    yield List("auth", "/api/auth/sessions", {}, is_paged=False)


async def measure_growth(
    small: Service, large: Service, calls: int, progress: Progress
) -> dict[str, Page]:
    """Return the p95 of `calls` calls of each page of each list, in both databases."""
    found: dict[str, Page] = {}
    every = list(lists())
    async with _database(small) as few, _database(large) as many:
        with progress.part("growth", len(every)) as step:
            for each in every:
                found |= await _pages(each, few, many, calls)
                step(each.path)
    return found


async def _pages(of: List, few: Database, many: Database, calls: int) -> dict[str, Page]:
    pages: dict[str, Page] = {}
    last = [(await each.seconds(of, 1))[1] for each in (few, many)]
    for place in _PLACES if of.is_paged else _PLACES[:1]:
        numbers = [{"first": 1, "middle": (each + 1) // 2, "last": each}[place] for each in last]
        times: tuple[list[float], list[float]] = ([], [])
        for call in range(WARM_UP_CALLS + calls):
            for database, number, seconds in zip((few, many), numbers, times, strict=True):
                duration, _ = await database.seconds(of, number)
                if call >= WARM_UP_CALLS:
                    seconds.append(duration)
        pages[of.name(place)] = Page(*(percentile(each, 0.95) for each in times))
    return pages


@asynccontextmanager
async def _database(service: Service) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        sandboxes = {
            name: await stack.enter_async_context(service.sandbox(name))
            for name in ("auth", "media", "admin", "fulfilment", "plex")
        }
        admin = await service.sign_in(sandboxes["plex"], ADMIN)
        user = await service.sign_in(sandboxes["plex"], USER)
        me, _ = await sandboxes["auth"].respond(event("GET", "/api/auth/me", token=user), 200)
        tokens = {"auth": user, "media": user, "admin": admin, "fulfilment": admin}
        yield Database(sandboxes, tokens, data_of(me)["id"])
