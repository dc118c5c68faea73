"""Every page: navigation, small screens, large text, a lost network, a path that does not exist."""

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.support.api import ROOT
from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.icu import stretched
from tests.support.local import LocalService, database_of
from tests.web.admin.test_jobs import add_job
from tests.web.conftest import Browse

PATHS = [
    *("/", "/search?q=the", "/movie/603", "/tv/1396", "/requests", "/profile", "/about"),
    "/nothing",
]
ADMIN_PATHS = [
    *("/admin", "/admin/requests", "/admin/users", "/admin/servers", "/admin/servers/new"),
    *("/admin/rules", "/admin/jobs", "/admin/audit", "/admin/settings"),
]
WEB = ROOT / "web"
SMALL = Screen("small", 320, 640, is_touch=True)
# The spacing that WCAG 2.2, 1.4.12 asks a page to bear; it stands for wider fonts as well.
LARGE = """html { font-size: 200% !important }
* { letter-spacing: .12em !important; word-spacing: .16em !important; }"""
AT_FULL, AT_DOUBLE = {"at 100 %": ""}, {"at 200 % and spaced": LARGE}
SPACE = """(css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""
# Of the page, and of the browser's bar around it on a phone.
COLOURS = """() => {
  const metas = Array.from(document.querySelectorAll("meta[name=theme-color]"));
  const fits = metas.find((meta) => !meta.media || matchMedia(meta.media).matches);
  const value = getComputedStyle(document.documentElement).getPropertyValue("--bg");
  return [value.trim(), fits.content];
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

# Elements with an outline that forced colours draw.
OUTLINED = """() => Array.from(document.querySelectorAll("a, button, input"))
  .filter((e) => e.checkVisibility() && getComputedStyle(e).outlineStyle !== "none")
  .map((e) => e.innerText)"""
# Text that a box hides; a poster's name and a name of two lines may be longer than their room.
CUT_OFF = """() => Array.from(document.querySelectorAll("main *, nav *"))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && e.childNodes.length
    && getComputedStyle(e).overflowX === "hidden" && !e.closest(".vh, .poster, .card .name"))
  .map((e) => e.outerHTML)"""


def walk(tab: Tab, paths: list[str]) -> Iterator[str]:
    """Visit the first path and follow links to the others; yield each as soon as it shows."""
    for number, path in enumerate(paths):
        (tab.follow if number else tab.visit)(path)
        yield path


def use_font_of_the_system(tab: Tab) -> None:
    """Let the page's font fail to load: it may arrive late, and the system's is wider."""
    tab.route("**/*.woff2", lambda route: route.fulfill(status=200, body=b""))
    tab.watch.allow_console("font")


def check_width(tab: Tab, path: str, sizes: dict[str, str]) -> None:
    """On a small screen, at none of the sizes of text anything may be cut off."""
    for how, css in sizes.items():
        tab.page.evaluate(SPACE, css)
        wide = tab.page.evaluate(OVERFLOW) + tab.page.evaluate(CUT_OFF)
        assert not wide, (path, how, "\n".join(wide))


@pytest.fixture
def dead_job(people: People, service: LocalService) -> Iterator[None]:
    """Let a job have given up, which pages of the administration tell."""
    assert people.token("alice")
    add_job(service, 603, "dead")
    yield
    with database_of(service.data, {}) as connection:
        connection.execute("DELETE FROM jobs")


EVERY_PAGE = pytest.mark.parametrize(
    ("person", "paths"), [("bob", PATHS), ("alice", ADMIN_PATHS)], ids=["bob", "alice"]
)


@EVERY_PAGE
@pytest.mark.usefixtures("dead_job")
def test_every_page_fits_a_small_screen_and_large_text(
    browse: Browse, person: str, paths: list[str]
) -> None:
    tab = browse(person, screen=SMALL, language="de-DE")
    use_font_of_the_system(tab)
    for path in walk(tab, paths):
        check_width(tab, path, AT_FULL | AT_DOUBLE)


# The colours of a page depend on no width, so the large text and the light share the visits.
@EVERY_PAGE
@pytest.mark.usefixtures("dead_job")
def test_every_page_in_the_light_and_in_large_text(
    browse: Browse, person: str, paths: list[str]
) -> None:
    tab = browse(person, screen=SMALL, scheme="light")
    use_font_of_the_system(tab)
    for path in walk(tab, paths):
        tab.axe()
        # The third language has longer texts than English, so English is not checked at 100 %.
        check_width(tab, path, AT_DOUBLE)
        tab.page.evaluate(SPACE, "")
    background, bar = tab.page.evaluate(COLOURS)
    assert bar == background
    # The navigation beside the page has colours of its own.
    for screen in (DESKTOP, SMALL):
        tab.page.set_viewport_size({"width": screen.width, "height": screen.height})
        tab.axe()


@EVERY_PAGE
def test_a_third_language_needs_only_its_texts(
    browse: Browse, person: str, paths: list[str]
) -> None:
    tab = browse(person, screen=SMALL, language="fi-FI")
    use_font_of_the_system(tab)
    names = (WEB / "i18n.js").read_text().replace("LANGUAGES = {", 'LANGUAGES = { fi: "Suomi",')
    tab.route("**/i18n.js", lambda route: answer(route, names, "text/javascript"))
    for folder in ("locales", "locales/pages", "locales/admin"):
        texts = json.loads((WEB / folder / "en.json").read_text())
        longer = json.dumps({key: stretched(text) for key, text in texts.items()})
        url = f"**/{folder}/fi.json"
        tab.route(url, partial(answer, body=longer, content_type="application/json"))
    for path in walk(tab, paths):
        check_width(tab, path, AT_FULL)
    assert tab.page.locator("html").get_attribute("lang") == "fi"
    expect(tab.page.get_by_role("link", name="Requestøøøøs", exact=True)).to_be_visible()


def answer(route: Route, body: str, content_type: str) -> None:
    route.fulfill(body=body, content_type=content_type)


def test_a_path_that_does_not_exist(browse: Browse) -> None:
    tab = browse("bob")
    tab.visit("/nothing/here")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("This page does not exist")
    link = tab.page.get_by_role("link", name="Go to the start page")
    expect(link).to_have_attribute("href", "/")


def test_navigation_moves_focus_and_names_the_document(browse: Browse) -> None:
    tab = browse("bob", screen=DESKTOP)
    tab.visit("/about")
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
        expect(tab.page.get_by_role("alert")).to_contain_text("You are offline")
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
    tab.visit("/requests")
    tab.page.get_by_role("navigation").get_by_role("link", name="Search").tap()
    field = tab.page.get_by_label("Search for films and shows")
    field.fill("dune")
    field.press("Enter")
    expect(field).not_to_be_focused()
    tab.page.locator(".grid .card a").first.tap()
    heading = tab.page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Dune")
    tab.page.get_by_role("button", name="Request this film").tap()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.page.get_by_role("navigation").get_by_role("link", name="Requests").tap()
    expect(tab.page.locator(".row .what a")).to_contain_text("Dune")
    assert len(service.call("GET", "/api/media/requests", token=people.token("bob")).data) == 1


@pytest.mark.parametrize("slow", ["locales", "locales/admin"])
def test_the_administration_has_the_language_of_the_page_whichever_texts_come_first(
    browse: Browse, slow: str
) -> None:
    tab = browse("alice", language="de-DE")
    # From the second visit on, the page of the path is loaded beside the session.
    tab.visit("/profile")

    def delay(route: Route) -> None:
        time.sleep(0.5)
        route.continue_()

    tab.route(re.compile(rf"/assets/[^/]+/{slow}/[a-z]+\.json$"), delay)
    tab.visit("/admin/users")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Personen")
    expect(tab.page.get_by_role("navigation", name="Verwaltung")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Entdecken")).to_be_visible()


def test_the_open_section_is_in_sight_on_a_phone(browse: Browse) -> None:
    tab = browse("alice", screen=PHONE)
    for path in ("/admin/requests", "/admin/settings"):
        tab.visit(path)
        sections = tab.page.get_by_role("navigation", name="Administration")
        expect(sections.locator("[aria-current]")).to_be_in_viewport(ratio=1)


def test_a_database_that_wakes_up_is_told_and_the_page_comes_by_itself(browse: Browse) -> None:
    tab = browse("bob")
    with tab.answer("/api/auth/session", 503, "DATABASE_WAKING_UP", headers={"Retry-After": "2"}):
        tab.visit("/about")
        expect(
            tab.page.get_by_text("waking up. That takes about 15 seconds, sometimes a minute.")
        ).to_be_visible()
        expect(tab.page.get_by_role("heading", name="Please wait a moment")).to_be_visible()
    expect(tab.page.get_by_role("heading", level=1)).to_be_visible(timeout=15_000)
    expect(tab.page.get_by_text("waking up")).to_have_count(0)


def test_an_answer_that_cannot_be_shown_leaves_the_rest(browse: Browse) -> None:
    tab = browse("alice", screen=DESKTOP)
    job = {"id": "1", "kind": "later", "state": "paused", "attempts": 1, "payload": None}
    answers: dict[str, list[Any]] = {
        "/api/media/requests": [
            {"id": "2", "mediaType": "movie", "title": "Alien"},
            {"id": "5", "mediaType": "movie", "title": "Aliens", "requestedAt": None},
        ],
        "/api/admin/audit-logs": [{"id": "4", "action": "later.action", "details": None}],
        "/api/admin/servers": [{"id": "3", "kind": "radarr", "name": "Films", "state": "odd"}],
        "/api/admin/jobs": [job | {"error": {"code": "LATER", "message": "Words"}}],
    }

    def respond(route: Route) -> None:
        data = answers[urlsplit(route.request.url).path]
        more = {"page": 1, "limit": 20, "total": 1, "hasNext": False, "hasPrev": False}
        route.fulfill(json={"success": True, "data": data, "pagination": more})

    tab.route(lambda url: urlsplit(url).path in answers, respond)
    tab.visit("/requests")
    expect(tab.page.get_by_text("requested –")).to_have_count(2)
    tab.follow("/admin/jobs")
    expect(tab.page.get_by_text("Words")).to_be_visible()
    tab.follow("/admin/audit")
    expect(tab.page.get_by_text(": later.action")).to_be_visible()
    tab.follow("/admin/servers")
    expect(tab.page.get_by_role("link", name="Films")).to_be_visible()
    tab.watch.allow_console("TypeError")
    answers["/api/admin/servers"] = [None]
    tab.visit("/admin/servers")
    expect(tab.page.get_by_role("alert")).to_contain_text("Something went wrong in this page.")
    tab.page.get_by_role("navigation").get_by_role("link", name="Requests").click()
    expect(tab.page.get_by_role("link", name="Aliens")).to_be_visible()
    answers["/api/admin/servers"] = []
    tab.follow("/admin/servers")
    expect(tab.page.get_by_role("heading", name="Servers")).to_be_visible()


def test_forced_colours_show_the_focus_and_what_is_chosen(browse: Browse) -> None:
    tab = browse("bob", screen=DESKTOP, is_shared=False)
    tab.page.emulate_media(forced_colors="active")
    tab.visit("/search?q=the")
    tab.tab_to("All")
    tab.tab_to("The Dark Knight")
    outlined = tab.page.evaluate(OUTLINED)
    assert [name.split("\n")[0] for name in outlined] == ["Search", "All", "The Dark Knight"]


def test_a_screen_with_a_notch_hides_nothing(browse: Browse) -> None:
    tab = browse("bob", screen=Screen("landscape", 844, 390, is_touch=True))
    devtools = tab.page.context.new_cdp_session(tab.page)
    insets = {"left": 47, "right": 47, "bottom": 21}
    devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    tab.visit("/requests")
    for part in (
        tab.page.get_by_role("main"),
        tab.page.get_by_role("navigation").get_by_role("list"),
    ):
        box = part.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (47, 844 - 2 * 47)
