"""Scroll a list of a thousand cards, and move between pages two hundred times."""

import json
import sys
import time
from itertools import cycle, islice
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Route, StorageState

from tests.page_budget.network import new_context
from tests.support.browser.wait import wait_until

CARDS = 1000
NAVIGATIONS = 200
# V8 compiles what it has often run, and counts that as heap; it says nothing about the page.
INTERPRETED = "--js-flags=--no-opt --no-maglev --no-sparkplug"
_WARM_UP = 40
_PLACES = ("/search", "/requests", "/", "/profile")
# The fastest fling of Android; all of the list at once is faster than anybody can read.
_FLING = 8000
_SECONDS = 4
_SCROLL = """async ([seconds, most]) => {
  const end = Math.min(document.documentElement.scrollHeight - innerHeight, most);
  const begin = performance.now();
  let frames = 0;
  for (;;) {
    const at = await new Promise(requestAnimationFrame);
    const share = (at - begin) / (seconds * 1000);
    if (share >= 1) return frames / seconds;
    scrollTo(0, end * Math.max(share, 0));
    frames += 1;
  }
}"""


def frames_per_second(
    chrome: Browser, origin: str, state: StorageState, sample: Any
) -> tuple[float, float]:
    """Return the frames per second of a list of a thousand cards: in a fling, then all of it.

    `sample` is an answer of the API, whose items are repeated.
    """
    items = [
        {**item, "tmdbId": number, "title": f"{item['title']} {number}"}
        for number, item in enumerate(islice(cycle(sample["data"]), CARDS), start=1)
    ]
    pagination = {**sample["pagination"], "total": CARDS, "hasNext": False}
    body = json.dumps({**sample, "data": items, "pagination": pagination})

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="application/json")

    context = new_context(chrome, state)
    page = context.new_page()
    page.route("**/api/media/search?*", answer)
    page.goto(f"{origin}/search?q=the")
    wait_until(page, f"() => document.querySelectorAll('main li.card a').length >= {CARDS}")
    page.wait_for_load_state("networkidle")
    fling: float = page.evaluate(_SCROLL, [_SECONDS, _FLING * _SECONDS])
    whole: float = page.evaluate(_SCROLL, [_SECONDS, sys.maxsize])
    context.close()
    return fling, whole


def heap_growth(chrome: Browser, origin: str, state: StorageState) -> tuple[float, float]:
    """Return the growth of heap and of DOM nodes over the navigations, as shares.

    `chrome` runs INTERPRETED, so that the heap is what the page keeps.
    """
    context = new_context(chrome, state)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(origin)
    _navigate(page, _WARM_UP)
    heap, nodes = _metrics(session)
    _navigate(page, NAVIGATIONS)
    heap_after, nodes_after = _metrics(session)
    context.close()
    return heap_after / heap - 1, nodes_after / nodes - 1


def _navigate(page: Page, times: int) -> None:
    for path in islice(cycle(_PLACES), times):
        page.locator(f"nav a[href='{path}']:visible, a.who[href='{path}']:visible").first.click()
        wait_until(page, "() => !document.querySelector('main [aria-busy=true]')")
    page.wait_for_load_state("networkidle")


def _metrics(session: CDPSession) -> tuple[float, float]:
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
        time.sleep(0.2)
    metrics = session.send("Performance.getMetrics")["metrics"]
    values = {each["name"]: each["value"] for each in metrics}
    return values["JSHeapUsedSize"], values["Nodes"]
