"""Wait for a condition of the page's own script."""

import time

from playwright.sync_api import Page

# Other workers use the same processors.
SECONDS = 15.0
_AFTER_FRAME = """() => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done, 20));
}).then(%s)"""


def wait_a_little(page: Page) -> None:
    """Let calls go on, without a look into the page, which needs the same processors."""
    page.wait_for_timeout(40)


def after_frame(page: Page, condition: str) -> bool:
    """Return whether a JavaScript function returns true once the page has painted once more."""
    holds: bool = page.evaluate(_AFTER_FRAME % condition)
    return holds


def wait_until(page: Page, condition: str) -> None:
    """Wait until a JavaScript function without parameters returns true.

    Playwright's own method evaluates the text within the page, which the page's Content Security
    Policy refuses as soon as the condition does not hold at the first look.
    """
    deadline = time.monotonic() + SECONDS
    while not after_frame(page, condition):
        assert time.monotonic() < deadline, f"still false after {SECONDS:.0f} seconds: {condition}"
