"""/movie/:id and /tv/:id: facts, one request whatever happens, and its states."""

from typing import Any

from playwright.sync_api import Route, expect

from tests.support.browser.people import People
from tests.support.browser.tab import Tab
from tests.support.local import LocalService, database_of
from tests.support.plex import control
from tests.web.conftest import Browse

REQUEST = "/api/media/request"


def requests_of(service: LocalService) -> list[Any]:
    """Return the rows of all requests."""
    with database_of(service.data, {}) as connection:
        return connection.execute("SELECT tmdb_id, status FROM media_requests").fetchall()


def ask(tab: Tab) -> None:
    """Press the button that requests a film."""
    tab.page.get_by_role("button", name="Request this film").click()


def test_a_film_is_requested_and_cancelled(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = browse("bob")
    tab.follow("/movie/603")
    expect(tab.page.get_by_text("An admin will decide on your request.")).to_be_visible()
    tab.axe()
    tab.page.get_by_label("Note to the admins").fill("For <b>Friday</b>")
    ask(tab)
    expect(tab.page.get_by_text("“The Matrix” is requested.")).to_be_visible()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.axe()
    [request] = service.call("GET", "/api/media/requests", token=people.token("bob")).data
    assert request["comment"] == "For <b>Friday</b>"
    tab.page.get_by_role("button", name="Cancel request").click()
    expect(tab.page.get_by_text("Your request for “The Matrix” is cancelled.")).to_be_visible()
    assert requests_of(service) == []
    tab.page.get_by_role("button", name="Ask again").click()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    [again] = service.call("GET", "/api/media/requests", token=people.token("bob")).data
    assert (again["tmdbId"], again["comment"]) == (603, "For <b>Friday</b>")


def test_a_double_click_makes_one_request(browse: Browse, service: LocalService) -> None:
    tab = browse("bob")
    tab.follow("/movie/550")
    tab.page.get_by_role("button", name="Request this film").dblclick()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.settle()
    assert tab.watch.requests.count(f"POST {REQUEST}") == 1
    assert len(requests_of(service)) == 1


def test_two_tabs_make_one_request(browse: Browse, service: LocalService) -> None:
    first = browse("bob")
    first.follow("/movie/13")
    second = Tab(first.page.context.new_page(), first.watch, first.screen)
    second.visit("/movie/13")
    ask(first)
    expect(first.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    with first.watch.provoke(REQUEST, 409):
        ask(second)
        expect(second.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    assert len(requests_of(service)) == 1


def test_a_lost_answer_makes_no_second_request(browse: Browse, service: LocalService) -> None:
    tab = browse("bob")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(keys) == 1:
            route.abort()
        elif len(keys) == 2:
            route.fulfill(body="<p>Sign in to this network</p>", content_type="text/html")
        else:
            route.fulfill(response=answer)

    tab.route(f"**{REQUEST}", lose)
    tab.follow("/movie/11")
    with tab.watch.provoke(REQUEST):
        ask(tab)
        expect(tab.page.get_by_text("The service cannot be reached.")).to_be_visible()
    ask(tab)
    expect(tab.page.get_by_text("Something went wrong in the service.")).to_be_visible()
    ask(tab)
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    assert keys == keys[:1] * 3
    assert len(requests_of(service)) == 1


def test_a_request_after_one_whose_answer_was_lost_and_that_was_cancelled(
    browse: Browse, service: LocalService
) -> None:
    tab = browse("bob")
    tab.follow("/movie/11")
    with tab.hold(REQUEST) as held, tab.watch.provoke(REQUEST):
        ask(tab)
        held.wait()
        held.lose()
        expect(tab.page.get_by_text("The service cannot be reached.")).to_be_visible()
    tab.page.reload()
    tab.page.get_by_role("button", name="Cancel request").click()
    tab.page.get_by_role("button", name="Ask again").click()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    assert len(requests_of(service)) == 1


def test_seasons_are_chosen(browse: Browse, people: People, service: LocalService) -> None:
    def announce(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["data"]["seasons"][-1] |= {"airDate": "2999-01-05", "number": 5019}
        route.fulfill(response=answer, json=body)

    tab = browse("bob", zone="America/New_York")
    tab.route("**/api/media/tv/1396", announce)
    tab.follow("/tv/1396")
    expect(tab.page.get_by_text("from January 5, 2999")).to_be_visible()
    expect(tab.page.get_by_role("checkbox", name="Season 5019")).to_be_visible()
    boxes = tab.page.get_by_role("checkbox")
    everything = tab.page.get_by_role("checkbox", name="All seasons")
    expect(everything).to_be_checked()
    expect(tab.page.get_by_role("checkbox", name="Specials")).not_to_be_checked()
    everything.click()
    expect(tab.page.get_by_text("Choose at least one season.")).to_be_visible()
    for number in (1, 3):
        tab.page.get_by_role("checkbox", name=f"Season {number}").check()
    tab.axe()
    tab.page.get_by_role("button", name="Request 2 seasons").click()
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    expect(boxes.and_(tab.page.get_by_label("Season 1"))).to_be_disabled()
    expect(tab.page.get_by_role("checkbox", name="Season 2")).to_be_enabled()
    [request] = service.call("GET", "/api/media/requests", token=people.token("bob")).data
    assert request["seasons"] == [1, 3]
    tab.follow("/search?q=breaking+bad")
    expect(tab.page.get_by_text("2 of 5 seasons")).to_be_visible()


def test_a_title_that_another_user_requested(
    browse: Browse, people: People, service: LocalService
) -> None:
    body = {"mediaType": "movie", "tmdbId": 155}
    answer = service.call("POST", REQUEST, body=body, token=people.token("alice"))
    assert answer.status == 201
    tab = browse("bob")
    tab.follow("/movie/155")
    expect(tab.page.get_by_text("Somebody else has requested this already.")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Request this film")).to_have_count(0)


def test_a_used_up_quota_is_told(browse: Browse, people: People, service: LocalService) -> None:
    admin = people.token("alice")
    users = service.call("GET", "/api/admin/users", token=admin, query={"limit": "100"}).data
    [carol] = [each for each in users if each["username"] == "carol"] or [None]
    if carol is None:
        service.sign_in(people.plex_url, "carol")
        users = service.call("GET", "/api/admin/users", token=admin, query={"limit": "100"}).data
        [carol] = [each for each in users if each["username"] == "carol"]
    path = f"/api/admin/users/{carol['id']}"
    quota = {"movies": {"limit": 1, "days": 7}}
    service.call("PATCH", path, body={"quota": quota}, token=admin)
    tab = browse("carol", is_shared=False)
    tab.follow("/movie/807")
    expect(tab.page.get_by_text("1 of 1 film left in a week")).to_be_visible()
    ask(tab)
    expect(tab.page.get_by_text("Your request waits for an admin.")).to_be_visible()
    tab.follow("/movie/769")
    expect(tab.page.get_by_text("This is more than you have left.")).to_be_visible()
    with tab.watch.provoke(REQUEST, 403):
        ask(tab)
        expect(tab.page.get_by_text("This is more than your quota has left.")).to_be_visible()
    service.call("PATCH", path, body={"quota": None}, token=admin)


def test_a_title_that_does_not_exist(browse: Browse) -> None:
    tab = browse("bob")
    with tab.watch.provoke("/api/media/movie/999999999", 404):
        tab.follow("/movie/999999999")
        expect(tab.page.get_by_text("There is nothing here")).to_be_visible()


def test_a_title_that_cannot_be_loaded_loads_after_a_retry(browse: Browse, people: People) -> None:
    tab = browse("bob")
    control(people.tmdb_url, "PUT", "fault", {"kind": "status", "status": 503})
    with tab.watch.provoke("/api/media/movie/862", 503):
        tab.follow("/movie/862")
        expect(tab.page.get_by_text("TMDB, the catalogue of films")).to_be_visible()
        control(people.tmdb_url, "DELETE", "fault")
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Toy Story", timeout=40_000)


def test_a_picture_that_fails_leaves_the_name(browse: Browse) -> None:
    tab = browse("bob")
    tab.route("**/images/**", lambda route: route.fulfill(status=200, body="no picture"))
    tab.follow("/movie/603")
    expect(tab.page.locator(".poster .none")).to_contain_text("The Matrix")
