"""Warm calls: processor time and Duration of every route, and memory after many calls."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack
from itertools import batched

from benchmarks.callers import API, Callers, callers
from benchmarks.cold import first_calls
from benchmarks.events import Event, event
from benchmarks.progress import Progress
from benchmarks.results import REFERENCES, Warm
from benchmarks.routes import Route, reads, refusals
from benchmarks.sandbox import Cost, Sandbox
from benchmarks.stage import Service
from benchmarks.writes import accounts, requests, sign_ins

BLOCK = 5
# Each ratio divides by the difference of two references, a sixth of a millisecond, so these are
# measured again after this many routes.
REFERENCE_SPACING = 9
# Calls of a function that no caller waits for, and that runs once a day.
SCHEDULED_CALLS = 100


def routes(people: Callers) -> Iterator[Route]:
    """Yield every measured route."""
    for family in (reads, refusals, sign_ins, requests, accounts):
        yield from family(people)


async def measure_warm(
    people: Callers, rounds: int, progress: Progress, names: Collection[str] | None = None
) -> dict[str, Warm]:
    """Call each route, or those in `names`, in `rounds` rounds, with the references in each."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        sandboxes = dict(people.sandboxes)
        for name in REFERENCES:
            sandboxes[name] = await stack.enter_async_context(people.service.sandbox(name))
        wanted = [each for each in routes(people) if names is None or each.name in names]
        references = [Route(name, name, _hello) for name in REFERENCES]
        measured = [
            each
            for group in batched(wanted, REFERENCE_SPACING, strict=False)
            for each in (*references, *group)
        ]
        for route in (*references, *wanted):
            await _block(sandboxes[route.function], route)
        with progress.part("warm calls", rounds * len(measured)) as step:
            for _ in range(rounds):
                for route in measured:
                    costs[route.name] += await _block(sandboxes[route.function], route)
                    step(route.name)
    return {
        name: Warm([each.cpu for each in every], [each.wall for each in every])
        for name, every in costs.items()
    }


async def _hello() -> Event:
    return event("GET", "/hello")


async def _block(sandbox: Sandbox, route: Route) -> list[Cost]:
    found = []
    for _ in range(1 if route.slow else BLOCK):
        response, cost = await sandbox.respond(await route.prepare(), route.status)
        route.seen(response)
        found.append(cost)
    return found


async def measure_memory(service: Service, calls: int, progress: Progress) -> dict[str, float]:
    """Return the resident memory of each function after `calls` calls, in megabytes."""
    async with callers(service) as people:
        events = first_calls(people.user, people.admin)
        # Without the function of the page's files, which needs S3.
        names = [name for name in events if name in service.build.functions]
        with progress.part(f"memory after {calls} calls", len(names)) as step:

            async def size_of(name: str) -> float:
                number = calls if name in API else min(calls, SCHEDULED_CALLS)
                size = await _size_after(service, name, events[name], number)
                step(name)
                return size

            # At the same time: memory does not depend on other work of the machine.
            sizes = await asyncio.gather(*(size_of(name) for name in names))
    return dict(zip(names, sizes, strict=True))


async def _size_after(
    service: Service, name: str, event_of: Callable[[], Event], calls: int
) -> float:
    async with service.sandbox(name) as sandbox:
        for _ in range(calls):
            payload, _ = await sandbox.call(event_of())
            sandbox.check(payload)
        return sandbox.rss_megabytes
