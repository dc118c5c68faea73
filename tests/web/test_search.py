"""/search: as one types, by keyboard, page by page, and back at the same place."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.plex import control
from tests.web.conftest import Browse

SEARCH = "/api/media/search"
MARKUP = "<img src=x onerror=alert(1)>"
# Whether the page takes the key by which a browser steps back; headless Chromium does not step.
STEP_BACK = """() => {
  const keys = { key: "ArrowLeft", altKey: true, bubbles: true, cancelable: true };
  return !document.activeElement.dispatchEvent(new KeyboardEvent("keydown", keys));
}"""

# A list of `api` without an end, a film a page; within the page, which asks up to 50 times.
ENDLESS = """
const { fetch } = window;
window.fetch = (input, options) => {
  const url = new URL(input, location.href);
  if (url.pathname !== api) return fetch(input, options);
  const page = Number(url.searchParams.get("page"));
  const film = { id: `${page}`, mediaType: "movie", tmdbId: page, title: `Film ${page}` };
  if (api.includes("requests")) {
    Object.assign(film, { status: "approved", requestedAt: "2026-01-31T12:00:00Z" });
  }
  const pagination = { page, limit: 1, total: 10_000, hasNext: true, hasPrev: page > 1 };
  return Promise.resolve(Response.json({ success: true, data: [film], pagination }));
};
"""


def cards(tab: Tab) -> Locator:
    """Return the cards of the results."""
    return tab.page.locator(".grid .card a")


def calls(tab: Tab) -> int:
    """Return how many searches the page has sent."""
    return tab.watch.requests.count(f"GET {SEARCH}")


def test_results_come_as_one_types(browse: Browse) -> None:
    tab = browse("bob")
    tab.visit("/search")
    tab.axe()
    field = tab.page.get_by_label("Search for films and shows")
    expect(field).to_be_focused()
    field.press_sequentially("the matrix", delay=60)
    expect(cards(tab).first).to_contain_text("The Matrix")
    tab.settle()
    assert tab.path == "/search?q=the+matrix"
    assert 1 <= calls(tab) <= 4
    tab.page.get_by_role("button", name="Shows").click()
    tab.page.wait_for_url("**/search?q=the+matrix&type=tv")
    tab.page.reload()
    expect(field).to_have_value("the matrix")
    expect(tab.page.get_by_role("button", name="Shows")).to_have_attribute("aria-pressed", "true")


def test_an_older_answer_is_dropped(browse: Browse, people: People) -> None:
    tab = browse("bob")
    tab.visit("/search")
    field = tab.page.get_by_label("Search for films and shows")
    control(people.tmdb_url, "PUT", "fault", {"kind": "slow", "seconds": 2, "count": 1})
    with tab.page.expect_request(re.compile("q=alien")):
        field.fill("alien")
    field.fill("gladiator")
    expect(cards(tab).first).to_contain_text("Gladiator")
    tab.page.wait_for_timeout(2200)
    expect(cards(tab).first).to_contain_text("Gladiator")


def test_every_result_is_reached_by_keyboard(browse: Browse) -> None:
    tab = browse("bob", screen=DESKTOP)
    tab.follow("/search?q=the")
    expect(cards(tab)).to_have_count(20)
    tab.press("/")
    expect(tab.page.get_by_label("Search for films and shows")).to_be_focused()
    tab.press("ArrowDown")
    expect(cards(tab).nth(0)).to_be_focused()
    tab.press("ArrowRight", "ArrowRight")
    expect(cards(tab).nth(2)).to_be_focused()
    assert not tab.page.evaluate(STEP_BACK)
    expect(cards(tab).nth(2)).to_be_focused()
    tab.press("ArrowDown")
    row = tab.page.evaluate(
        "() => Math.round(document.activeElement.getBoundingClientRect().left)"
        " - Math.round(document.querySelectorAll('.grid .card a')[2].getBoundingClientRect().left)"
    )
    assert abs(row) <= 2
    tab.press("ArrowUp", "ArrowUp")
    expect(tab.page.get_by_label("Search for films and shows")).to_be_focused()
    tab.press("ArrowDown", "Enter")
    tab.page.wait_for_url(re.compile("/(movie|tv)/"))
    expect(tab.page.get_by_role("heading", level=1)).to_be_focused()


def test_back_shows_the_same_place_of_a_long_list(browse: Browse) -> None:
    tab = browse("bob")
    tab.follow("/search?q=the")
    expect(cards(tab)).to_have_count(20)
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(cards(tab).nth(30)).to_be_attached()
    tab.settle()
    assert "page=" in tab.path
    place, count = tab.path, cards(tab).count()
    cards(tab).nth(25).scroll_into_view_if_needed()
    tab.settle()
    before = tab.page.evaluate("scrollY")
    cards(tab).nth(25).click()
    tab.page.wait_for_url(re.compile("/(movie|tv)/"))
    tab.page.get_by_role("heading", level=1).wait_for()
    tab.page.go_back()
    tab.settle()
    assert tab.path == place
    expect(cards(tab)).to_have_count(count)
    assert abs(tab.page.evaluate("scrollY") - before) < 5
    tab.page.reload()
    expect(cards(tab)).to_have_count(count)


@pytest.mark.parametrize(
    ("path", "api", "pages"),
    [("/search?q=the&", SEARCH, 25), ("/requests?", "/api/media/requests", 50)],
)
def test_a_list_ends_with_the_last_page_that_its_url_may_have(
    browse: Browse, path: str, api: str, pages: int
) -> None:
    tab = browse("bob", is_shared=False)
    tab.page.add_init_script(f"const api = '{api}';{ENDLESS}")
    tab.follow(f"{path}page={pages - 1}")
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(tab.page.get_by_role("link", name=f"Film {pages}", exact=False)).to_be_attached()
    expect(tab.page.get_by_role("button", name="Show more")).to_have_count(0)
    expect(tab.page.get_by_text(f"The first {pages} are shown.")).to_be_visible()


def test_nothing_found_says_what_was_understood_and_shows_markup_as_text(browse: Browse) -> None:
    tab = browse("bob")
    tab.follow("/search?q=tmdb:999999999")
    expect(
        tab.page.get_by_text("TMDB number 999999999 belongs to no film or show.")
    ).to_be_visible()
    for words, text in {
        "qwrtzp": "No film and no show has “qwrtzp” in its title.",
        "Qwrtzp (1999)": "No film and no show of 1999 has “Qwrtzp” in its title.",
        MARKUP: f"has “{MARKUP}” in its title",
    }.items():
        tab.page.get_by_label("Search for films and shows").fill(words)
        expect(tab.page.get_by_text(text)).to_be_visible()


def test_a_catalogue_that_is_down_can_be_tried_again(browse: Browse, people: People) -> None:
    tab = browse("bob")
    control(people.tmdb_url, "PUT", "fault", {"kind": "status", "status": 503})
    with tab.watch.provoke(SEARCH, 503):
        tab.follow("/search?q=blade+runner")
        expect(tab.page.get_by_role("alert")).to_contain_text("TMDB, the catalogue of films")
        tab.axe()
        control(people.tmdb_url, "DELETE", "fault")
        retry = tab.page.get_by_role("button", name="Trying again")
        expect(retry).to_have_attribute("aria-disabled", "true")
        # The breaker opens again after the seconds that the refusal names; the page retries then.
        expect(cards(tab).first).to_contain_text("Blade Runner", timeout=40_000)


def test_a_rate_limit_counts_down_and_goes_on(browse: Browse) -> None:
    tab = browse("bob")
    with tab.answer(SEARCH, 429, "RATE_LIMITED", headers={"Retry-After": "2"}):
        tab.follow("/search?q=heat")
        expect(tab.page.get_by_text(re.compile(r"Trying again in \d second"))).to_be_visible()
        # Without the seconds, or it would be read again with each.
        expect(tab.page.get_by_role("alert")).to_have_text(re.compile(r"a bit fast\.$"))
    expect(cards(tab).first).to_contain_text("Heat")
