"""Measure the page and write its figures to docs/performance.md: `make bench WEB=1`."""

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, StorageState

from benchmarks.browser import NAME, Figure, Origin, save, section
from tests.page_budget import long_queue, network, waiting
from tests.page_budget.long_run import (
    CARDS,
    INTERPRETED,
    NAVIGATIONS,
    frames_per_second,
    heap_growth,
)
from tests.page_budget.network import Load, load
from tests.screenshots.scene import set_scene
from tests.support.api import ROOT
from tests.support.browser.chromium import missing
from tests.support.browser.launch import browser
from tests.support.browser.people import People
from tests.support.local import LocalService, database_of, local_service
from tools.docs.marked import with_part
from tools.measurement import commit, machine

_LOADS = 5
_KIB = 1024
_PAGE = ROOT / "docs/performance.md"


def main() -> int:
    """Measure, and write the figures."""
    if reason := missing():
        print(f"No figures of the page: {reason}.", file=sys.stderr)
        return 1
    before, _, _ = os.getloadavg()
    with (
        tempfile.TemporaryDirectory(prefix="medianest-page-") as folder,
        local_service(Path(folder) / "service", throttles=False) as service,
    ):
        people = People(service)
        with browser() as chrome:
            figures = _measure(chrome, service, people) + _stalls(chrome, service, people)
            figures += _waking(chrome, Path(folder))
            version = chrome.version
        with browser(INTERPRETED) as chrome:
            figures += _growth(chrome, service.url, people.state("bob"))
        about = f"{machine()}; Chromium {version}, MediaNest at {commit()}"
    after, _, _ = os.getloadavg()
    origin = Origin(
        f"{datetime.now(UTC):%Y-%m-%d}: {about}",
        *(
            network.SLOWER,
            network.LATENCY_MS,
            network.MEGABITS,
            _LOADS,
            round(max(before, after), 1),
        ),
    )
    save(origin, figures)
    _PAGE.write_text(with_part(_PAGE.read_text(), NAME, section()), encoding="utf-8")
    for each in figures:
        met = "met   " if each.is_met else "MISSED"
        bar = "none" if each.bar is None else f"{each.bar:g}"
        print(f"{met} {each.what}: {each.measured:g} {each.unit} (bar: {bar})")
    return 0


def _measure(chrome: Browser, service: LocalService, people: People) -> list[Figure]:
    scene = set_scene(service, people)
    loads: dict[str, list[Load]] = {}
    for name, path in scene.pages.items():
        person = scene.person_of(name)
        # The first one warms up the functions.
        state = network.with_visit(people.state(person), service.url) if person else None
        loads[name] = [
            load(chrome, name, service.url + path, state)
            for _ in range(1 + (_LOADS if name in {"signin", "home"} else 1))
        ][1:]
    figures = [*_first_views(loads), _shift(loads)]
    sample = service.call(
        "GET", "/api/media/search", query={"q": "the"}, token=people.token("bob")
    ).json
    fling, whole = frames_per_second(chrome, service.url, people.state("bob"), sample)
    return [
        *figures,
        Figure(f"fling in {CARDS:,} cards", 50, round(fling, 1), "frames/s", is_floor=True),
        Figure(f"all of {CARDS:,} cards in four seconds", None, round(whole, 1), "frames/s"),
    ]


def _stalls(chrome: Browser, service: LocalService, people: People) -> list[Figure]:
    with database_of(service.data, {}) as connection:
        long_queue.fill(connection)
    found = long_queue.longest_stalls(chrome, service.url, people.state("alice"))
    queue = f"queue of {long_queue.REQUESTS:,}: longest stall"
    return [Figure(f"{queue}, {name}", 100, stall, "ms") for name, stall in found.items()]


def _waking(chrome: Browser, folder: Path) -> list[Figure]:
    awake, found = waiting.waits(chrome, folder)
    figures = [Figure("own requests, database awake: content", 2, round(awake, 1), "s")]
    for seconds, wait in found.items():
        name = f"database asleep, wakes up in {seconds} s"
        figures += [
            # Functions wait three seconds for a connection, the page five between its calls.
            Figure(f"{name}: notice", 5, round(wait.notice, 1), "s"),
            Figure(f"{name}: content", seconds + 10, round(wait.content, 1), "s"),
        ]
    return figures


def _growth(chrome: Browser, origin: str, state: StorageState) -> list[Figure]:
    heap, nodes = heap_growth(chrome, origin, state)
    return [
        Figure(f"growth of the heap, {NAVIGATIONS} navigations", 5, round(heap * 100, 1), "%"),
        Figure(f"growth of the DOM, {NAVIGATIONS} navigations", 5, round(nodes * 100, 1), "%"),
    ]


def _first_views(loads: dict[str, list[Load]]) -> list[Figure]:
    figures = []
    for name in ("signin", "home"):
        first = loads[name][0]
        usable = median(each.usable for each in loads[name])
        sizes = [("all files", 60, first.total)] + [
            (kind, bar, first.bytes.get(kind, 0))
            for kind, bar in (("script", 35), ("stylesheet", 8), ("font", 20))
        ]
        figures += [Figure(f"{name}: {kind}", bar, _kib(size), "KiB") for kind, bar, size in sizes]
        figures += [
            Figure(f"{name}: answers of the API", None, _kib(first.bytes[network.API]), "KiB"),
            Figure(f"{name}: files until it is usable", 24, first.requests, "files"),
            Figure(f"{name}: calls until it is usable", None, first.calls, "calls"),
            Figure(f"{name}: usable", 1.5, round(usable, 2), "s"),
        ]
    return figures


def _shift(loads: dict[str, list[Load]]) -> Figure:
    name = max(loads, key=lambda name: max(each.shift for each in loads[name]))
    worst = max(each.shift for each in loads[name])
    return Figure(f"layout shift (most: {name})", 0.02, round(worst, 4), "")


def _kib(size: int) -> float:
    return round(size / _KIB, 1)


if __name__ == "__main__":
    sys.exit(main())
