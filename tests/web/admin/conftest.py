"""Fixtures of the administration: alice's tab, and another admin, who acts through the API."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import axe
from tests.support.browser.people import People
from tests.support.browser.tab import PHONE, Screen, Tab
from tests.support.browser.wait import SECONDS
from tests.support.browser.watch import Watch
from tests.support.local import LocalService
from tests.support.sourced import SOURCE_HEADER
from tests.web.conftest import Browse

PASSWORD = "Correct-Horse-7"
# A page of few words, which asks the service for nothing.
_REST = "/nowhere"
_FORGET = """async () => {
  const drafts = Object.keys(sessionStorage).filter((key) => key !== "medianest.draft:owner");
  for (const each of drafts) sessionStorage.removeItem(each);
  for (const each of document.querySelectorAll(".toasts .close")) each.click();
  const { src } = document.querySelector("script[src$='/app.js']");
  const { forget } = await import(new URL("state/load.js", src));
  forget();
}"""
_numbers = count(1)
_kept: dict[tuple[Browser, Screen], Tab] = {}


@pytest.fixture(scope="session")
def watching(service: LocalService) -> Watch:
    """Return what watches the tabs that tests keep."""
    return Watch(service.url)


@pytest.fixture
def watch(watching: Watch) -> Iterator[Watch]:
    """Watch all tabs of a test; the test fails on a problem that it did not provoke."""
    vars(watching).update(vars(Watch(watching.origin)))
    yield watching
    assert not watching.problems, "\n".join(watching.problems)


@pytest.fixture
def browse(browse: Browse, chrome: Browser, watch: Watch, people: People) -> Iterator[Browse]:
    """Return `browse`; it gives alice the tab of an earlier test, unless options ask for another.

    That tab shows a page of few words, without drafts, messages and kept answers. A test that goes
    on from there by `tab.follow` saves the start of the page, which is half of its time;
    `tab.visit` and a reload do start it. A test that changes more of what the browser stores than
    drafts needs a tab of its own.
    """
    used: dict[tuple[Browser, Screen], Tab] = {}

    def open_tab(name: str | None = None, *, screen: Screen = PHONE, **options: Any) -> Tab:
        key = (chrome, screen)
        if name != "alice" or options or key in used:
            return browse(name, screen=screen, **options)
        used[key] = _kept.pop(key) if key in _kept else _new_tab(chrome, screen, watch, people)
        return used[key]

    yield open_tab
    for key, tab in used.items():
        watch.problems += axe.findings(tab.page)
        tab.page.unroute_all(behavior="ignoreErrors")
        tab.page.context.set_offline(offline=False)
        tab.follow(_REST)
        tab.page.evaluate(_FORGET)
        # A tab that cannot go back there is not used again.
        _kept[key] = tab


def leave(tab: Tab) -> None:
    """Leave a long list at the end of a test: axe-core reads shorter ones of the same page."""
    tab.follow(_REST)


def _new_tab(chrome: Browser, screen: Screen, watch: Watch, people: People) -> Tab:
    """Open a tab of alice, which stays open as long as the browser."""
    context = chrome.new_context(
        viewport={"width": screen.width, "height": screen.height},
        has_touch=screen.is_touch,
        is_mobile=screen.is_touch,
        locale="en-GB",
        timezone_id="UTC",
        color_scheme="dark",
        reduced_motion="reduce",
        extra_http_headers={SOURCE_HEADER: "198.18.255.1"},
        storage_state=people.state("alice"),
    )
    context.set_default_timeout(SECONDS * 1000)
    watch.attach(context)
    tab = Tab(context.new_page(), watch, screen)
    tab.visit(_REST)
    return tab


@dataclass(frozen=True)
class Colleague:
    """An admin with a local account."""

    id: str
    name: str
    token: str


@pytest.fixture
def colleague(people: People, service: LocalService, source: str) -> Iterator[Colleague]:
    """Create another admin, and delete the account after the test."""
    name = f"olga{next(_numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": "admin"}
    alice = people.token("alice")
    made = service.call("POST", "/api/admin/users", body=body, token=alice)
    assert made.status == 201, made.text
    login = {"identifier": name, "password": PASSWORD}
    signed_in = service.call("POST", "/api/auth/login", body=login, headers={SOURCE_HEADER: source})
    assert signed_in.status == 200, signed_in.text
    yield Colleague(made.data["id"], name, signed_in.data["token"])
    service.call("DELETE", f"/api/admin/users/{made.data['id']}", token=alice)
