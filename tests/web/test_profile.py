"""/profile: sessions, password, quotas and language."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.local import LocalService
from tests.web.conftest import Browse
from tests.web.test_signin import PASSWORD, local_account, sign_in


def test_the_profile_shows_the_account_and_keeps_a_language(browse: Browse) -> None:
    tab = browse("bob", is_shared=False)
    tab.visit("/profile")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("bob")
    expect(tab.page.get_by_text("Member · signed in with Plex")).to_be_visible()
    expect(tab.page.get_by_text("sends its session cookie over plain http")).to_be_visible()
    expect(tab.page.get_by_text("You can request as much as you like.")).to_be_visible()
    expect(tab.page.get_by_label("New password")).to_have_count(0)
    expect(tab.page.get_by_text("This one")).to_have_count(1)
    tab.page.get_by_label("Language").select_option("de")
    expect(tab.page.get_by_role("heading", name="Deine Sitzungen")).to_be_visible()
    tab.visit("/requests")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Deine Anfragen")
    assert tab.page.evaluate("document.documentElement.lang") == "de"


def test_another_session_is_ended(browse: Browse, people: People, service: LocalService) -> None:
    tab = browse("carol", is_shared=False)
    token = service.sign_in(people.plex_url, "carol")
    service.sign_in(people.plex_url, "carol")
    tab.visit("/profile")
    rows = tab.page.locator(".rows .row")
    before = rows.count()
    end = rows.get_by_role("button")
    end.nth(1).focus()
    # A key that is held down ends no other session.
    tab.page.keyboard.down("Enter")
    expect(tab.page.get_by_text("The session is ended.")).to_be_visible()
    expect(rows).to_have_count(before - 1)
    expect(end.nth(min(1, before - 3))).to_be_focused()
    tab.page.keyboard.down("Enter")
    tab.page.keyboard.up("Enter")
    tab.settle()
    expect(rows).to_have_count(before - 1)
    assert service.call("GET", "/api/auth/me", token=token).status == 401


def test_sign_out_everywhere(browse: Browse, people: People, service: LocalService) -> None:
    token = service.sign_in(people.plex_url, "carol")
    tab = browse("carol", is_shared=False)
    tab.visit("/profile")
    tab.page.get_by_role("button", name="Sign out everywhere").click()
    tab.page.wait_for_url("**/signin")
    assert service.call("GET", "/api/auth/me", token=token).status == 401


def test_a_password_is_changed(browse: Browse, people: People, service: LocalService) -> None:
    name = local_account(people, service)
    tab = browse()
    tab.visit("/signin?next=/profile")
    sign_in(tab.page, name, PASSWORD)
    expect(tab.page.get_by_text("This one")).to_be_visible()
    body = {"identifier": name, "password": PASSWORD}
    assert service.patiently("POST", "/api/auth/login", body=body).status == 200
    tab.page.reload()
    end = tab.page.get_by_role("button", name="End the session")
    expect(end).to_have_count(1)
    new = tab.page.get_by_label("New password", exact=True)
    rules = tab.page.locator("#password-rules .met")
    button = tab.page.get_by_role("button", name="Change password")
    new.fill("Ab1!")
    expect(rules).to_have_count(5)
    expect(button).to_have_attribute("aria-disabled", "true")
    replacement = f"N3w-{uuid4().hex}"
    new.fill(replacement)
    expect(rules).to_have_count(6)
    current = tab.page.get_by_label("Current password", exact=True)
    current.fill("wrong")
    with tab.watch.provoke("/api/auth/password", 401):
        button.click()
        expect(tab.page.get_by_text("This is not your current password.")).to_be_visible()
        expect(current).to_be_focused()
    tab.axe()
    current.fill(PASSWORD)
    new.fill("Passw0rd!")
    with tab.watch.provoke("/api/auth/password", 400):
        button.click()
        expect(tab.page.get_by_text("too close to a commonly used password")).to_be_visible()
        expect(new).to_be_focused()
    tab.page.get_by_label("Language").select_option("de")
    expect(tab.page.get_by_text("häufig benutzten Passwort zu ähnlich")).to_be_visible()
    tab.page.get_by_label("Sprache").select_option("en")
    new.fill(replacement)
    button.click()
    expect(tab.page.get_by_text("Your password is changed")).to_be_visible()
    expect(end).to_have_count(0)
    expect(tab.page.get_by_text("This one")).to_be_visible()
    body = {"identifier": name, "password": replacement}
    assert service.patiently("POST", "/api/auth/login", body=body).status == 200


def test_the_browser_chooses_the_first_language(browse: Browse) -> None:
    for language, heading in {"de-AT": "Deine Anfragen", "fr-FR": "Your requests"}.items():
        tab = browse("bob", language=language)
        tab.visit("/requests")
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(heading)
