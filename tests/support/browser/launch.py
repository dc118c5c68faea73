"""Start the browser of this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.support.browser.chromium import chromium

# Nothing but the page under test uses the network.
_FLAGS = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--disable-quic", "--disable-dev-shm-usage"),
)


@contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """Start a browser for the block.

    Its event loop counts as the running one of this thread, so functions cannot run in the block.
    """
    # The sandbox needs a user who is not root.
    sandbox = () if os.geteuid() else ("--no-sandbox",)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=[*_FLAGS, *sandbox, *flags], timeout=60_000
        )
        yield started
        started.close()
