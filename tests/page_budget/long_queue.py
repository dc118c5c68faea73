"""Scroll, filter and decide in a queue of five thousand requests, and time the longest stall."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests.page_budget.network import new_context

REQUESTS = 5000
_STALLS = """
window.stalls = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.stalls.push(duration);
}).observe({ type: "longtask", buffered: true });
"""
_FILL = (
    "INSERT INTO media_requests (user_id, media_type, tmdb_id, title, status, requested_at)"
    " SELECT u.id, 'movie', 1000000 + n, 'Film number ' || n, 'pending', now() - n * interval '1 h'"
    " FROM users u, generate_series(1, %s) n WHERE u.username = 'bob'"
)
# As fast as a finger that flings again and again: each step is two screens.
_STEP = 1800
_PAUSE_MS = 60
_MOST_STEPS = 2000
# Rows that are drawn together; see web/components/windowed-list.js.
_CHUNK = 50


def fill(connection: Any) -> None:
    """Add the requests, which wait for a decision."""
    connection.execute(_FILL, (REQUESTS,))


def longest_stalls(chrome: Browser, origin: str, state: StorageState) -> dict[str, float]:
    """Return the longest task of the page in milliseconds while an admin works, by what is done.

    0 is a task of less than 50 ms, which browsers do not report.
    """
    context = new_context(chrome, state)
    page = context.new_page()
    page.add_init_script(_STALLS)
    page.goto(f"{origin}/admin/requests")
    page.locator(".queue .row").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.mouse.move(200, 300)
    steps: dict[str, Callable[[], object]] = {
        "scroll down": lambda: _scroll(page, _STEP),
        "scroll back": lambda: _scroll(page, -_STEP),
        "select": page.locator(".queue input[type=checkbox]:visible").first.click,
        "filter": lambda: page.get_by_label("Type").select_option("tv"),
        "end the filter": lambda: page.get_by_label("Type").select_option("all"),
    }
    stalls = {name: _during(page, step) for name, step in steps.items()}
    context.close()
    return stalls


def _during(page: Page, step: Callable[[], object]) -> float:
    page.evaluate("window.stalls.length = 0")
    step()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    longest: float = page.evaluate("Math.max(0, ...window.stalls)")
    return longest


def _scroll(page: Page, step: int) -> None:
    """Scroll until all requests are there, or back to the first one."""
    is_done = f"() => document.querySelectorAll('.chunk').length * {_CHUNK} >= {REQUESTS}"
    for _ in range(_MOST_STEPS):
        page.mouse.wheel(0, step)
        page.wait_for_timeout(_PAUSE_MS)
        if page.evaluate(is_done if step > 0 else "scrollY === 0"):
            return
    raise AssertionError(f"not done after {_MOST_STEPS} steps")
