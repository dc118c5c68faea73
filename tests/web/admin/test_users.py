"""/admin/users and /admin/users/:id: find people, and change their role, access and quota."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.local import LocalService, eventually
from tests.web.admin.conftest import PASSWORD, Colleague
from tests.web.conftest import Browse

_numbers = count(1)


@pytest.fixture
def member(people: People, service: LocalService) -> Iterator[dict[str, Any]]:
    """Create a member with a local account, and delete the account after the test."""
    name = f"mia{next(_numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": "user"}
    made = service.call("POST", "/api/admin/users", body=body, token=people.token("alice"))
    yield made.data
    path = f"/api/admin/users/{made.data['id']}"
    service.call("DELETE", path, token=people.token("alice"))


def stored(service: LocalService, people: People, user_id: str) -> dict[str, Any]:
    answer = service.call("GET", f"/api/admin/users/{user_id}", token=people.token("alice"))
    data: dict[str, Any] = answer.data
    return data


def open_user(browse: Browse, user: dict[str, Any], screen: Screen = DESKTOP) -> Tab:
    tab = browse("alice", screen=screen)
    tab.follow(f"/admin/users/{user['id']}")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(user["username"])
    return tab


def test_people_are_found(browse: Browse, people: People, member: dict[str, Any]) -> None:
    people.token("bob")
    tab = browse("alice")
    tab.follow("/admin/users")
    names = tab.page.locator(".row .what a")
    expect(names.filter(has_text="alice")).to_have_count(1)
    tab.axe()
    row = tab.page.locator(".row").filter(has_text="alice@example.com")
    expect(row.locator(".badge")).to_have_text(["Admin", "Active"])
    tab.page.get_by_label("Search names and e-mail addresses").fill(member["username"])
    tab.page.wait_for_url(f"**/admin/users?search={member['username']}")
    expect(names).to_have_text([member["username"]])
    expect(tab.page.get_by_text("1 person found")).to_be_attached()
    tab.page.get_by_label("Role").select_option("admin")
    expect(tab.page.get_by_role("heading", name="Nobody matches")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_role("heading", name="Nobody matches")).to_be_visible()
    tab.page.get_by_label("Role").select_option("all")
    names.click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(member["username"])


def test_an_account_is_created_by_keyboard(
    browse: Browse, people: People, service: LocalService
) -> None:
    name = f"noa{next(_numbers)}"
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/users")
    tab.tab_to("Create an account")
    tab.press("Enter")
    dialog = tab.page.get_by_role("dialog", name="Create an account")
    expect(dialog.get_by_label("User name")).to_be_focused()
    tab.axe()
    tab.page.keyboard.type(name)
    tab.press("Tab")
    tab.page.keyboard.type("bob@example.com")
    tab.press("Enter")
    expect(dialog.get_by_text("At least 8 characters")).to_be_visible()
    expect(dialog.get_by_label("Password", exact=True)).to_be_focused()
    tab.page.keyboard.type(PASSWORD)
    tab.press("Control+Shift+Home")
    dialog.get_by_label("E-mail address").fill(f"{name}@example.com")
    expect(dialog.get_by_label("E-mail address")).to_have_attribute("inputmode", "email")
    tab.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(name)
    made = tab.page.url.rpartition("/")[2]
    assert stored(service, people, made)["role"] == "user"
    service.call("DELETE", f"/api/admin/users/{made}", token=people.token("alice"))


def test_a_taken_name_is_told_at_its_field_and_nothing_typed_is_lost(
    browse: Browse, member: dict[str, Any]
) -> None:
    tab = browse("alice")
    tab.follow("/admin/users")
    tab.page.get_by_role("button", name="Create an account").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create an account").click()
    expect(dialog.get_by_text("Fill this in.")).to_have_count(2)
    expect(dialog.get_by_label("User name")).to_be_focused()
    dialog.get_by_label("User name").fill(member["username"])
    dialog.get_by_label("E-mail address").fill("new@example.com")
    dialog.get_by_role("button", name="Create an account").click()
    password = dialog.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description(re.compile("Not all rules are met yet."))
    password.fill(PASSWORD)
    with tab.watch.provoke("/api/admin/users", 400):
        dialog.get_by_role("button", name="Create an account").click()
        expect(dialog.get_by_text("Another account has it.")).to_be_visible()
        expect(dialog.get_by_label("User name")).to_be_focused()
        dialog.get_by_label("User name").fill("no@name")
        dialog.get_by_label("E-mail address").fill("no address")
        dialog.get_by_role("button", name="Create an account").click()
        expect(dialog.get_by_text("A name without @")).to_be_visible()
        expect(dialog.get_by_text("Write the address as name@example.org")).to_be_visible()
        dialog.get_by_label("E-mail address").fill("new@example.com")
    tab.axe()
    tab.page.reload()
    tab.page.get_by_role("button", name="Create an account").click()
    expect(dialog.get_by_label("E-mail address")).to_have_value("new@example.com")
    expect(dialog.get_by_label("Password", exact=True)).to_have_value("")


def test_a_person_is_suspended_and_let_in_again(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    tab = open_user(browse, member, PHONE)
    suspend = tab.page.get_by_role("button", name="Suspend")
    suspend.click()
    dialog = tab.page.get_by_role("dialog", name=f"Suspend {member['username']}?")
    expect(dialog).to_contain_text("signed out everywhere")
    tab.axe()
    tab.press("Escape")
    expect(suspend).to_be_focused()
    suspend.click()
    dialog.get_by_role("button", name="Suspend").click()
    expect(tab.page.get_by_text("Suspended: cannot sign in.")).to_be_visible()
    assert stored(service, people, member["id"])["status"] == "suspended"
    tab.page.get_by_role("button", name="Lift the suspension").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Lift the suspension").click()
    expect(tab.page.get_by_text("Suspended: cannot sign in.")).to_have_count(0)
    assert stored(service, people, member["id"])["status"] == "active"


def test_a_role_is_given_and_sessions_end(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    tab = open_user(browse, member)
    tab.page.get_by_role("button", name="Make an admin").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Make an admin").click()
    expect(tab.page.get_by_role("button", name="Make a member")).to_be_visible()
    assert stored(service, people, member["id"])["role"] == "admin"
    tab.page.get_by_role("button", name="End all sessions").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="End all sessions").click()
    expect(tab.page.get_by_text(f"{member['username']} is signed out everywhere.")).to_be_visible()


def test_a_person_is_deleted_after_the_name_was_typed(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    tab = open_user(browse, member)
    tab.page.get_by_role("button", name="Delete").click()
    dialog = tab.page.get_by_role("dialog", name=f"Delete {member['username']}?")
    confirm = dialog.get_by_role("button", name="Delete for good")
    dialog.get_by_role("textbox").fill(member["username"][:-1])
    expect(confirm).to_have_attribute("aria-disabled", "true")
    tab.press("Enter")
    expect(dialog).to_be_visible()
    dialog.get_by_role("textbox").fill(member["username"])
    confirm.click()
    tab.page.wait_for_url("**/admin/users")
    gone = f"/api/admin/users/{member['id']}"
    assert service.call("GET", gone, token=people.token("alice")).status == 404


def test_a_person_whom_another_admin_has_deleted(
    browse: Browse, service: LocalService, member: dict[str, Any], colleague: Colleague
) -> None:
    tab = open_user(browse, member)
    path = f"/api/admin/users/{member['id']}"
    service.call("DELETE", path, token=colleague.token)
    with tab.watch.provoke(path, 404):
        tab.page.get_by_role("button", name="Suspend").click()
        tab.page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
        gone = tab.page.get_by_role("heading", name="This person is not there any more")
        expect(gone).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    tab.axe()
    tab.page.get_by_role("link", name="All people").click()
    tab.page.wait_for_url("**/admin/users")


def test_the_last_admin_is_told_why_nothing_can_change(browse: Browse, people: People) -> None:
    tab = browse("alice")
    tab.follow("/admin/users?role=admin")
    tab.page.locator(".row .what a").filter(has_text="alice").click()
    expect(tab.page.get_by_text("This is the last active admin")).to_be_visible()
    suspend = tab.page.get_by_role("button", name="Suspend")
    expect(suspend).to_have_attribute("aria-disabled", "true")
    expect(suspend).to_have_accessible_description(re.compile("last active admin"))
    suspend.click(force=True)
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    assert people.token("alice")


def test_a_refusal_that_no_button_foresaw_is_told_in_the_dialog(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    tab = open_user(browse, member)
    tab.page.get_by_role("button", name="Delete").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(member["username"])
    with tab.answer(f"/api/admin/users/{member['id']}", 409, "LAST_ADMIN"):
        dialog.get_by_role("button", name="Delete for good").click()
        expect(dialog.get_by_role("alert")).to_contain_text("no active admin")
    expect(dialog.get_by_role("textbox")).to_have_value(member["username"])
    assert stored(service, people, member["id"])


def test_suspended_people_are_told_apart_and_a_failure_of_the_list_is_told(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    path = f"/api/admin/users/{member['id']}"
    service.call("PATCH", path, body={"status": "suspended"}, token=people.token("alice"))
    tab = browse("alice", language="de-DE")
    with tab.answer("/api/admin/users", 503, "DATABASE_CONNECTION_ERROR"):
        tab.visit("/admin/users?status=suspended")
        expect(tab.page.get_by_role("button", name="Noch einmal versuchen")).to_be_visible()
        tab.axe()
    tab.page.get_by_role("button", name="Noch einmal versuchen").click()
    row = tab.page.locator(".row").filter(has_text=member["email"])
    expect(row.locator(".badge")).to_have_text(["Mitglied", "Gesperrt"])
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Personen")


def test_another_admins_change_of_the_other_quota_stays(
    browse: Browse,
    people: People,
    service: LocalService,
    member: dict[str, Any],
    colleague: Colleague,
) -> None:
    tab = open_user(browse, member)
    films = tab.page.get_by_role("group", name="Films")
    films.get_by_role("radio", name="Own limit").check()
    films.get_by_label("Number").fill("3")
    quota = {"seasons": {"limit": 9, "days": 30}}
    path = f"/api/admin/users/{member['id']}"
    service.call("PATCH", path, body={"quota": quota}, token=colleague.token)
    tab.page.get_by_role("button", name="Save the quota").click()
    seasons = tab.page.get_by_role("group", name="Seasons")
    expect(seasons.get_by_label("Number")).to_have_value("9")
    both = {"movies": {"limit": 3, "days": 7}, "seasons": {"limit": 9, "days": 30}}
    assert stored(service, people, member["id"])["quota"] == both


def test_a_quota_is_given_and_taken(
    browse: Browse, people: People, service: LocalService, member: dict[str, Any]
) -> None:
    tab = open_user(browse, member)
    films = tab.page.get_by_role("group", name="Films")
    films.get_by_role("radio", name="Own limit").check()
    films.get_by_label("Number").fill("1001")
    expect(films.get_by_text("A whole number from 0 to 1,000")).to_be_visible()
    save = tab.page.get_by_role("button", name="Save the quota")
    expect(save).to_have_attribute("aria-disabled", "true")
    films.get_by_label("Number").fill("3")
    tab.axe()
    tab.page.reload()
    expect(films.get_by_label("Number")).to_have_value("3")
    save.click()
    expect(tab.page.get_by_text("is saved.")).to_be_visible()
    assert stored(service, people, member["id"])["quota"] == {"movies": {"limit": 3, "days": 7}}
    films.get_by_role("radio", name="No limit").check()
    save.click()
    none = {"movies": {"limit": None, "days": 7}}
    eventually(lambda: stored(service, people, member["id"])["quota"] == none)
    films.get_by_role("radio", name="As for the role").check()
    save.click()
    eventually(lambda: not stored(service, people, member["id"]).get("quota"))
