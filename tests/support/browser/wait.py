"""Wait for a condition of the page's own script."""

import time

from playwright.sync_api import Page

# Other workers use the same processors.
SECONDS = 15.0
_NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))"


def next_frame(page: Page) -> None:
    """Wait until the page has painted once more."""
    page.evaluate(_NEXT_FRAME)


def wait_until(page: Page, condition: str) -> None:
    """Wait until a JavaScript function without parameters returns true.

    Playwright's own method evaluates the text within the page, which the page's Content Security
    Policy refuses as soon as the condition does not hold at the first look.
    """
    deadline = time.monotonic() + SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"still false after {SECONDS:.0f} seconds: {condition}"
        next_frame(page)
