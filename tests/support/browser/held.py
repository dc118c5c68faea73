"""Hold back answers of the service, so that a test decides in which order they arrive."""

import time
from dataclasses import dataclass, field

from playwright.sync_api import APIResponse, Page, Route

from tests.support.browser.wait import SECONDS, wait_a_little


@dataclass
class Held:
    """Calls that had their effect in the service, and whose answers the page does not have yet."""

    page: Page
    _answers: list[tuple[Route, APIResponse]] = field(default_factory=list)

    def take(self, route: Route) -> None:
        """Let the service answer a call, and keep the answer."""
        self._answers.append((route, route.fetch()))

    def wait(self, count: int = 1) -> None:
        """Wait until this many answers are held."""
        deadline = time.monotonic() + SECONDS
        while len(self._answers) < count:
            assert time.monotonic() < deadline, f"{len(self._answers)} of {count} calls were made"
            wait_a_little(self.page)

    def release(self) -> None:
        """Give the page the answers, in the order of the calls."""
        while self._answers:
            route, answer = self._answers.pop(0)
            route.fulfill(response=answer)

    def lose(self) -> None:
        """Drop the answers: the page cannot tell whether its calls had an effect."""
        while self._answers:
            self._answers.pop(0)[0].abort()
