"""Collect what a browser reports while a test runs: every problem that the test did not provoke."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# A request of a test itself, for a file that exists.
PROBE = "/manifest.webmanifest?probe"
# Chromium logs it beside each response that is an error, which `_on_response` judges.
_FAILED_LOAD = "Failed to load resource"
# For each document of a context, so that its console has every violation.
REPORT_CSP = """
addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP", event.violatedDirective, event.blockedURI, event.sourceFile || "");
});
"""


@dataclass
class Allowance:
    """Failures that a test provokes: `status` of a path, or 0 for a request without an answer."""

    path: str
    status: int
    seen: int = 0

    def covers(self, path: str, status: int) -> bool:
        """Return whether this failure is provoked, and count it."""
        covered = status == self.status and path == self.path
        self.seen += covered
        return covered


@dataclass
class Watch:
    """The problems of one test, and the failures that it provokes."""

    origin: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    open: set[Request] = field(default_factory=set)
    _allowances: list[Allowance] = field(default_factory=list)
    _hosts: set[str] = field(default_factory=set)
    _messages: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        for event, listener in self._listeners().items():
            context.on(event, listener)

    def detach(self, context: BrowserContext) -> None:
        """Watch a context no more."""
        for event, listener in self._listeners().items():
            context.remove_listener(event, listener)

    def _listeners(self) -> dict[Any, Callable[[Any], None]]:
        return {
            "console": self._on_console,
            "weberror": self._on_error,
            "request": self._on_request,
            "requestfailed": self._on_failure,
            "requestfinished": self._on_finish,
            "response": self._on_response,
        }

    @contextmanager
    def provoke(self, path: str, status: int = 0) -> Iterator[Allowance]:
        """Allow responses with this status to calls of a path, or no answer at all, in the block.

        The test fails if none occurs.
        """
        allowance = Allowance(path, status)
        self._allowances.append(allowance)
        yield allowance
        self._allowances.remove(allowance)
        if not allowance.seen:
            self.problems.append(f"{path} did not fail with {status or 'no answer'}")

    def allow_host(self, origin: str) -> None:
        """Allow requests to another origin, such as Plex's sign-in page."""
        self._hosts.add(urlsplit(origin).netloc)

    def allow_console(self, text: str) -> None:
        """Allow console errors that contain a text."""
        self._messages.append(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        text = message.text
        if message.type not in {"error", "warning"} or text.startswith(_FAILED_LOAD):
            return
        if not any(each in text for each in self._messages):
            self.problems.append(f"console {message.type}: {text}")

    def _on_error(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        self.open.add(request)
        if not request.url.endswith(PROBE):
            self.requests.append(f"{request.method} {url.path}")
        if url.scheme in {"http", "https"} and url.netloc not in self._known():
            self.problems.append(f"request to another host: {request.url}")

    def _on_finish(self, request: Request) -> None:
        self.open.discard(request)

    def _on_failure(self, request: Request) -> None:
        self.open.discard(request)
        # The page aborts calls whose answers it no longer needs, and a navigation aborts the rest.
        if request.failure != "net::ERR_ABORTED":
            self._failed(request, 0, str(request.failure))

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and urlsplit(response.url).netloc not in self._hosts:
            self._failed(response.request, response.status, str(response.status))

    def _failed(self, request: Request, status: int, reason: str) -> None:
        path = urlsplit(request.url).path
        if not any(each.covers(path, status) for each in self._allowances):
            self.problems.append(f"{request.method} {path}: {reason}")

    def _known(self) -> set[str]:
        return {urlsplit(self.origin).netloc, *self._hosts}
