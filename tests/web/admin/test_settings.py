"""/admin/settings: each setting with its bounds, saved for itself, never over another admin's."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.local import LocalService, database_of
from tests.web.admin.conftest import Colleague
from tests.web.conftest import Browse

KEY = "audit.retention"
NAME = "How long entries are kept"
OTHER = "Quota of members"


@pytest.fixture(autouse=True)
def defaults(service: LocalService) -> Iterator[None]:
    """Give the settings of these tests their defaults again."""
    yield
    keys = [KEY, "requestQuota.user", "autoApprove.user"]
    with database_of(service.data, {}) as connection:
        connection.execute("DELETE FROM system_config WHERE key = ANY(%s)", (keys,))


def settings(service: LocalService, people: People) -> dict[str, Any]:
    found = service.call("GET", "/api/admin/config", token=people.token("alice")).data
    return {each["key"]: each for each in found}


def put(service: LocalService, token: str, key: str, value: Any) -> None:
    answer = service.call("PUT", f"/api/admin/config/{key}", body={"value": value}, token=token)
    assert answer.status == 200, answer.text


def open_settings(browse: Browse, screen: Screen = DESKTOP) -> Tab:
    tab = browse("alice", screen=screen)
    tab.follow("/admin/settings")
    return tab


def setting(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("region", name=name, exact=True)


def test_a_setting_is_changed_and_set_back(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = open_settings(browse, PHONE)
    own = setting(tab, NAME)
    expect(own.get_by_text("As by default")).to_be_visible()
    save = own.get_by_role("button", name=f"Save {NAME}")
    expect(save).to_have_attribute("aria-disabled", "true")
    tab.axe()
    own.get_by_label("Days").fill("89")
    expect(own.get_by_text("A whole number from 90 to 3,650")).to_be_visible()
    expect(save).to_have_attribute("aria-disabled", "true")
    own.get_by_label("Days").fill("100")
    save.click()
    expect(own.get_by_text("Changed by alice")).to_be_visible()
    assert settings(service, people)[KEY]["value"] == {"days": 100}
    default = own.get_by_role("button", name=f"Default of {NAME}")
    default.click()
    expect(default).to_have_count(0)
    expect(own.get_by_label("Days")).to_have_value("365")
    assert settings(service, people)[KEY]["value"] == {"days": 365}


def test_limits_and_switches_have_their_controls(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = open_settings(browse)
    quota = setting(tab, OTHER)
    films = quota.get_by_label("Films: Number")
    expect(films).to_have_value("")
    films.fill("4")
    tab.press("Enter")
    expect(quota.get_by_text("Changed by alice")).to_be_visible()
    approval = setting(tab, "Requests of members")
    approval.get_by_role("checkbox", name="Films").check()
    approval.get_by_role("button", name="Save Requests of members").click()
    expect(approval.get_by_text("Changed by alice")).to_be_visible()
    found = settings(service, people)
    assert found["requestQuota.user"]["value"]["movies"] == {"limit": 4, "days": 7}
    assert found["autoApprove.user"]["value"] == {"movie": True, "tv": False}


def test_two_settings_are_saved_at_once_while_they_are_read(
    browse: Browse, people: People, service: LocalService
) -> None:
    tab = open_settings(browse)
    tab.follow("/about")
    config = "/api/admin/config"
    with tab.hold(config) as read, tab.hold(f"{config}/{KEY}") as first:
        # The page shows at once the values that it has read before.
        tab.page.go_back()
        read.wait()
        setting(tab, NAME).get_by_label("Days").fill("200")
        tab.press("Enter")
        first.wait()
        quota = setting(tab, OTHER)
        with tab.hold(f"{config}/requestQuota.user") as second:
            quota.get_by_label("Films: Number").fill("4")
            tab.press("Enter")
            second.wait()
            first.release()
            expect(setting(tab, NAME).get_by_text("Changed by alice")).to_be_visible()
        expect(quota.get_by_text("Changed by alice")).to_be_visible()
    tab.settle()
    expect(setting(tab, NAME).get_by_label("Days")).to_have_value("200")
    expect(quota.get_by_label("Films: Number")).to_have_value("4")
    found = settings(service, people)
    assert (found[KEY]["value"], found["requestQuota.user"]["value"]["movies"]["limit"]) == (
        {"days": 200},
        4,
    )


def test_a_setting_that_another_admin_changed_meanwhile(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    tab = open_settings(browse)
    own = setting(tab, NAME)
    for mine, theirs, choice, kept in (
        ("200", 300, "Use theirs", 300),
        ("201", 301, "Save mine", 201),
    ):
        own.get_by_label("Days").fill(mine)
        put(service, colleague.token, KEY, {"days": theirs})
        with tab.watch.provoke(f"/api/admin/config/{KEY}", 409):
            own.get_by_role("button", name=f"Save {NAME}").click()
            expect(own.get_by_text(f"{colleague.name} changed this")).to_be_visible()
        expect(own.get_by_text(f"It is now: Days: {theirs}.")).to_be_visible()
        expect(own.get_by_label("Days")).to_have_value(mine)
        assert settings(service, people)[KEY]["value"] == {"days": theirs}
        tab.axe()
        own.get_by_role("button", name=choice).click()
        expect(own.get_by_text("It is now")).to_have_count(0)
        expect(own.get_by_label("Days")).to_have_value(str(kept))
        expect(own.get_by_role("button", name=f"Save {NAME}")).to_be_focused()
        assert settings(service, people)[KEY]["value"] == {"days": kept}


def test_a_reload_keeps_what_was_typed_and_overwrites_no_other_admin(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    tab = open_settings(browse)
    own, other = setting(tab, NAME), setting(tab, OTHER)
    own.get_by_label("Days").fill("200")
    with tab.offline():
        own.get_by_role("button", name=f"Save {NAME}").click()
        expect(own.get_by_text("The service cannot be reached.")).to_be_visible()
    # A value that was typed back is no edit.
    other.get_by_label("Films: Number").fill("4")
    other.get_by_label("Films: Number").fill("")
    put(service, colleague.token, KEY, {"days": 300})
    quota = settings(service, people)["requestQuota.user"]["value"]
    quota["movies"]["limit"] = 9
    put(service, colleague.token, "requestQuota.user", quota)
    tab.page.reload()
    expect(other.get_by_label("Films: Number")).to_have_value("9")
    expect(own.get_by_text(f"Changed by {colleague.name}")).to_be_visible()
    expect(own.get_by_label("Days")).to_have_value("200")
    with tab.watch.provoke(f"/api/admin/config/{KEY}", 409):
        own.get_by_label("Days").press("Enter")
        expect(own.get_by_text("It is now: Days: 300.")).to_be_visible()
    assert settings(service, people)[KEY]["value"] == {"days": 300}


def test_the_default_that_meets_another_admins_change(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    put(service, people.token("alice"), KEY, {"days": 200})
    tab = open_settings(browse)
    own = setting(tab, NAME)
    expect(own.get_by_text("Default: Days: 365")).to_be_visible()
    put(service, colleague.token, KEY, {"days": 300})
    with tab.watch.provoke(f"/api/admin/config/{KEY}", 409):
        own.get_by_role("button", name=f"Default of {NAME}").press("Enter")
        expect(own.get_by_text("It is now: Days: 300.")).to_be_visible()
    expect(own.get_by_role("button", name="Use theirs")).to_be_focused()
    own.get_by_role("button", name="Save mine").press("Enter")
    expect(own.get_by_text("It is now")).to_have_count(0)
    expect(own.get_by_role("button", name=f"Save {NAME}")).to_be_focused()
    assert settings(service, people)[KEY]["value"] == {"days": 365}


def test_a_setting_of_a_later_release_has_its_code(browse: Browse) -> None:
    def answer(route: Route) -> None:
        body = route.fetch().json()
        field = {"name": "speed", "type": "integer", "minimum": 1, "maximum": 9, "nullable": False}
        value = {"speed": 5}
        body["data"].append(
            {"key": "warp.drive", "value": value, "default": value, "fields": [field]}
        )
        route.fulfill(json=body)

    tab = browse("alice", screen=DESKTOP)
    tab.route("**/api/admin/config", answer)
    tab.follow("/admin/settings")
    own = tab.page.get_by_role("region", name="Others").get_by_role("region", name="warp.drive")
    field = own.get_by_label("speed")
    expect(field).to_have_value("5")
    field.fill("10")
    expect(own.get_by_text("A whole number from 1 to 9")).to_be_visible()


def test_a_rule_between_two_fields_is_told_at_its_field(browse: Browse) -> None:
    tab = open_settings(browse)
    own = setting(tab, "How long a sign-in lasts")
    own.get_by_label("Days in any case").fill("5")
    with tab.watch.provoke("/api/admin/config/session.lifetimes", 400):
        own.get_by_role("button", name="Save How long a sign-in lasts").click()
        expect(own.get_by_text("Not fewer days than the two others.")).to_be_visible()
    page = setting(tab, "Name and ways to sign in")
    page.get_by_role("checkbox", name="Accounts of Plex").uncheck()
    page.get_by_role("checkbox", name="Local accounts").uncheck()
    with tab.watch.provoke("/api/admin/config/signIn.page", 400):
        page.get_by_role("button", name="Save Name and ways").click()
        expect(page.get_by_text("At least one kind of account has to be")).to_be_visible()


def test_settings_that_cannot_be_loaded(browse: Browse) -> None:
    tab = browse("alice")
    with tab.answer("/api/admin/config", 500, "DATABASE_CONNECTION_ERROR"):
        tab.follow("/admin/settings")
        expect(tab.page.get_by_text("The service cannot reach its database.")).to_be_visible()
    tab.page.get_by_role("button", name="Try again").click()
    expect(setting(tab, NAME)).to_be_visible()
