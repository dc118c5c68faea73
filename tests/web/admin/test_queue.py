"""/admin/requests: filter, decide one and many, by mouse and by keyboard, two admins at once."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser.kept import leave
from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.local import LocalService, database_of
from tests.web.admin.conftest import PASSWORD, Colleague
from tests.web.conftest import Browse, add_films

FILMS = {603: "The Matrix", 550: "Fight Club", 13: "Forrest Gump"}
REASON = "It is on the server already."
DECISIONS = "/api/admin/requests/decisions"
# As on a busy machine: a frame comes later than effects, which do not wait for it so long.
LATE_FRAMES = """() => {
  window.requestAnimationFrame = (callback) => setTimeout(callback, 300);
  window.cancelAnimationFrame = clearTimeout;
}"""
NOTE_WATCHER = """window.CloseWatcher = class extends CloseWatcher {
  constructor() { super(); window.back = this; }
};"""


@pytest.fixture
def made(people: People, service: LocalService) -> dict[str, str]:
    """Let bob request three films; return their ids by title, the newest last."""
    ids = {}
    for tmdb_id, title in FILMS.items():
        body = {"mediaType": "movie", "tmdbId": tmdb_id, "comment": f"{title}, please"}
        answer = service.call("POST", "/api/media/request", body=body, token=people.token("bob"))
        assert answer.status == 201, answer.text
        ids[title] = answer.data["id"]
    return ids


def queue(browse: Browse, screen: Screen = DESKTOP, path: str = "/admin/requests") -> Tab:
    """Open the queue as alice."""
    tab = browse("alice", screen=screen)
    tab.follow(path)
    return tab


def rows(tab: Tab) -> Locator:
    return tab.page.locator(".queue .row .what a[href^='/movie']")


def row(tab: Tab, title: str) -> Locator:
    return tab.page.locator(".queue .row").filter(has_text=title)


def status_of(service: LocalService, people: People, request: str) -> dict[str, Any]:
    answer = service.call("GET", f"/api/media/requests/{request}", token=people.token("alice"))
    data: dict[str, Any] = answer.data
    return data


def test_nothing_waits(browse: Browse) -> None:
    tab = queue(browse, PHONE)
    expect(tab.page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    link = tab.page.get_by_role("navigation", name="Main").get_by_role("link", name="Queue")
    expect(link).to_have_attribute("aria-current", "page")


@pytest.mark.usefixtures("made")
def test_requests_are_found_and_filtered(browse: Browse) -> None:
    tab = queue(browse, PHONE)
    expect(rows(tab)).to_have_text(["Forrest Gump", "Fight Club", "The Matrix"])
    expect(tab.page.get_by_role("button", name="Waiting 3")).to_be_visible()
    expect(tab.page.get_by_role("img", name="3 requests wait")).to_be_visible()
    tab.axe()
    tab.page.get_by_label("Sort").select_option("title")
    tab.page.wait_for_url("**/admin/requests?sort=title")
    expect(rows(tab)).to_have_text(["Fight Club", "Forrest Gump", "The Matrix"])
    tab.page.get_by_label("Search titles and people").fill("matr")
    tab.page.wait_for_url("**/admin/requests?sort=title&search=matr")
    expect(rows(tab)).to_have_text(["The Matrix"])
    expect(tab.page.get_by_role("button", name="Waiting 1")).to_be_visible()
    tab.page.reload()
    expect(rows(tab)).to_have_text(["The Matrix"])
    tab.page.get_by_label("Type").select_option("tv")
    expect(tab.page.get_by_role("heading", name="No request matches")).to_be_visible()


@pytest.mark.usefixtures("made")
def test_an_address_with_nonsense_shows_the_queue(browse: Browse) -> None:
    tab = queue(browse, path="/admin/requests?status=x&type=y&sort=z&page=-1&userId=me")
    expect(rows(tab)).to_have_count(3)


def test_one_requester(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    body = {"mediaType": "movie", "tmdbId": 680}
    service.call("POST", "/api/media/request", body=body, token=people.token("alice"))
    bob = status_of(service, people, made["The Matrix"])["userId"]
    tab = queue(browse, path=f"/admin/requests?status=all&userId={bob}")
    expect(rows(tab)).to_have_count(3)
    expect(tab.page.get_by_text("Only requests of bob")).to_be_visible()
    tab.page.get_by_role("button", name="Show those of everyone").click()
    expect(rows(tab)).to_have_count(4)


def test_one_is_approved_and_one_declined(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    tab = queue(browse, PHONE)
    tab.page.get_by_role("button", name="Approve The Matrix").click()
    expect(tab.page.get_by_text("“The Matrix” is approved.")).to_be_visible()
    expect(rows(tab)).to_have_text(["Forrest Gump", "Fight Club"])
    expect(tab.page.get_by_role("button", name="Waiting 2")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Approved 1")).to_be_visible()
    decline = tab.page.get_by_role("button", name="Decline Fight Club")
    decline.click()
    dialog = tab.page.get_by_role("dialog", name="Decline Fight Club")
    expect(dialog.get_by_role("textbox", name="Reason")).to_be_focused()
    tab.axe()
    dialog.get_by_role("button", name="Decline").click()
    expect(dialog.get_by_text("Write a reason")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    tab.press("Escape")
    expect(dialog).to_have_count(0)
    expect(decline).to_be_focused()
    decline.click()
    dialog.get_by_role("textbox", name="Reason").fill(REASON)
    dialog.get_by_role("button", name="Decline").click()
    expect(rows(tab)).to_have_text(["Forrest Gump"])
    assert status_of(service, people, made["The Matrix"])["status"] == "approved"
    assert status_of(service, people, made["Fight Club"])["reason"] == REASON
    tab.page.get_by_role("button", name="Declined 1").click()
    expect(row(tab, "Fight Club")).to_contain_text(REASON)


@pytest.mark.usefixtures("made")
def test_recent_reasons_are_offered(browse: Browse) -> None:
    tab = queue(browse)
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason").fill(REASON)
    dialog.get_by_role("button", name="Decline").click()
    expect(rows(tab)).to_have_count(2)
    tab.page.get_by_role("button", name="Decline Fight Club").click()
    expect(dialog.get_by_role("textbox", name="Reason")).to_have_value("")
    dialog.get_by_role("button", name=REASON).click()
    expect(dialog.get_by_role("textbox", name="Reason")).to_have_value(REASON)
    tab.axe()


@pytest.mark.usefixtures("made")
def test_a_typed_reason_survives_a_failure_and_a_reload(browse: Browse) -> None:
    tab = queue(browse)
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason").fill("Half a rea")
    # A selection of the text ends beside the dialog, which a click there would close.
    dialog.get_by_role("textbox", name="Reason").hover()
    tab.page.mouse.down()
    tab.page.mouse.move(5, 5)
    tab.page.mouse.up()
    expect(dialog).to_be_visible()
    tab.page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    with tab.offline():
        dialog.get_by_role("button", name="Decline").click()
        expect(dialog.get_by_text("The service cannot be reached.")).to_be_visible()
    tab.page.reload()
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    expect(dialog.get_by_role("textbox", name="Reason")).to_have_value("Half a rea")


def test_a_failure_is_told_where_the_admin_is_by_then(browse: Browse, made: dict[str, str]) -> None:
    tab = queue(browse)
    dialog = tab.page.get_by_role("dialog")
    path = f"/api/admin/requests/{made['Forrest Gump']}/decline"
    with tab.hold(path) as held, tab.watch.provoke(path):
        tab.page.get_by_role("button", name="Decline Forrest Gump").click()
        dialog.get_by_role("textbox", name="Reason").fill(REASON)
        dialog.get_by_role("button", name="Decline").click()
        held.wait()
        # The question waits for the answer.
        tab.press("Escape")
        dialog.get_by_role("button", name="Cancel").click()
        held.lose()
        expect(dialog.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    tab.press("Escape")
    expect(dialog).to_have_count(0)
    path = f"/api/admin/requests/{made['The Matrix']}/approve"
    with tab.hold(path) as held, tab.watch.provoke(path):
        tab.page.get_by_role("button", name="More about The Matrix").click()
        dialog.get_by_role("button", name="Approve").click()
        held.wait()
        tab.press("Escape")
        tab.page.get_by_role("button", name="Decline Fight Club").click()
        held.lose()
        said = "The Matrix: The service cannot be reached."
        expect(tab.page.get_by_text(said)).to_be_visible()
    expect(dialog.get_by_role("alert")).to_be_empty()
    expect(tab.page.get_by_role("dialog", name="Decline Fight Club")).to_be_visible()


def test_the_loser_of_two_admins_is_told_who_decided(
    browse: Browse,
    people: People,
    service: LocalService,
    made: dict[str, str],
    colleague: Colleague,
) -> None:
    tab = queue(browse)
    expect(rows(tab)).to_have_count(3)
    decline = f"/api/admin/requests/{made['The Matrix']}/decline"
    service.call("POST", decline, body={"reason": REASON}, token=colleague.token)
    service.call("DELETE", f"/api/media/requests/{made['Fight Club']}", token=people.token("bob"))
    with tab.watch.provoke(f"/api/admin/requests/{made['The Matrix']}/approve", 409):
        tab.page.get_by_role("button", name="Approve The Matrix").click()
        expect(row(tab, "The Matrix")).to_contain_text(f"{colleague.name} declined it")
    with tab.watch.provoke(f"/api/admin/requests/{made['Fight Club']}/approve", 404):
        tab.page.get_by_role("button", name="Approve Fight Club").click()
        expect(row(tab, "Fight Club")).to_contain_text("Its requester has cancelled it.")
    expect(tab.page.get_by_role("button", name=re.compile("Approve (The|Fight)"))).to_have_count(0)
    expect(tab.page.get_by_text("The queue has changed.")).to_be_visible()
    tab.axe()
    tab.page.get_by_role("button", name="Show the changes").click()
    expect(rows(tab)).to_have_text(["Forrest Gump"])


def test_many_are_selected_and_decided(
    browse: Browse,
    people: People,
    service: LocalService,
    made: dict[str, str],
    colleague: Colleague,
) -> None:
    tab = queue(browse, PHONE)
    expect(rows(tab)).to_have_count(3)
    approve = f"/api/admin/requests/{made['Fight Club']}/approve"
    service.call("POST", approve, body={}, token=colleague.token)
    tab.page.get_by_role("checkbox", name="Select all 3 shown").click()
    expect(tab.page.get_by_text("3 selected")).to_be_visible()
    tab.page.get_by_role("checkbox", name="Select The Matrix").click()
    tab.axe()
    tab.page.get_by_role("button", name="Approve 2").click()
    result = tab.page.get_by_role("region", name="1 request is approved.")
    expect(result).to_be_focused()
    expect(result.get_by_role("listitem")).to_contain_text(
        [re.compile(f"Fight Club.*{colleague.name} approved it")]
    )
    expect(rows(tab)).to_have_text(["Fight Club", "The Matrix"])
    tab.axe()
    result.get_by_role("button", name="Close this message").click()
    expect(result).to_have_count(0)
    statuses = {title: status_of(service, people, each)["status"] for title, each in made.items()}
    assert statuses == {
        "The Matrix": "pending",
        "Fight Club": "approved",
        "Forrest Gump": "approved",
    }


def test_many_are_declined_with_one_reason(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    tab = queue(browse)
    tab.page.get_by_role("checkbox", name="Select Forrest Gump").click()
    tab.page.get_by_role("checkbox", name="Select The Matrix").click(modifiers=["Shift"])
    tab.axe()
    tab.page.get_by_role("button", name="Decline 3").click()
    dialog = tab.page.get_by_role("dialog", name="Decline 3 requests")
    dialog.get_by_role("textbox", name="Reason").fill(REASON)
    dialog.get_by_role("button", name="Decline").click()
    expect(tab.page.get_by_role("region", name="3 requests are declined.")).to_be_focused()
    assert {status_of(service, people, each)["reason"] for each in made.values()} == {REASON}


def test_a_hundred_are_decided_and_three_conflicts_are_shown(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    chosen = add_films(people, service, 100)[40:43]
    tab = queue(browse)
    expect(tab.page.get_by_role("button", name="Waiting 100")).to_be_visible()
    tab.page.get_by_role("checkbox", name="Select all 100 shown").click()
    for request, _ in chosen[:2]:
        path = f"/api/admin/requests/{request}/decline"
        service.call("POST", path, body={"reason": "Too long"}, token=colleague.token)
    gone = f"/api/media/requests/{chosen[2][0]}"
    service.call("DELETE", gone, token=people.token("bob"))
    tab.page.get_by_role("button", name="Decline 100").click()
    dialog = tab.page.get_by_role("dialog", name="Decline 100 requests")
    dialog.get_by_role("textbox", name="Reason").fill(REASON)
    dialog.get_by_role("button", name="Decline").click()
    result = tab.page.get_by_role("region", name="97 requests are declined.")
    expect(result).to_be_focused()
    expect(result).to_contain_text("3 requests were not changed:")
    told = result.get_by_role("listitem")
    expect(told).to_have_count(3)
    for (_, title), text in zip(
        chosen,
        (f"{colleague.name} declined it",) * 2 + ("Its requester has cancelled it.",),
        strict=True,
    ):
        expect(told.filter(has_text=title)).to_contain_text(text)
        expect(row(tab, title)).to_contain_text(text)


def test_decisions_hide_none_of_the_rest_and_none_comes_back(
    browse: Browse, people: People, service: LocalService
) -> None:
    add_films(people, service, 205)
    tab = queue(browse)
    select_all = tab.page.get_by_role("checkbox", name=re.compile("Select all"))
    with tab.hold("/api/admin/requests", "page=2") as held:
        expect(select_all).to_have_accessible_name("Select all 100 shown")
        select_all.click()
        tab.page.get_by_role("button", name="Decline 100").click()
        dialog = tab.page.get_by_role("dialog", name="Decline 100 requests")
        dialog.get_by_role("textbox", name="Reason").fill(REASON)
        dialog.get_by_role("button", name="Decline").click()
        # The next ones take their place.
        expect(row(tab, "Film number 101")).to_be_attached()
        expect(select_all).to_have_accessible_name("Select all 100 shown")
        tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        held.wait()
        tab.page.get_by_role("button", name="Approve Film number 199").click()
        expect(select_all).to_have_accessible_name("Select all 99 shown")
    for number in (200, 205):
        expect(row(tab, f"Film number {number}")).to_be_attached()
        tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(select_all).to_have_accessible_name("Select all 104 shown")
    expect(tab.page.get_by_role("button", name="Waiting 104")).to_be_attached()
    expect(tab.page.get_by_text("The queue has changed.")).to_have_count(0)
    leave(tab)


def test_a_page_that_comes_later_does_not_hide_that_the_queue_has_changed(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    [(first, _), *_] = add_films(people, service, 102)
    tab = queue(browse)
    expect(tab.page.get_by_role("checkbox", name="Select all 100 shown")).to_be_visible()
    path = f"/api/admin/requests/{first}/decline"
    service.call("POST", path, body={"reason": REASON}, token=colleague.token)
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(row(tab, "Film number 102")).to_be_attached()
    # It reads the number of waiting requests when it gets the focus.
    tab.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(tab.page.get_by_role("button", name="Waiting 101")).to_be_attached()
    tab.settle()
    expect(tab.page.get_by_text("The queue has changed.")).to_be_attached()
    # A choice reads the list once more, and the number beside it.
    tab.page.get_by_label("Sort").select_option("title")
    expect(tab.page.get_by_role("button", name="Waiting 101")).to_be_attached()
    tab.settle()
    expect(tab.page.get_by_text("The queue has changed.")).to_have_count(0)
    leave(tab)


def test_an_answer_that_comes_after_another_filter_changes_no_other_list(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    approve = "/api/admin/requests/{}/approve"
    token = people.token("alice")
    service.call("POST", approve.format(made["Fight Club"]), body={}, token=token)
    tab = queue(browse)
    with tab.hold(approve.format(made["The Matrix"])) as held:
        tab.page.get_by_role("button", name="Approve The Matrix").click()
        held.wait()
        tab.page.get_by_role("button", name="Approved").click()
        expect(rows(tab)).to_have_text(["Fight Club", "The Matrix"])
    expect(tab.page.get_by_text("“The Matrix” is approved.")).to_be_visible()
    expect(rows(tab)).to_have_text(["Fight Club", "The Matrix"])
    tab.page.get_by_role("button", name="Waiting 1").click()
    expect(rows(tab)).to_have_text(["Forrest Gump"])


def test_a_bulk_call_that_fails_keeps_the_selection(browse: Browse, made: dict[str, str]) -> None:
    tab = queue(browse)
    tab.page.get_by_role("checkbox", name=f"Select all {len(made)} shown").click()
    with tab.offline():
        tab.page.get_by_role("button", name="Approve 3").click()
        expect(tab.page.get_by_text("The service cannot be reached.")).to_be_visible()
        expect(tab.page.get_by_text("3 selected")).to_be_visible()
    refused = [{"id": each, "error": error("SERVER_IN_USE")} for each in made.values()]
    answer = {"success": True, "data": refused}
    tab.route(f"**{DECISIONS}", lambda route: route.fulfill(json=answer))
    tab.page.get_by_role("button", name="Approve 3").click()
    result = tab.page.get_by_role("region", name="No request was approved.")
    expect(result.get_by_text("The server still fetches titles.")).to_have_count(3)
    expect(tab.page.get_by_role("button", name=re.compile("^Approve [TF]"))).to_have_count(3)
    tab.page.unroute(f"**{DECISIONS}")
    tab.page.get_by_role("button", name="Approve 3").click()
    expect(tab.page.get_by_role("region", name="3 requests are approved.")).to_be_focused()


def error(code: str) -> dict[str, str]:
    return {"code": code, "message": code, "requestId": "00000000-0000-4000-8000-000000000000"}


@pytest.mark.usefixtures("made")
def test_a_key_that_is_held_or_pressed_again_decides_once(browse: Browse) -> None:
    tab = queue(browse)
    expect(rows(tab)).to_have_count(3)
    # Playwright repeats a key that is down.
    for key in ("j", "j", "a"):
        tab.page.keyboard.down(key)
    tab.page.keyboard.up("j")
    expect(rows(tab)).to_have_text(["Forrest Gump", "The Matrix"])
    expect(rows(tab).nth(1)).to_be_focused()
    tab.page.keyboard.down("a")
    tab.settle()
    expect(rows(tab)).to_have_count(2)
    tab.page.keyboard.up("a")
    tab.press("x", "k", "x")
    expect(tab.page.get_by_text("2 selected")).to_be_visible()
    with tab.hold(DECISIONS) as held:
        tab.press("a", "a", "d")
        held.wait()
    expect(tab.page.get_by_role("region", name="2 requests are approved.")).to_be_focused()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    assert tab.watch.requests.count(f"POST {DECISIONS}") == 1


@pytest.mark.usefixtures("made")
def test_the_outcome_keeps_the_focus_when_the_browser_draws_late(browse: Browse) -> None:
    tab = browse("alice", screen=DESKTOP, is_shared=False)
    tab.visit("/admin/requests")
    tab.press("j", "x", "j", "x", "j", "x")
    expect(tab.page.get_by_text("3 selected")).to_be_visible()
    tab.page.evaluate(LATE_FRAMES)
    tab.press("a")
    outcome = tab.page.get_by_role("region", name="3 requests are approved.")
    expect(outcome).to_be_focused()
    tab.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    expect(outcome).to_be_focused()


def test_the_job_of_an_admin_by_keyboard_alone(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    tab = browse("alice", screen=DESKTOP)
    tab.visit("/about")
    tab.tab_to("Queue")
    tab.press("Enter")
    tab.page.wait_for_url("**/admin/requests")
    expect(tab.page.get_by_role("heading", level=1)).to_be_focused()
    expect(rows(tab)).to_have_count(3)
    expect(tab.page.get_by_role("img", name="3 requests wait")).to_be_visible()
    tab.press("j", "j", "k")
    expect(rows(tab).nth(0)).to_be_focused()
    tab.press("a")
    expect(rows(tab)).to_have_text(["Fight Club", "The Matrix"])
    expect(rows(tab).nth(0)).to_be_focused()
    tab.press("d")
    expect(tab.page.get_by_role("dialog").get_by_role("textbox", name="Reason")).to_be_focused()
    tab.page.keyboard.type(REASON)
    tab.tab_to("Decline")
    tab.press("Enter")
    expect(rows(tab)).to_have_text(["The Matrix"])
    expect(rows(tab).nth(0)).to_be_focused()
    tab.press("x")
    expect(tab.page.get_by_text("1 selected")).to_be_visible()
    tab.press("Escape")
    expect(tab.page.get_by_text("1 selected")).to_have_count(0)
    tab.press("/")
    expect(tab.page.get_by_label("Search titles and people")).to_be_focused()
    tab.page.keyboard.type("jadx")
    expect(tab.page.get_by_role("heading", name="No request matches")).to_be_visible()
    tab.press("Control+a", "Backspace")
    expect(rows(tab)).to_have_count(1)
    statuses = [status_of(service, people, each)["status"] for each in made.values()]
    assert statuses == ["pending", "declined", "approved"]


@pytest.mark.usefixtures("made")
def test_the_keys_are_explained_and_can_be_switched_off(browse: Browse) -> None:
    # The browser keeps the choice, so no other test may use this tab.
    tab = browse("alice", screen=DESKTOP, is_shared=False)
    tab.page.add_init_script(NOTE_WATCHER)
    tab.visit("/admin/requests")
    opener = tab.page.get_by_role("button", name="Keyboard shortcuts")
    opener.focus()
    tab.press("?")
    dialog = tab.page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    # As a phone's step back does.
    tab.page.evaluate("back.requestClose()")
    expect(opener).to_be_focused()
    tab.press("?")
    expect(dialog.get_by_role("heading", name="Keyboard")).to_be_focused()
    expect(dialog).to_contain_text("Approve it, or the selected ones")
    tab.axe()
    # The focus stays inside.
    for _ in range(4):
        tab.press("Tab")
        expect(dialog.locator(":focus")).to_have_count(1)
    dialog.get_by_role("checkbox", name="Use these keys").click()
    dialog.get_by_role("button", name="Close").click()
    expect(opener).to_be_focused()
    tab.press("j")
    expect(rows(tab).nth(0)).not_to_be_focused()
    tab.page.reload()
    tab.settle()
    tab.press("?")
    expect(dialog).to_have_count(0)


def test_the_server_of_an_approval_is_chosen(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    # A test of a server reads its profiles.
    alice = people.token("alice")
    [radarr, *_] = service.call("GET", "/api/admin/servers", token=alice).data
    path = f"/api/admin/servers/{radarr['id']}/test"
    assert service.call("POST", path, token=alice).status == 200
    tab = queue(browse)
    tab.page.get_by_role("button", name="More about The Matrix").click()
    dialog = tab.page.get_by_role("dialog", name="The Matrix")
    dialog.get_by_label("Server").select_option("Radarr")
    dialog.get_by_label("Quality profile").select_option(index=1)
    tab.axe()
    approve = f"/api/admin/requests/{made['The Matrix']}/approve"
    for code, text in {
        "TITLE_ON_OTHER_SERVER": "Another server has this title already.",
        # Without a state, it says nothing of a decision.
        "INVALID_STATE": "An admin has decided",
    }.items():
        with tab.answer(approve, 409, code):
            dialog.get_by_role("button", name="Approve with this choice").click()
            expect(dialog.get_by_text(text)).to_be_visible()
    dialog.get_by_role("button", name="Approve with this choice").click()
    expect(tab.page.get_by_text("“The Matrix” is approved.")).to_be_visible()
    found = service.call("GET", "/api/admin/requests", token=alice).data
    [matrix] = [each for each in found if each["id"] == made["The Matrix"]]
    assert matrix["fulfilment"]["server"]["name"] == "Radarr"


def test_an_approval_is_withdrawn(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    approve = f"/api/admin/requests/{made['The Matrix']}/approve"
    service.call("POST", approve, body={}, token=people.token("alice"))
    tab = queue(browse, path="/admin/requests?status=approved")
    tab.page.get_by_role("button", name="More about The Matrix").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Withdraw the approval").click()
    dialog = tab.page.get_by_role("dialog", name="Withdraw the approval of The Matrix")
    dialog.get_by_role("textbox", name="Reason").fill(REASON)
    dialog.get_by_role("button", name="Withdraw the approval").click()
    expect(tab.page.get_by_text("The approval of “The Matrix” is withdrawn.")).to_be_visible()
    expect(rows(tab)).to_have_count(0)
    assert status_of(service, people, made["The Matrix"])["status"] == "declined"


def test_a_failed_title_says_why_and_is_tried_again(
    browse: Browse, people: People, service: LocalService, made: dict[str, str]
) -> None:
    approve = f"/api/admin/requests/{made['The Matrix']}/approve"
    service.call("POST", approve, body={}, token=people.token("alice"))
    fail(service, made["The Matrix"], "REJECTED")
    tab = queue(browse, path="/admin/requests?status=approved")
    expect(row(tab, "The Matrix")).to_contain_text("Failed")
    expect(row(tab, "The Matrix")).to_contain_text("The server rejects the title. “REJECTED said.”")
    tab.axe()
    tab.page.get_by_role("button", name="Try again with The Matrix").click()
    expect(tab.page.get_by_text("“The Matrix” is handed over again.")).to_be_visible()
    own = browse("bob", language="de-DE")
    path = f"/requests/{made['The Matrix']}"
    own.visit(path)
    timeline = own.page.locator(".timeline")
    expect(timeline).to_contain_text(re.compile("Wartet|geholt"))
    for code, text in (
        ("TITLE_UNKNOWN", "Der Server kennt diesen Titel nicht."),
        ("CONNECTION_FAILED", "Die Übergabe an den Server hat nicht geklappt."),
    ):
        fail(service, made["The Matrix"], code)
        own.follow("/requests")
        own.follow(path)
        expect(timeline).to_contain_text(text)
        expect(timeline).not_to_contain_text("said")


def fail(service: LocalService, request: str, code: str) -> None:
    """Let the hand-over of a request fail with a code and a message of the server."""
    failure = {"class": "never", "code": code, "message": f"{code} said."}
    with database_of(service.data, {}) as connection:
        connection.execute(
            "UPDATE request_items SET fulfilment = 'failed', fulfilment_at = now(), failure = %s"
            " WHERE request_id = %s",
            (json.dumps(failure), request),
        )


def test_a_member_is_sent_away(browse: Browse) -> None:
    tab = browse("bob")
    tab.visit("/admin/requests")
    expect(
        tab.page.get_by_role("heading", name="Only admins can open this page").first
    ).to_be_visible()
    link = tab.page.get_by_role("navigation", name="Main").get_by_role("link", name="Queue")
    expect(link).to_have_count(0)


def test_an_admin_who_is_demoted_keeps_what_was_typed(
    browse: Browse,
    people: People,
    service: LocalService,
    made: dict[str, str],
    colleague: Colleague,
) -> None:
    tab = browse(screen=PHONE)
    tab.visit("/admin/requests")
    sign_in(tab, colleague)
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    reason = tab.page.get_by_role("dialog").get_by_role("textbox", name="Reason")
    reason.fill("Half a rea")
    account = f"/api/admin/users/{colleague.id}"
    service.call("PATCH", account, body={"role": "user"}, token=people.token("alice"))
    with tab.watch.provoke(f"/api/admin/requests/{made['The Matrix']}/decline", 401):
        tab.page.get_by_role("dialog").get_by_role("button", name="Decline").click()
        expect(tab.page.get_by_text("Your session has ended.")).to_be_visible()
    sign_in(tab, colleague)
    heading = tab.page.get_by_role("heading", name="Only admins can open this page")
    expect(heading.first).to_be_visible()
    tab.axe()
    service.call("PATCH", account, body={"role": "admin"}, token=people.token("alice"))
    tab.page.reload()
    sign_in(tab, colleague)
    tab.page.get_by_role("button", name="Decline The Matrix").click()
    expect(reason).to_have_value("Half a rea")


def test_a_session_that_ends_is_told_when_two_calls_are_refused(
    browse: Browse,
    people: People,
    service: LocalService,
    made: dict[str, str],
    colleague: Colleague,
) -> None:
    tab = browse(screen=DESKTOP)
    tab.visit("/admin/requests")
    sign_in(tab, colleague)
    expect(rows(tab)).to_have_count(3)
    sessions = f"/api/admin/users/{colleague.id}/sessions"
    service.call("DELETE", sessions, token=people.token("alice"))
    counts, approve = (
        "/api/admin/requests/counts",
        f"/api/admin/requests/{made['The Matrix']}/approve",
    )
    with tab.watch.provoke(counts, 401), tab.watch.provoke(approve, 401):
        with tab.hold(counts) as held:
            tab.page.evaluate("dispatchEvent(new Event('focus'))")
            held.wait()
            tab.page.get_by_role("button", name="Approve The Matrix").click()
            tab.page.wait_for_url("**/signin?next=*")
        tab.settle()
    ended = tab.page.get_by_text("Your session has ended. Sign in to go on")
    expect(ended).to_be_visible()
    # The end that one chooses is none, although a call may be refused on its way.
    sign_in(tab, colleague)
    expect(rows(tab)).to_have_count(3)
    tab.follow("/profile")
    with tab.watch.provoke(counts, 401), tab.hold("/api/auth/logout") as held:
        tab.page.get_by_role("button", name="Sign out", exact=True).click()
        held.wait()
        tab.page.evaluate("dispatchEvent(new Event('focus'))")
        tab.page.wait_for_url("**/signin?next=*")
    tab.page.wait_for_url("**/signin")
    tab.settle()
    expect(ended).to_have_count(0)


def sign_in(tab: Tab, colleague: Colleague) -> None:
    tab.page.get_by_label("E-mail or user name").fill(colleague.name)
    tab.page.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.page.get_by_role("button", name="Sign in", exact=True).click()
