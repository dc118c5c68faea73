"""One tab of the page, as a person with a certain screen and role sees it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from re import Pattern
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from tests.support.browser import axe
from tests.support.browser.held import Held
from tests.support.browser.wait import SECONDS, after_frame, wait_a_little, wait_until
from tests.support.browser.watch import PROBE, Allowance, Watch

_FOCUSED = """() => {
  const at = document.activeElement;
  if (at === document.body) return "";
  return at.getAttribute("aria-label") || at.innerText || at.name || at.id;
}"""
_FOCUSES_HEADING = "() => document.activeElement.tagName === 'H1'"
# A module that has arrived may not have run yet, and an answer may not show yet.
_SHOWS_ALL = """() =>
  document.querySelector("h1") !== null && document.querySelector("[aria-busy=true]") === null"""
FOLLOW = """(path) => {
  document.activeElement.blur();
  const link = document.createElement("a");
  link.href = path;
  document.body.append(link);
  link.click();
  link.remove();
}"""
_FETCH = "(path) => fetch(path, { cache: 'no-store' }).then(() => {}, () => {})"
_MAX_TABS = 80

type Address = str | Pattern[str] | Callable[[str], bool]


@dataclass(frozen=True)
class Screen:
    """A size, and whether fingers or a mouse point at it."""

    name: str
    width: int
    height: int
    is_touch: bool = False


PHONE = Screen("phone", 390, 844, is_touch=True)
DESKTOP = Screen("desktop", 1440, 900)


@dataclass(frozen=True)
class Tab:
    """A tab; `page` has the methods of Playwright."""

    page: Page
    watch: Watch
    screen: Screen

    @property
    def path(self) -> str:
        """Return path and query of the address."""
        url = urlsplit(self.page.url)
        return url.path + (f"?{url.query}" if url.query else "")

    def visit(self, path: str) -> None:
        """Open a path, and wait until the page has settled."""
        self.page.goto(self.watch.origin + path)
        self.settle()

    def follow(self, path: str) -> None:
        """Follow a link to a path, which loads no new document; wait as `visit` does.

        In a new tab, open the path.
        """
        if not self.page.url.startswith(self.watch.origin):
            self.visit(path)
            return
        self.page.evaluate(FOLLOW, path)
        # Each page moves the focus to its heading; until then, the previous page may show.
        wait_until(self.page, _FOCUSES_HEADING)
        assert self.path == path
        self.settle()

    def settle(self) -> None:
        """Wait until the page has shown the answers to its requests, and sends no others."""
        deadline = time.monotonic() + SECONDS
        is_quiet = False
        while not is_quiet:
            assert time.monotonic() < deadline, (
                f"busy, or open: {[each.url for each in self.watch.open]}"
            )
            if self.watch.open:
                wait_a_little(self.page)
            else:
                is_quiet = after_frame(self.page, _SHOWS_ALL) and not self.watch.open

    def axe(self) -> None:
        """Fail on an accessibility finding in the present state of the page."""
        found = axe.findings(self.page)
        assert not found, "\n".join(found)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def focused(self) -> str:
        """Return the name of the focused element, empty if none is focused."""
        name: str = self.page.evaluate(_FOCUSED)
        return " ".join(name.split())

    def tab_to(self, name: str, *, key: str = "Tab") -> None:
        """Press Tab until an element whose name contains `name` has the focus."""
        seen = [self.focused]
        while name not in seen[-1]:
            assert len(seen) < _MAX_TABS, f"no {name} among {seen}"
            self.press(key)
            seen.append(self.focused)

    @contextmanager
    def provoke(self, path: str, status: int = 0) -> Iterator[Allowance]:
        """Allow failures of a path that this block provokes; see Watch.provoke."""
        with self.watch.provoke(path, status) as allowance:
            yield allowance

    def route(
        self, url: Address, handler: Callable[[Route], object], times: int | None = None
    ) -> None:
        """Let a handler answer requests, from the next one on.

        Chromium confirms that it intercepts requests a moment before its renderer does: a request
        in between gets the service's answer, and Playwright tells of neither.
        """
        self.page.route(url, handler, times=times)
        caught: list[str] = []

        def catch(route: Route) -> None:
            caught.append(route.request.url)
            route.fulfill(status=204)

        def is_probe(url: str) -> bool:
            return url.endswith(PROBE)

        self.page.route(is_probe, catch)
        deadline = time.monotonic() + SECONDS
        # A tab without a page has a new renderer for its first one.
        while not caught and self.page.url != "about:blank":
            assert time.monotonic() < deadline, "the browser intercepts no request"
            self.page.evaluate(_FETCH, PROBE)
        self.page.unroute(is_probe)

    @contextmanager
    def answer(
        self, path: str, status: int, code: str, *, headers: dict[str, str] | None = None
    ) -> Iterator[Allowance]:
        """Answer calls of a path with an error in the API's envelope during the block."""
        error = {"code": code, "message": code, "requestId": "00000000-0000-4000-8000-000000000000"}
        body: dict[str, Any] = {"success": False, "error": error}

        def respond(route: Route) -> None:
            route.fulfill(status=status, json=body, headers=headers)

        self.route(lambda url: urlsplit(url).path == path, respond)
        with self.watch.provoke(path, status) as allowance:
            yield allowance
            self.page.unroute_all(behavior="wait")
            # A call that the page repeated meanwhile has the error, too.
            deadline = time.monotonic() + SECONDS
            while any(urlsplit(each.url).path == path for each in self.watch.open):
                assert time.monotonic() < deadline, f"{path} is still called"
                wait_a_little(self.page)

    @contextmanager
    def hold(self, path: str, query: str = "") -> Iterator[Held]:
        """Hold back the answers to calls of a path whose query contains a text, in the block."""
        held = Held(self.page)

        def fits(url: str) -> bool:
            parts = urlsplit(url)
            return parts.path == path and query in parts.query

        self.route(fits, held.take)
        yield held
        held.release()
        self.page.unroute(fits)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Disconnect the browser during the block, whose failed requests are provoked."""
        self.page.context.set_offline(offline=True)
        yield
        self.page.context.set_offline(offline=False)
        problems = self.watch.problems
        problems[:] = [each for each in problems if "INTERNET_DISCONNECTED" not in each]
