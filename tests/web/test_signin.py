"""/signin: with Plex and with a local account, across reloads, tabs and refusals."""

import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, FOLLOW, Tab
from tests.support.local import LocalService, database_of
from tests.support.plex import approve, control
from tests.web.conftest import Browse

PASSWORD = "c0rrect-Horse-battery"
VERIFY = "/api/auth/plex/verify"
# After the sign-in it leads to a page that loads less than the start page.
ABOUT = "/signin?next=%2Fabout"


def begin(tab: Tab, people: People, path: str = "/signin") -> str:
    """Start a sign-in, come back from Plex's page without an approval; return the code."""
    tab.watch.allow_host(people.plex_url)
    tab.visit(path)
    tab.page.get_by_role("button", name="Sign in with Plex").click()
    tab.page.wait_for_url(re.compile("/auth"))
    tab.page.goto(tab.watch.origin + path)
    code = tab.page.locator(".code").inner_text()
    assert code
    return code


def local_account(people: People, service: LocalService) -> str:
    """Create a local account, and return its name."""
    name = f"local-{uuid4().hex[:12]}"
    body = {"email": f"{name}@example.com", "username": name, "password": PASSWORD, "role": "user"}
    answer = service.call("POST", "/api/admin/users", body=body, token=people.token("alice"))
    assert answer.status == 201, answer.text
    return name


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill the form of a local account, and send it."""
    page.get_by_label("E-mail or user name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_plex_returns_to_the_place_that_asked(browse: Browse, people: People, source: str) -> None:
    """The answer to a call that the navigation aborts would be lost, and an approval with it."""
    tab = browse(screen=DESKTOP)
    tab.watch.allow_host(people.plex_url)
    tab.visit("/movie/603")
    assert tab.path == "/signin?next=%2Fmovie%2F603"
    tab.axe()
    tab.page.get_by_role("button", name="Sign in with Plex").click()
    tab.page.wait_for_url(re.compile("/auth"))
    assert "POST /api/auth/plex/pin" in tab.watch.requests
    assert f"POST {VERIFY}" not in tab.watch.requests
    tab.page.get_by_role("button", name="bob").click()
    tab.page.wait_for_url("**/movie/603")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("The Matrix")
    # Not back to Plex.
    tab.page.get_by_role("link", name="Back", exact=True).click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Discover")
    tab.follow("/profile")
    expect(tab.page.get_by_text(source).first).to_be_visible()


def test_a_sign_in_waits_here_when_plex_s_page_does_not_come(
    browse: Browse, people: People
) -> None:
    tab = browse()
    tab.watch.allow_host(people.plex_url)
    # As a browser without https.
    tab.page.add_init_script("delete Navigator.prototype.clipboard")
    tab.route(re.compile(r":\d+/auth\b"), lambda route: route.fulfill(status=204))
    tab.visit("/signin")
    with tab.watch.provoke(VERIFY, 409):
        tab.page.get_by_role("button", name="Sign in with Plex").click(no_wait_after=True)
        tab.page.get_by_text("Waiting until Plex").wait_for()
        tab.settle()
        expect(tab.page.get_by_text("Copy the link for another device:")).to_be_visible()
        expect(tab.page.get_by_text(f"{people.plex_url}/auth")).to_be_visible()
        tab.page.get_by_role("button", name="Cancel this sign-in").click()
        expect(tab.page.get_by_role("button", name="Sign in with Plex")).to_be_visible()


def test_a_reload_and_a_second_tab_go_on_with_the_sign_in(
    browse: Browse, people: People, source: str
) -> None:
    tab = browse()
    with tab.watch.provoke(VERIFY, 409):
        code = begin(tab, people, ABOUT)
        tab.page.reload()
        expect(tab.page.locator(".code")).to_have_text(code)
        expect(tab.page.get_by_text(f"began from {source}")).to_be_visible()
        second = tab.page.context.new_page()
        second.goto(tab.watch.origin + ABOUT)
        expect(second.locator(".code")).to_have_text(code)
        tab.axe()
        approve(people.plex_url, code, "bob")
        for page in (second, tab.page):
            page.bring_to_front()
            page.wait_for_url("**/about")
            expect(page.get_by_role("navigation")).to_contain_text("bob")
    # The tab that asks last may find the handle used, and then sees the session of the other.
    used = f"POST {VERIFY}: 404"
    tab.watch.problems[:] = [each for each in tab.watch.problems if each != used]


def test_plex_that_is_down_can_be_tried_again_and_a_cancelled_sign_in_as_well(
    browse: Browse, people: People
) -> None:
    tab = browse()
    tab.watch.allow_host(people.plex_url)
    tab.visit("/signin")
    control(people.plex_url, "PUT", "fault", {"kind": "status", "status": 503})
    button = tab.page.get_by_role("button", name="Sign in with Plex")
    with tab.watch.provoke("/api/auth/plex/pin", 503):
        button.click()
        expect(tab.page.locator(".note.bad")).to_contain_text("Plex cannot be reached")
    control(people.plex_url, "DELETE", "fault")
    with tab.watch.provoke(VERIFY, 409):
        button.click()
        tab.page.wait_for_url(re.compile("/auth"))
        tab.page.goto(tab.watch.origin + "/signin")
        tab.page.get_by_text("Waiting until Plex").wait_for()
        tab.settle()
        tab.page.get_by_role("button", name="Cancel this sign-in").click()
    expect(button).to_be_visible()
    tab.page.reload()
    expect(button).to_be_visible()


def test_a_suspended_account_is_told_so(
    browse: Browse, people: People, service: LocalService
) -> None:
    admin, name = people.token("alice"), "kids"
    service.sign_in(people.plex_url, name)
    users = service.call("GET", "/api/admin/users", token=admin, query={"limit": "100"}).data
    [user] = [each for each in users if each.get("plexId") == "1005"]
    path = f"/api/admin/users/{user['id']}"
    service.call("PATCH", path, body={"status": "suspended"}, token=admin)
    tab = browse()
    # The page asks once a second until the refusal.
    with tab.watch.provoke(VERIFY, 409), tab.watch.provoke(VERIFY, 403):
        code = begin(tab, people, ABOUT)
        tab.page.get_by_text("Waiting until Plex").wait_for()
        tab.settle()
        approve(people.plex_url, code, name)
        expect(tab.page.locator(".note.bad")).to_contain_text("This account is suspended")
    service.call("PATCH", path, body={"status": "active"}, token=admin)
    tab.page.get_by_role("button", name="Sign in with Plex").click()
    tab.page.get_by_role("button", name=name).click()
    tab.page.wait_for_url("**/about")


def test_an_expired_sign_in_starts_again(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = browse()
    with (
        tab.watch.provoke(VERIFY, 409),
        tab.watch.provoke(VERIFY, 404),
        database_of(service.data, {}) as connection,
    ):
        begin(tab, people)
        tab.page.get_by_text("Waiting until Plex").wait_for()
        tab.settle()
        connection.execute("DELETE FROM signin_handles")
        expect(tab.page.locator(".note.bad")).to_contain_text("has expired")
    expect(tab.page.get_by_role("button", name="Sign in with Plex")).to_be_visible()


def test_a_local_account_signs_in(browse: Browse, people: People, service: LocalService) -> None:
    name = local_account(people, service)
    tab = browse()
    tab.visit("/signin?next=%2Frequests")
    # Else a phone mends the name.
    field = tab.page.get_by_label("E-mail or user name")
    expect(field).to_have_attribute("spellcheck", "false")
    expect(field).to_have_attribute("autocorrect", "off")
    sign_in(tab.page, name, "")
    expect(tab.page.get_by_text("Type your name and your password.")).to_be_visible()
    with tab.watch.provoke("/api/auth/login", 401):
        sign_in(tab.page, name, "wrong")
        expect(tab.page.get_by_text("The user name or password is wrong.")).to_be_visible()
    tab.page.get_by_role("button", name="Show password").click()
    expect(tab.page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    tab.axe()
    sign_in(tab.page, name, PASSWORD)
    tab.page.wait_for_url("**/requests")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Your requests")


def test_too_many_wrong_passwords_count_down(browse: Browse) -> None:
    tab = browse()
    tab.visit("/signin")
    with tab.answer("/api/auth/login", 429, "RATE_LIMITED", headers={"Retry-After": "2"}):
        sign_in(tab.page, "nobody", "wrong")
        expect(tab.page.locator("form .note.bad")).to_contain_text("a bit fast")
        expect(tab.page.get_by_role("button", name=re.compile("Trying again in"))).to_be_visible()
    expect(tab.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(tab.page.locator(".note.bad")).to_have_count(0)


def test_next_leads_to_no_other_site(browse: Browse) -> None:
    tab = browse("bob")
    # The titles on the start page do not matter here.
    empty = {"success": True, "data": []}
    tab.route("**/api/media/discover*", lambda route: route.fulfill(json=empty))
    for address in ("//example.com/", "https://example.com/", "/\\example.com", "/signin"):
        tab.follow("/nowhere")
        tab.page.evaluate(FOLLOW, f"/signin?next={address}")
        tab.page.wait_for_url(tab.watch.origin + "/")
        tab.settle()


def test_an_ended_session_asks_to_sign_in_and_keeps_what_was_typed(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = browse("carol", is_shared=False)
    tab.watch.allow_host(people.plex_url)
    tab.visit("/movie/680")
    tab.page.get_by_label("Note to the admins").fill("For Friday")
    token = service.sign_in(people.plex_url, "carol")
    service.call("POST", "/api/auth/logout", body={"allSessions": True}, token=token)
    with tab.watch.provoke("/api/media/request", 401):
        tab.page.get_by_role("button", name="Request this film").click()
        tab.page.wait_for_url("**/signin?next=%2Fmovie%2F680")
    expect(tab.page.get_by_role("alert").first).to_contain_text("Your session has ended")
    tab.page.get_by_role("button", name="Sign in with Plex").click()
    tab.page.get_by_role("button", name="carol").click()
    tab.page.wait_for_url("**/movie/680")
    expect(tab.page.get_by_label("Note to the admins")).to_have_value("For Friday")


def test_another_user_does_not_get_what_was_typed(
    browse: Browse, people: People, service: LocalService
) -> None:
    name = local_account(people, service)
    tab = browse("carol", is_shared=False)
    tab.visit("/movie/680")
    tab.page.get_by_label("Note to the admins").fill("Private")
    tab.follow("/profile")
    tab.page.get_by_role("button", name="Sign out", exact=True).click()
    tab.page.wait_for_url("**/signin")
    tab.visit("/signin?next=%2Fmovie%2F680")
    sign_in(tab.page, name, PASSWORD)
    tab.page.wait_for_url("**/movie/680")
    expect(tab.page.get_by_label("Note to the admins")).to_have_value("")


def test_a_sign_out_reaches_other_tabs(browse: Browse) -> None:
    tab = browse("carol", is_shared=False)
    tab.visit("/profile")
    second = tab.page.context.new_page()
    second.goto(tab.watch.origin + "/requests")
    second.get_by_role("heading", level=1).wait_for()
    tab.page.get_by_role("button", name="Sign out", exact=True).click()
    tab.page.wait_for_url("**/signin")
    second.wait_for_url("**/signin?next=%2Frequests")
