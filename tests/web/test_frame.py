"""Every page: navigation, small screens, large text, a lost network, a path that does not exist."""

import pytest
from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen
from tests.support.local import LocalService
from tests.web.conftest import Browse

PATHS = ["/", "/search?q=the", "/movie/603", "/tv/1396", "/requests", "/profile", "/nothing"]
SMALL = Screen("small", 320, 640, is_touch=True)
# The spacing that WCAG 2.2, 1.4.12 asks a page to bear; it stands for wider fonts as well.
SPACED = "* { letter-spacing: .12em !important; word-spacing: .16em !important; }"
SPACE = """(css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""
OVERFLOW = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const right = (element) => Math.round(element.getBoundingClientRect().right);
  const all = Array.from(document.querySelectorAll("body *"));
  const wide = all.filter((e) => right(e) > clientWidth);
  const inner = wide.filter((e) => !wide.some((other) => e !== other && e.contains(other)));
  return [`${scrollWidth} > ${clientWidth}`, ...inner.map((e) => `${right(e)} ${e.outerHTML}`)];
}"""


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
def test_every_page_fits_a_small_screen_and_large_text(browse: Browse, language: str) -> None:
    tab = browse("bob", screen=SMALL, language=language)
    # The system's font is wider than the page's, which may arrive late.
    tab.page.route("**/*.woff2", lambda route: route.fulfill(status=200, body=b""))
    tab.watch.allow_console("font")
    for path in PATHS:
        tab.visit(path)
        tab.page.get_by_role("heading", level=1).first.wait_for(state="attached")
        tab.settle()
        wide = tab.page.evaluate(OVERFLOW)
        assert not wide, (path, "\n".join(wide))
        tab.page.evaluate("document.documentElement.style.fontSize = '200%'")
        wide = tab.page.evaluate(OVERFLOW)
        assert not wide, (path, "at 200 %", "\n".join(wide))
        tab.page.evaluate(SPACE, SPACED)
        wide = tab.page.evaluate(OVERFLOW)
        assert not wide, (path, "at 200 %, spaced", "\n".join(wide))


def test_every_page_in_the_light(browse: Browse, screen: Screen) -> None:
    tab = browse("bob", screen=screen, scheme="light")
    for path in PATHS:
        tab.visit(path)
        tab.axe()


def test_a_path_that_does_not_exist(browse: Browse) -> None:
    tab = browse("bob")
    tab.visit("/nothing/here")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("This page does not exist")
    tab.page.get_by_role("link", name="Go to the start page").click()
    tab.page.wait_for_url(tab.watch.origin + "/")


def test_navigation_moves_focus_and_names_the_document(browse: Browse) -> None:
    tab = browse("bob", screen=DESKTOP)
    tab.visit("/")
    tab.tab_to("Skip to the content")
    tab.press("Enter")
    expect(tab.page.get_by_role("main")).to_be_focused()
    tab.page.get_by_role("navigation").get_by_role("link", name="Requests").click()
    heading = tab.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your requests")
    expect(heading).to_be_focused()
    assert tab.page.title() == "Your requests · MediaNest"
    link = tab.page.get_by_role("navigation").get_by_role("link", name="Requests")
    expect(link).to_have_attribute("aria-current", "page")


def test_a_lost_network_is_told_and_the_page_goes_on(browse: Browse) -> None:
    tab = browse("bob")
    tab.visit("/requests")
    with tab.offline():
        expect(tab.page.get_by_text("You are offline.")).to_be_visible()
        tab.page.get_by_label("Type").select_option("movie")
        expect(tab.page.get_by_role("heading", name="You are offline")).to_be_visible()
        tab.axe()
    expect(tab.page.get_by_text("No request matches")).to_be_visible()


def test_the_main_job_by_keyboard_alone(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = browse(screen=DESKTOP)
    tab.watch.allow_host(people.plex_url)
    tab.visit("/")
    tab.tab_to("Sign in with Plex")
    tab.press("Enter")
    tab.page.wait_for_url("**/auth**")
    tab.tab_to("bob")
    tab.press("Enter")
    tab.page.wait_for_url(tab.watch.origin + "/")
    tab.page.get_by_role("heading", name="Popular films").wait_for()
    tab.tab_to("Search", key="Shift+Tab")
    tab.press("Enter")
    tab.page.wait_for_url("**/search")
    expect(tab.page.get_by_label("Search for films and shows")).to_be_focused()
    tab.page.keyboard.type("inception")
    expect(tab.page.locator(".grid .card").first).to_contain_text("Inception")
    tab.press("ArrowDown", "Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Inception")
    tab.tab_to("Request this film")
    tab.press("Enter")
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.tab_to("Details")
    tab.press("Enter")
    expect(tab.page.locator(".timeline")).to_contain_text("Waiting for an admin")
    [request] = service.call("GET", "/api/media/requests", token=people.token("bob")).data
    assert request["title"] == "Inception"


def test_the_main_job_by_touch(browse: Browse, people: People, service: LocalService) -> None:
    tab = browse("bob", screen=PHONE)
    tab.visit("/")
    tab.page.get_by_role("navigation").get_by_role("link", name="Search").tap()
    tab.page.get_by_label("Search for films and shows").fill("dune")
    tab.page.locator(".grid .card a").first.tap()
    heading = tab.page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Dune")
    tab.page.get_by_role("button", name="Request this film").tap()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.page.get_by_role("navigation").get_by_role("link", name="Requests").tap()
    expect(tab.page.locator(".row .what a")).to_contain_text("Dune")
    assert len(service.call("GET", "/api/media/requests", token=people.token("bob")).data) == 1
