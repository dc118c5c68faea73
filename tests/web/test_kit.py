"""The fixtures report what a browser reports, unless the test provoked it."""

import pytest
from playwright.sync_api import Page, Route

from tests.support.browser import axe
from tests.support.browser.tab import DESKTOP, Tab
from tests.web.conftest import Browse

PAGE = """<!doctype html><html lang="en"><head><title>Kit</title></head><body><main>
<h1>Kit</h1>{body}<button>First</button><button aria-label="Second"></button>
</main></body></html>"""
POLICY = "default-src 'self'"


def show(tab: Tab, *, body: str = "", script: str = "") -> Page:
    """Show a page of this test at the service's origin, under the page's policy."""

    def respond(route: Route) -> None:
        if route.request.url.endswith("kit.js"):
            route.fulfill(body=script, content_type="text/javascript")
        else:
            text = PAGE.format(body=f"{body}<script src='kit.js'></script>")
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(body=text, content_type="text/html", headers=headers)

    tab.route("**/kit/*", respond)
    tab.visit("/kit/page")
    return tab.page


@pytest.fixture
def tab(browse: Browse) -> Tab:
    return browse(screen=DESKTOP)


def test_a_problem_is_reported(tab: Tab) -> None:
    for script, problem in {
        "console.error('wrong')": "console error: wrong",
        "console.warn('odd')": "console warning: odd",
        "throw new Error('uncaught')": "uncaught: uncaught",
        "fetch('/api/auth/me').then((answer) => answer.text())": "GET /api/auth/me: 401",
        "document.body.setAttribute('style', 'color: red')": "style-src",
        "eval('1')": "Content Security Policy",
        "new Image().src = 'http://127.0.0.1:9/a.png'": "request to another host",
    }.items():
        show(tab, script=script)
        reported, tab.watch.problems[:] = [*tab.watch.problems], []
        assert any(problem in each for each in reported), (script, reported)


def test_a_page_without_problems_passes(tab: Tab) -> None:
    show(tab, body="<p>Text</p>", script="document.title = 'Changed'")
    assert tab.page.title() == "Changed"
    assert tab.watch.requests == ["GET /kit/page", "GET /kit/kit.js"]
    tab.axe()


def test_a_provoked_failure_is_no_problem(tab: Tab) -> None:
    page = show(tab)
    with tab.provoke("/api/auth/me", 401) as provoked:
        page.evaluate("() => fetch('/api/auth/me').then((answer) => answer.text())")
    assert provoked.seen == 1
    with tab.offline():
        page.evaluate("() => fetch('/api/health').catch(() => null)")
    with tab.answer("/api/health", 429, "RATE_LIMITED", headers={"Retry-After": "3"}):
        code = page.evaluate("() => fetch('/api/health').then((a) => a.json())")
    assert code["error"]["code"] == "RATE_LIMITED"


def test_a_failure_that_did_not_occur_is_a_problem(tab: Tab) -> None:
    show(tab)
    with tab.provoke("/api/health", 503):
        pass
    assert tab.watch.problems == ["/api/health did not fail with 503"]
    tab.watch.problems.clear()


def test_axe_reports_a_picture_without_a_text(tab: Tab) -> None:
    page = show(tab, body="<ul><li>One</li></ul>")
    assert axe.findings(page) == []
    # The same page but for words and a row more is not checked again, another one is.
    page.evaluate("document.querySelector('ul').innerHTML = '<li>1</li><li>2</li>'")
    assert axe.findings(page) == []
    page.evaluate("document.querySelector('ul').innerHTML += '<li>3<input></li>'")
    [finding] = axe.findings(page)
    assert finding.startswith("axe label: ")
    assert finding.endswith("(input)")
    assert axe.findings(page) == [finding]
    page.evaluate("document.querySelector('input').ariaLabel = 'Three'")
    assert axe.findings(page) == []


def test_the_keyboard_reaches_an_element_by_its_name(tab: Tab) -> None:
    show(tab)
    tab.tab_to("Second")
    assert tab.focused == "Second"
    with pytest.raises(AssertionError, match="no Third among"):
        tab.tab_to("Third")


def test_a_session_is_signed_in_once_and_shared(browse: Browse) -> None:
    roles = {}
    for name in ("alice", "bob"):
        page = show(browse(name))
        me = page.evaluate("() => fetch('/api/auth/me').then((answer) => answer.json())")
        roles[name] = me["data"]["role"]
    assert roles == {"alice": "admin", "bob": "user"}


def test_each_test_calls_from_an_address_of_its_own(browse: Browse, source: str) -> None:
    page = show(browse("bob", is_shared=False))
    sessions = page.evaluate("() => fetch('/api/auth/me').then((answer) => answer.status)")
    assert sessions == 200
    assert source.startswith("198.18.")
