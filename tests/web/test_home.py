"""/: rows of titles, each with its own state."""

from playwright.sync_api import Locator, expect

from tests.support.browser.people import People
from tests.support.browser.tab import Screen, Tab
from tests.support.local import LocalService
from tests.web.conftest import Browse

DISCOVER = "/api/media/discover"


def shelf(tab: Tab, heading: str) -> Locator:
    """Return a row by its heading."""
    return tab.page.locator("section").filter(has=tab.page.get_by_role("heading", name=heading))


# Of the first view, while its posters load.
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


def test_the_rows_show_titles_with_their_state_and_keep_their_place(
    browse: Browse, people: People, service: LocalService, screen: Screen
) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    made = service.call("POST", "/api/media/request", body=body, token=people.token("alice"))
    approve = f"/api/admin/requests/{made.data['id']}/approve"
    service.call("POST", approve, body={}, token=people.token("alice"))
    # In a browser that has no poster yet.
    tab = browse("bob", screen=screen, is_shared=False)
    tab.visit("/")
    assert tab.page.evaluate(SHIFT) <= 0.02
    requested = shelf(tab, "Recently requested here")
    expect(requested.get_by_role("link")).to_have_count(1)
    expect(requested.get_by_role("link")).to_contain_text("Approved")
    for heading in ("Trending this week", "Popular films", "Popular shows", "Coming soon"):
        expect(shelf(tab, heading).get_by_role("link").first).to_be_visible()
    tab.axe()
    requested.get_by_role("link").click()
    tab.page.wait_for_url("**/movie/603")


def test_a_row_that_fails_leaves_the_others(browse: Browse) -> None:
    tab = browse("bob")
    with tab.answer(DISCOVER, 503, "CATALOG_UNAVAILABLE", headers={"Retry-After": "2"}):
        tab.visit("/")
        expect(shelf(tab, "Popular films")).to_contain_text("TMDB, the catalogue")
        expect(tab.page.get_by_role("navigation")).to_be_visible()
        tab.axe()
    expect(shelf(tab, "Popular films").get_by_role("link").first).to_be_visible()
    expect(tab.page.get_by_text("Nobody has requested anything yet.")).to_be_visible()
