"""/requests and /requests/:id: filter and sort in the URL, outcomes, cancel."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.local import LocalService, database_of
from tests.web.conftest import Browse, add_films

FILMS = {603: "The Matrix", 550: "Fight Club", 13: "Forrest Gump"}
REASON = "Already on the server"


def request_films(people: People, service: LocalService) -> dict[int, Any]:
    """Let bob request three films, of which alice approves one and declines one."""
    made = {}
    for tmdb_id in FILMS:
        body = {"mediaType": "movie", "tmdbId": tmdb_id}
        answer = service.call("POST", "/api/media/request", body=body, token=people.token("bob"))
        made[tmdb_id] = answer.data["id"]
    admin = people.token("alice")
    service.call("POST", f"/api/admin/requests/{made[550]}/approve", body={}, token=admin)
    decline = f"/api/admin/requests/{made[13]}/decline"
    service.call("POST", decline, body={"reason": REASON}, token=admin)
    return made


def titles(tab: Tab) -> list[str]:
    """Return the titles of the rows."""
    tab.settle()
    return tab.page.locator(".row .what a").all_inner_texts()


def test_no_requests_yet(browse: Browse) -> None:
    tab = browse("bob")
    tab.follow("/requests")
    expect(tab.page.get_by_text("You have not requested anything yet")).to_be_visible()
    tab.page.get_by_role("main").get_by_role("link", name="Search").click()
    tab.page.wait_for_url("**/search")


def test_filter_and_sort_are_in_the_url(
    browse: Browse, people: People, service: LocalService
) -> None:
    made = request_films(people, service)
    with database_of(service.data, {}) as connection:
        # Less than 48 hours ago, at any time of the day.
        connection.execute(
            "UPDATE media_requests SET requested_at = date_trunc('day', now(), 'UTC')"
            " - interval '24 hours 1 second' WHERE id = %s",
            (made[603],),
        )
    tab = browse("bob", screen=DESKTOP)
    tab.follow("/requests")
    expect(tab.page.locator(".row").last).to_contain_text("requested 2 days ago")
    assert titles(tab) == ["Forrest Gump", "Fight Club", "The Matrix"]
    expect(tab.page.get_by_text(f"Reason: {REASON}")).to_be_visible()
    tab.axe()
    tab.page.get_by_label("Sort").select_option("title")
    tab.page.wait_for_url("**/requests?sort=title")
    assert titles(tab) == ["Fight Club", "Forrest Gump", "The Matrix"]
    tab.page.get_by_role("button", name="Declined").click()
    tab.page.wait_for_url("**/requests?status=declined&sort=title")
    assert titles(tab) == ["Forrest Gump"]
    tab.page.reload()
    assert titles(tab) == ["Forrest Gump"]
    tab.page.get_by_label("Type").select_option("tv")
    expect(tab.page.get_by_text("No request matches")).to_be_visible()
    tab.page.get_by_role("link", name="Show all").click()
    tab.page.wait_for_url("**/requests")
    assert len(titles(tab)) == 3


def test_one_request_tells_what_became_of_it(
    browse: Browse, people: People, service: LocalService
) -> None:
    made = request_films(people, service)
    tab = browse("bob")
    for tmdb_id, text in {603: "Waiting for an admin", 550: "Approved", 13: REASON}.items():
        (tab.follow if tmdb_id != 603 else tab.visit)(f"/requests/{made[tmdb_id]}")
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(FILMS[tmdb_id])
        expect(tab.page.locator(".timeline")).to_contain_text(text)
    tab.axe()
    tab.page.get_by_role("link", name="About this title").click()
    tab.page.wait_for_url("**/movie/13")


def test_a_request_is_cancelled_and_asked_again(
    browse: Browse, people: People, service: LocalService
) -> None:
    request_films(people, service)
    tab = browse("bob", is_shared=False)
    tab.page.clock.install()
    tab.follow("/requests?status=pending")
    tab.page.get_by_role("button", name="Cancel the request for The Matrix").press("Enter")
    expect(tab.page.get_by_text("No request matches")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Show all")).to_be_focused()
    # A message stays while its button has the focus.
    tab.page.get_by_role("button", name="Ask again").focus()
    tab.page.clock.fast_forward(13_000)
    tab.page.get_by_role("button", name="Ask again").click()
    expect(tab.page.locator(".row .what a")).to_have_text("The Matrix")
    tab.page.get_by_role("button", name="Cancel the request for The Matrix").click()
    # It is put into no list that shows others.
    tab.page.get_by_role("button", name="Declined").click()
    tab.page.get_by_role("button", name="Ask again").click()
    expect(tab.page.get_by_text("“The Matrix” is requested again.")).to_have_count(2)
    # Else each message is read with those before it.
    expect(tab.page.locator(".toasts")).to_have_attribute("aria-atomic", "false")
    assert titles(tab) == ["Forrest Gump"]
    tab.page.get_by_role("button", name="Waiting").click()
    expect(tab.page.locator(".row .what a")).to_have_text("The Matrix")
    tab.page.clock.fast_forward(13_000)
    expect(tab.page.locator(".toast")).to_have_count(0)


def test_a_title_that_is_written_from_right_to_left_stands_before_its_year(
    browse: Browse, people: People, service: LocalService
) -> None:
    request_films(people, service)
    with database_of(service.data, {}) as connection:
        connection.execute("UPDATE media_requests SET title = 'שלום', year = 1999")
    tab = browse("bob")
    tab.follow("/requests")
    title, year = tab.page.get_by_role("link", name="שלום"), tab.page.get_by_text("1999")
    boxes = title.first.bounding_box(), year.first.bounding_box()
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["x"] < boxes[1]["x"]


def test_requests_that_are_cancelled_hide_none_of_the_rest(
    browse: Browse, people: People, service: LocalService
) -> None:
    add_films(people, service, 25)
    tab = browse("bob")
    tab.follow("/requests")
    rows = tab.page.locator(".row .what a")
    expect(rows).to_have_count(20)
    for number in (1, 2, 3):
        name = f"Cancel the request for Film number {number}"
        tab.page.get_by_role("button", name=name, exact=True).click()
        expect(rows).to_have_count(20 - number)
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(rows).to_have_count(22)


def test_a_filter_shows_what_is_there_now(
    browse: Browse, people: People, service: LocalService
) -> None:
    made = request_films(people, service)
    tab = browse("bob")
    tab.follow("/requests?status=pending")
    assert titles(tab) == ["The Matrix"]
    approve = f"/api/admin/requests/{made[603]}/approve"
    service.call("POST", approve, body={}, token=people.token("alice"))
    tab.page.get_by_role("button", name="All", exact=True).click()
    assert len(titles(tab)) == 3
    tab.page.get_by_role("button", name="Waiting").click()
    expect(tab.page.get_by_text("No request matches")).to_be_visible()


def test_a_request_that_was_decided_meanwhile(
    browse: Browse, people: People, service: LocalService
) -> None:
    made = request_films(people, service)
    tab = browse("bob")
    tab.follow("/requests")
    approve = f"/api/admin/requests/{made[603]}/approve"
    service.call("POST", approve, body={}, token=people.token("alice"))
    with tab.watch.provoke(f"/api/media/requests/{made[603]}", 409):
        tab.page.get_by_role("button", name="Cancel the request for The Matrix").click()
        expect(tab.page.get_by_text("An admin has decided on this request")).to_be_visible()
    cancel = tab.page.get_by_role("button", name=re.compile("Cancel the request"))
    expect(cancel).to_have_count(0)


def test_a_request_that_another_tab_cancelled(
    browse: Browse, people: People, service: LocalService
) -> None:
    made = request_films(people, service)
    tab = browse("bob")
    tab.follow("/requests")
    service.call("DELETE", f"/api/media/requests/{made[603]}", token=people.token("bob"))
    with tab.watch.provoke(f"/api/media/requests/{made[603]}", 404):
        tab.page.get_by_role("button", name="Cancel the request for The Matrix").press("Enter")
        expect(tab.page.get_by_text("Your request for “The Matrix” is cancelled.")).to_be_visible()
    expect(tab.page.locator(".row .what a")).to_have_count(2)
    expect(tab.page.locator(".row .what a").last).to_be_focused()


def test_a_request_of_another_user_is_not_found(
    browse: Browse, people: People, service: LocalService
) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    answer = service.call("POST", "/api/media/request", body=body, token=people.token("alice"))
    path = f"/requests/{answer.data['id']}"
    tab = browse("bob")
    with tab.watch.provoke(f"/api/media{path}", 404):
        tab.follow(path)
        expect(tab.page.get_by_text("There is nothing here")).to_be_visible()


def test_back_and_forward_follow_the_pages(
    browse: Browse, people: People, service: LocalService
) -> None:
    request_films(people, service)
    tab = browse("bob")
    tab.follow("/requests?sort=title")
    tab.page.get_by_role("link", name="Fight Club").click()
    tab.page.wait_for_url(re.compile("/requests/"))
    tab.page.get_by_role("link", name="About this title").click()
    tab.page.wait_for_url("**/movie/550")
    tab.page.get_by_role("link", name="Back", exact=True).click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Fight Club")
    tab.page.wait_for_url(re.compile("/requests/"))
    tab.page.go_back()
    tab.page.wait_for_url("**/requests?sort=title")
    assert titles(tab) == ["Fight Club", "Forrest Gump", "The Matrix"]
    tab.page.go_forward()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Fight Club")
