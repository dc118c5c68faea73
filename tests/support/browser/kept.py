"""Tabs that several tests use: the start of the page takes half of the time of a test."""

from dataclasses import dataclass
from typing import Literal

from tests.support.browser.tab import Screen, Tab

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


# The number of waiting requests is read each minute, which would fall into any test.
NO_POLL = """(() => {
  const every = window.setInterval;
  window.setInterval = (run, pause) => (pause < 60_000 ? every(run, pause) : 0);
})();"""


@dataclass(frozen=True)
class Profile:
    """The browser of a person: what the page may learn of it."""

    name: str | None
    screen: Screen
    language: str
    scheme: Literal["dark", "light"]
    zone: str


def can_rest(tab: Tab) -> bool:
    """Return whether a tab shows the page, and not what a test made up."""
    app = tab.page.locator("script[src$='/app.js']")
    return tab.page.url.startswith(tab.watch.origin) and app.count() == 1


def rest(tab: Tab) -> None:
    """Let a tab show a page of few words, without drafts, messages and kept answers."""
    first, *others = tab.page.context.pages
    assert first is tab.page
    for each in others:
        each.close()
    tab.page.unroute_all(behavior="ignoreErrors")
    tab.page.context.set_offline(offline=False)
    tab.follow(_REST)
    tab.page.evaluate(_FORGET)


def leave(tab: Tab) -> None:
    """Leave a long list at the end of a test: axe-core reads shorter ones of the same page."""
    tab.follow(_REST)
