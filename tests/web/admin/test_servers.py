"""/admin/servers, /admin/servers/new and /admin/servers/:id: add, test, change and delete."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.local import LocalService, eventually
from tests.web.conftest import Browse

KEY = "7d1f0c52a9e84b3fb6c01e5d94a7f238"


@pytest.fixture
def servers(people: People, service: LocalService) -> Iterator[dict[str, Any]]:
    """Return the registered stand-ins by name; delete the others after the test."""
    token = people.token("alice")
    found = service.call("GET", "/api/admin/servers", token=token).data
    before = {each["name"]: each for each in found}
    yield before
    for each in service.call("GET", "/api/admin/servers", token=token).data:
        path = f"/api/admin/servers/{each['id']}"
        if each["id"] not in {known["id"] for known in before.values()}:
            service.call("DELETE", path, token=token)
        elif each["name"] in before:
            options = before[each["name"]]["options"]
            body = {"enabled": True, "isDefault": True, "options": options}
            service.call("PATCH", path, body=body, token=token)


def add(service: LocalService, token: str, url: str, **fields: Any) -> Any:
    """Add a Radarr through the API, and return it."""
    body = {"kind": "radarr", "name": "Second", "baseUrl": url, "apiKey": KEY, **fields}
    answer = service.call("POST", "/api/admin/servers", body=body, token=token)
    assert answer.status == 201, answer.text
    return answer.data


def save(tab: Tab) -> None:
    """Save the form of a server."""
    tab.page.get_by_role("button", name="Save", exact=True).click()


def test_servers_are_listed_with_their_states(browse: Browse, servers: dict[str, Any]) -> None:
    tab = browse("alice")
    tab.visit("/admin/servers")
    row = tab.page.locator(".row", has_text="Radarr, films")
    expect(row.get_by_role("link", name="Radarr")).to_be_visible()
    expect(row).to_contain_text("default for films")
    expect(row).to_contain_text(servers["Radarr"]["baseUrl"])
    expect(tab.page.locator(".row", has_text="Sonarr, shows")).to_have_count(1)
    tab.axe()
    row.get_by_role("link", name="Radarr").click()
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("Radarr")


def test_a_server_is_added_by_keyboard_tested_and_set_up(
    browse: Browse, servers: dict[str, Any]
) -> None:
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/servers")
    tab.tab_to("Add a server")
    tab.press("Enter")
    expect(tab.page.get_by_role("heading", name="Add a server")).to_be_focused()
    trust = tab.page.get_by_role("region", name="How the service uses address and key")
    expect(trust).to_contain_text("are stored encrypted")
    tab.tab_to("server-name")
    tab.page.keyboard.type("Second films")
    tab.press("Tab")
    tab.page.keyboard.type(servers["Radarr"]["baseUrl"] + "/")
    expect(tab.page.get_by_text("An http address sends the API key unencrypted")).to_be_visible()
    tab.tab_to("server-key")
    tab.page.keyboard.type(KEY)
    tab.press("Enter")
    tab.page.wait_for_url(re.compile("/admin/servers/[0-9a-f-]{36}$"))
    expect(tab.page.get_by_text("••••")).to_be_visible()
    expect(tab.page.locator(".chosen")).to_contain_text(KEY[-4:])
    assert KEY not in tab.page.content()
    tab.page.get_by_role("button", name="Test now").click()
    expect(tab.page.get_by_text("It answers: version")).to_be_visible()
    expect(tab.page.get_by_text("Profiles, folders and tags", exact=True)).to_be_visible()
    tab.page.get_by_label("Quality profile").select_option(label="HD-1080p")
    tab.page.get_by_label("Root folder").select_option(label="/media/films-4k · 2 TB free")
    tab.page.get_by_label("Tags").first.fill("second")
    tab.press("Enter")
    save(tab)
    expect(tab.page.get_by_text("Second films is saved.")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_label("Root folder")).to_have_value("/media/films-4k")
    expect(tab.page.locator(".picks")).to_contain_text("second")


def test_bad_input_says_what_to_do_and_keeps_the_text(
    browse: Browse, servers: dict[str, Any]
) -> None:
    tab = browse("alice")
    tab.follow("/admin/servers/new")
    tab.page.get_by_role("button", name="Add server").click()
    expect(tab.page.get_by_text("Give it a name.")).to_be_visible()
    expect(tab.page.get_by_label("Name", exact=True)).to_be_focused()
    tab.axe()
    tab.page.get_by_label("Name", exact=True).fill("Radarr")
    tab.page.get_by_label("Address", exact=True).fill("https://user@radarr.example.org")
    tab.page.locator("#server-key").fill(KEY)
    with tab.provoke("/api/admin/servers", 400):
        tab.page.get_by_role("button", name="Add server").click()
        expect(tab.page.get_by_text("This address is refused.")).to_be_visible()
    expect(tab.page.get_by_label("Address", exact=True)).to_be_focused()
    tab.page.get_by_label("Address", exact=True).fill(servers["Radarr"]["baseUrl"])
    with tab.provoke("/api/admin/servers", 400):
        tab.page.get_by_role("button", name="Add server").click()
        expect(tab.page.get_by_text("Another server has this name.")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_label("Name", exact=True)).to_have_value("Radarr")
    expect(tab.page.locator("#server-key")).to_have_value("")
    tab.page.get_by_role("button", name="Discard changes").click()
    expect(tab.page.get_by_label("Name", exact=True)).to_have_value("")


def test_a_failed_test_tells_what_to_do(
    browse: Browse, people: People, service: LocalService, servers: dict[str, Any]
) -> None:
    url = servers["Sonarr"]["baseUrl"]
    made = add(service, people.token("alice"), url, apiKey="wrong-key-0000", isDefault=False)
    tab = browse("alice")
    tab.follow(f"/admin/servers/{made['id']}")
    tab.page.get_by_role("button", name="Test now").click()
    failure = tab.page.locator(".note.bad", has_text="The test failed.")
    expect(failure).to_contain_text("The server rejects the API key")
    expect(failure).to_contain_text("(KEY_REJECTED)")
    tab.axe()

    def is_parked() -> bool:
        tab.follow("/admin/servers")
        tab.follow(f"/admin/servers/{made['id']}")
        return tab.page.get_by_text("Misconfigured").count() == 1

    eventually(is_parked)


def test_another_address_asks_for_the_key_again(
    browse: Browse, people: People, service: LocalService, servers: dict[str, Any]
) -> None:
    url = servers["Radarr"]["baseUrl"]
    headers = {"CF-Access-Client-Id": "some.access"}
    made = add(service, people.token("alice"), url, headers=headers)
    tab = browse("alice")
    tab.follow(f"/admin/servers/{made['id']}")
    expect(tab.page.get_by_text("CF-Access-Client-Id: ••••")).to_be_visible()
    tab.page.get_by_label("Address", exact=True).fill(f"{url}/base")
    expect(tab.page.get_by_text("belong to the old address")).to_be_visible()
    save(tab)
    expect(tab.page.get_by_text("Type the API key.")).to_be_visible()
    tab.page.locator("#server-key").fill(KEY)
    save(tab)
    expect(tab.page.get_by_text("Second is saved.")).to_be_visible()
    read = service.call("GET", f"/api/admin/servers/{made['id']}", token=people.token("alice")).data
    assert (read["baseUrl"], read["hasKey"], read["headerNames"]) == (f"{url}/base", True, [])


def test_two_admins_change_the_same_server(
    browse: Browse, people: People, service: LocalService, servers: dict[str, Any]
) -> None:
    token = people.token("alice")
    made = add(service, token, servers["Radarr"]["baseUrl"])
    path = f"/api/admin/servers/{made['id']}"
    tab = browse("alice")
    tab.follow(f"/admin/servers/{made['id']}")
    tab.page.get_by_label("Name", exact=True).fill("Mine")
    service.call("PATCH", path, body={"name": "Theirs", "enabled": False}, token=token)
    save(tab)
    conflict = tab.page.get_by_role("alert").filter(has_text="Another admin has changed this")
    expect(conflict).to_contain_text("name: Theirs")
    expect(tab.page.get_by_label("Name", exact=True)).to_have_value("Mine")
    tab.page.get_by_role("button", name="Save mine over it").click()
    expect(tab.page.get_by_text("Mine is saved.")).to_be_visible()
    read = service.call("GET", path, token=token).data
    assert (read["name"], read["enabled"]) == ("Mine", False)
    tab.page.get_by_label("Name", exact=True).fill("Mine again")
    service.call("DELETE", path, token=token)
    with tab.provoke(path, 404):
        save(tab)
        expect(tab.page.get_by_text("Another admin has deleted this server")).to_be_visible()
    expect(tab.page.get_by_label("Name", exact=True)).to_have_value("Mine again")


def test_a_server_is_deleted_unless_it_fetches_titles(
    browse: Browse, people: People, service: LocalService, servers: dict[str, Any]
) -> None:
    made = add(service, people.token("alice"), servers["Radarr"]["baseUrl"])
    path = f"/api/admin/servers/{made['id']}"
    tab = browse("alice", screen=DESKTOP)
    tab.follow(f"/admin/servers/{made['id']}")
    ask = tab.page.get_by_role("button", name="Delete Second")
    ask.click()
    dialog = tab.page.get_by_role("dialog", name="Delete Second?")
    tab.axe()
    tab.press("Escape")
    expect(dialog).to_have_count(0)
    expect(ask).to_be_focused()
    ask.click()
    with tab.answer(path, 409, "SERVER_IN_USE"):
        dialog.get_by_role("button", name="Delete server").click()
        expect(dialog).to_contain_text("The server still fetches titles.")
    dialog.get_by_role("button", name="Delete server").click()
    tab.page.wait_for_url("**/admin/servers")
    expect(tab.page.get_by_role("link", name="Second")).to_have_count(0)


def test_what_was_approved_before_a_server_is_handed_over(
    browse: Browse, people: People, service: LocalService, servers: dict[str, Any]
) -> None:
    alice, bob = people.token("alice"), people.token("bob")

    def enable(name: str, *, enabled: bool) -> None:
        path = f"/api/admin/servers/{servers[name]['id']}"
        service.call("PATCH", path, body={"enabled": enabled}, token=alice)

    enable("Radarr", enabled=False)
    enable("Sonarr", enabled=False)
    for title in ({"mediaType": "movie", "tmdbId": 603}, {"mediaType": "tv", "tmdbId": 1399}):
        made = service.call("POST", "/api/media/request", body=title, token=bob)
        path = f"/api/admin/requests/{made.data['id']}/approve"
        assert service.call("POST", path, body={}, token=alice).status == 200
    tab = browse("alice")
    tab.follow("/admin/servers")
    hand_over = tab.page.get_by_role("button", name="Hand over these titles")
    expect(hand_over).to_have_count(0)
    tab.follow("/admin/servers/new")
    expect(tab.page.get_by_role("checkbox", name="Default for films")).to_be_checked()
    enable("Radarr", enabled=True)
    tab.follow("/admin/servers")
    tab.follow("/admin/servers/new")
    expect(tab.page.get_by_role("checkbox", name="Default for films")).not_to_be_checked()
    tab.page.get_by_role("button", name="Sonarr, shows").click()
    expect(tab.page.get_by_role("checkbox", name="Default for shows")).to_be_checked()
    tab.follow("/admin/servers")
    adopt = "/api/admin/fulfilment/adopt"
    with tab.answer(adopt, 503, "DATABASE_CONNECTION_ERROR"):
        hand_over.click()
        expect(tab.page.get_by_text("The service cannot reach its database")).to_be_visible()
    part = {"success": True, "data": {"queued": 2000, "skipped": 0, "more": True}}
    tab.route(f"**{adopt}", lambda route: route.fulfill(json=part), times=1)
    hand_over.click()
    expect(tab.page.get_by_text("2,001 titles now wait for their servers.")).to_be_visible()
    expect(tab.page.get_by_text("1 title stays by hand")).to_be_visible()
    hand_over.click()
    expect(tab.page.get_by_text("There was no title to hand over.")).to_be_visible()


def test_no_server_and_an_error(browse: Browse) -> None:
    tab = browse("alice")
    with tab.answer("/api/admin/servers", 503, "DATABASE_CONNECTION_ERROR"):
        tab.follow("/admin/servers")
        expect(tab.page.get_by_text("The service cannot reach its database")).to_be_visible()
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_role("link", name="Radarr", exact=True)).to_be_visible()
    body = {"success": True, "data": []}
    tab.route("**/api/admin/servers", lambda route: route.fulfill(json=body))
    tab.follow("/admin/servers/new")
    tab.follow("/admin/servers")
    expect(tab.page.get_by_role("heading", name="No server yet")).to_be_visible()
