"""The bars that the figures are measured against, and the targets of the reference."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.results import Page, Results, percentile

INIT_RATIO = {
    "media": 1.6,
    "auth": 1.6,
    "admin": 1.6,
    "fulfilment": 1.6,
    "health": 1.3,
    "cleanup": 0.8,
}
# Without the first request: that of the worker runs jobs, and no caller waits for it.
INIT_ONLY_RATIO = {"worker": 0.9}
WARM_RATIO = {
    "GET /api/health": 4.0,
    "GET /api/auth/me": 6.0,
    "GET /api/media/search": 10.0,
    "GET /api/media/requests": 12.0,
    "GET /api/admin/requests": 14.0,
    "401": 2.5,
}
# Signed-in reads whose session is cached, and refusals: statements, and waits for the cache.
ROUND_TRIPS = {
    "GET /api/auth/me": (1, 1),
    "GET /api/media/requests": (1, 1),
    "GET /api/media/requests/{id}": (1, 1),
    "401": (0, 1),
    "401 bad token": (0, 1),
    "403": (1, 1),  # its row in the audit log (D11 in docs/trust.md)
    "429": (0, 1),
}
LAYERS_MB = 12.0
RSS_MB = 75.0
GROWTH_RATIO, GROWTH_MS = 2.0, 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """A p95 in milliseconds that the reference promises, and the routes that it covers."""

    name: str
    milliseconds: int
    routes: tuple[str, ...]


TARGETS = (
    Target("health", 10, ("GET /api/health",)),
    Target(
        "authentication",
        200,
        (
            "POST /api/auth/login",
            "POST /api/auth/plex/pin",
            "POST /api/auth/plex/verify",
            "POST /api/auth/refresh",
        ),
    ),
    Target("search", 500, ("GET /api/media/search", "GET /api/media/search not cached")),
    Target(
        "user operations",
        100,
        (
            "GET /api/auth/me",
            "GET /api/admin/users/{id}",
            "PATCH /api/admin/users/{id}",
            "POST /api/media/request",
            "DELETE /api/media/requests/{id}",
        ),
    ),
    Target(
        "query",
        50,
        (
            "GET /api/auth/sessions",
            "GET /api/media/requests",
            "GET /api/admin/users",
            "GET /api/admin/requests",
            "GET /api/admin/audit-logs",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A figure with its bar, both as text."""

    what: str
    bar: str
    measured: str
    is_met: bool


def checks(results: Results) -> Iterator[Check]:
    """Yield a check for each bar whose figure was measured."""
    yield from _inits(results)
    for name, bar in WARM_RATIO.items():
        if name in results.warm:
            yield _ratio(f"warm processor time of `{name}`", results.warm_ratio(name), bar)
    for name, trips in ROUND_TRIPS.items():
        if name in results.sql:
            yield _round_trips(results, name, trips)
    if results.layers_mb:
        size = results.layers_mb
        yield Check("both layers, zipped", f"{LAYERS_MB:g} MB", f"{size:.1f} MB", size <= LAYERS_MB)
    if results.rss:
        name, most = max(results.rss.items(), key=lambda each: each[1])
        what = f"resident memory (most: `{name}`)"
        yield Check(what, f"{RSS_MB:g} MB", f"{most:.1f} MB", most <= RSS_MB)
    if results.growth:
        yield _growth(results)


def grows_little(page: Page) -> bool:
    """Return whether a page of a list stays within the bar of growth."""
    return page.large <= growth_bar(page)


def growth_bar(page: Page) -> float:
    """Return the seconds that a page of a list may take with many rows."""
    return max(GROWTH_MS / 1000, GROWTH_RATIO * page.small)


def p95_of(results: Results, name: str) -> float:
    """Return the p95 of the Duration of a route, in milliseconds."""
    return percentile(results.warm[name].wall, 0.95) * 1000


def _inits(results: Results) -> Iterator[Check]:
    for name, bar in INIT_RATIO.items():
        if name in results.cold:
            yield _ratio(f"init and first request of `{name}`", results.init_ratio(name), bar)
    for name, bar in INIT_ONLY_RATIO.items():
        if name in results.cold:
            yield _ratio(f"init of `{name}`", results.init_only_ratio(name), bar)


def _ratio(what: str, value: float, bar: float) -> Check:
    return Check(what, f"{bar:g} ×", f"{value:.2f} ×", value <= bar)


def _round_trips(results: Results, name: str, bar: tuple[int, int]) -> Check:
    measured = results.sql[name], results.cache_trips[name]
    is_met = measured[0] <= bar[0] and measured[1] <= bar[1]
    return Check(f"round trips of `{name}`", _trips(*bar), _trips(*measured), is_met)


def _growth(results: Results) -> Check:
    few = sum(grows_little(each) for each in results.growth.values())
    measured = f"{few} of {len(results.growth)} pages"
    bar = f"all within {GROWTH_RATIO:g} × of few rows, or {GROWTH_MS:g} ms p95"
    return Check("pages of lists with many rows", bar, measured, few == len(results.growth))


def _trips(sql: int, cache: int) -> str:
    return f"{sql} SQL, {cache} cache"
