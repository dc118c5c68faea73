"""/admin/rules: order, conditions and options, saved as a whole; two admins at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.local import LocalService
from tests.web.conftest import Browse

PATH = "/api/admin/routing-rules"


@pytest.fixture
def servers(people: People, service: LocalService) -> Iterator[dict[str, str]]:
    """Return the ids of the servers by their kinds; there are no rules before and after."""
    token = people.token("alice")
    found = service.call("GET", "/api/admin/servers", token=token).data
    service.call("PUT", PATH, body={"rules": []}, token=token)
    yield {each["kind"]: each["id"] for each in found}
    service.call("PUT", PATH, body={"rules": []}, token=token)


def put(service: LocalService, token: str, *rules: dict[str, Any]) -> None:
    """Save rules as another admin would."""
    assert service.call("PUT", PATH, body={"rules": list(rules)}, token=token).status == 200


def film(servers: dict[str, str], language: str) -> dict[str, Any]:
    """Return a rule for films in a language."""
    conditions = {"languages": [language]}
    return {"mediaType": "movie", "conditions": conditions, "serverId": servers["radarr"]}


def texts(tab: Tab) -> list[str]:
    """Return the sentences of the rules."""
    return [
        text.split("language is ")[-1]
        for text in tab.page.locator(".routes .what").all_inner_texts()
    ]


def test_a_rule_is_made_and_saved(
    browse: Browse, people: People, service: LocalService, servers: dict[str, str]
) -> None:
    people.token("bob")
    tab = browse("alice")
    tab.follow("/admin/rules")
    expect(tab.page.get_by_role("heading", name="No rules")).to_be_visible()
    expect(
        tab.page.get_by_text("All other films go to Radarr, all other shows to Sonarr.")
    ).to_be_visible()
    tab.page.get_by_role("button", name="Add a rule").click()
    expect(tab.page.get_by_role("button", name="Edit rule 1")).to_be_focused()
    tab.page.get_by_role("button", name="Shows").click()
    tab.page.get_by_label("Genres").select_option(label="Animation")
    tab.page.get_by_label("Original language").select_option(label="Japanese")
    tab.page.get_by_label("Keywords").fill("210024")
    tab.press("Enter")
    tab.page.get_by_label("Anime", exact=True).select_option("true")
    tab.page.get_by_role("combobox", name="Requested by").fill("bob")
    tab.page.get_by_role("option", name="bob").click()
    tab.page.get_by_label("Numbering of episodes").select_option("anime")
    text = (
        "it is anime, the genre is Animation, the language is Japanese,"
        " the keyword is 210024 and requested by bob"
    )
    expect(tab.page.locator(".routes .what")).to_contain_text(f"Shows go to Sonarr, if {text}.")
    tab.axe()
    tab.page.reload()
    expect(tab.page.get_by_text("Not saved yet.")).to_be_visible()
    tab.page.get_by_role("button", name="Save the rules").click()
    expect(tab.page.get_by_text("The rules are saved.")).to_be_visible()
    [rule] = service.call("GET", PATH, token=people.token("alice")).data
    assert rule["conditions"]["genreIds"] == [16]
    assert (rule["serverId"], rule["options"]) == (servers["sonarr"], {"seriesType": "anime"})
    expect(tab.page.get_by_role("button", name="Save the rules")).to_have_count(0)


def test_rules_are_ordered_by_keyboard(
    browse: Browse, people: People, service: LocalService, servers: dict[str, str]
) -> None:
    put(service, people.token("alice"), *(film(servers, each) for each in ("de", "fr", "it")))
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/rules")
    tab.tab_to("Move rule 1 down")
    tab.press("Enter")
    expect(tab.page.get_by_text("Moved to place 2 of 3.")).to_be_attached()
    expect(tab.page.get_by_role("button", name="Move rule 2 down")).to_be_focused()
    assert texts(tab) == ["French.", "German.", "Italian."]
    tab.press("Alt+ArrowDown")
    assert texts(tab) == ["French.", "Italian.", "German."]
    tab.page.get_by_role("button", name="Remove rule 1").focus()
    tab.press("Enter")
    expect(tab.page.get_by_role("button", name="Edit rule 1")).to_be_focused()
    tab.page.get_by_role("button", name="Save the rules").click()
    expect(tab.page.get_by_text("The rules are saved.")).to_be_visible()
    saved = service.call("GET", PATH, token=people.token("alice")).data
    assert [each["conditions"]["languages"] for each in saved] == [["it"], ["de"]]


def test_another_admin_saved_meanwhile(
    browse: Browse, people: People, service: LocalService, servers: dict[str, str]
) -> None:
    token = people.token("alice")
    put(service, token, film(servers, "de"), film(servers, "fr"))
    tab = browse("alice")
    tab.follow("/admin/rules")
    conflict = tab.page.get_by_role("alert").filter(has_text="Another admin has saved")
    for mine, theirs, choice, kept in (
        ("German.", ["es", "it"], "Load theirs", ["Spanish.", "Italian."]),
        ("Spanish.", ["fr"], "Save mine over it", ["Spanish."]),
    ):
        tab.page.get_by_role("button", name="Remove rule 2").click()
        put(service, token, *(film(servers, each) for each in theirs))
        with tab.provoke(PATH, 409):
            tab.page.get_by_role("button", name="Save the rules").click()
            language = {"es": "Spanish", "fr": "French"}[theirs[0]]
            expect(conflict).to_contain_text(f"the language is {language}")
        assert texts(tab) == [mine]
        tab.axe()
        tab.page.get_by_role("button", name=choice).click()
        expect(conflict).to_have_count(0)
        expect(tab.page.get_by_text("Not saved yet.")).to_have_count(0)
        assert texts(tab) == kept
        saved = service.call("GET", PATH, token=token).data
        languages = theirs if choice == "Load theirs" else ["es"]
        assert [each["conditions"]["languages"] for each in saved] == [[each] for each in languages]


def test_a_refused_rule_says_which_and_why(
    browse: Browse, people: People, service: LocalService, servers: dict[str, str]
) -> None:
    put(service, people.token("alice"), film(servers, "de"))
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/rules")
    tab.page.get_by_role("button", name="Edit rule 1").click()
    tab.page.get_by_label("Keywords").fill("anime")
    expect(tab.page.get_by_text("A keyword is a number here.")).to_be_visible()
    tab.page.get_by_label("Search at once").select_option("false")
    tab.axe()
    error = {
        "code": "VALIDATION_ERROR",
        "message": "Invalid",
        "details": [{"field": "body.rules.0.serverId", "message": "There is no such server"}],
    }
    body = {"success": False, "error": error}
    tab.route(
        f"**{PATH}",
        lambda route: (
            route.fulfill(status=400, json=body)
            if route.request.method == "PUT"
            else route.continue_()
        ),
    )
    with tab.provoke(PATH, 400):
        tab.page.get_by_role("button", name="Save the rules").click()
        expect(tab.page.get_by_text("Choose a server that exists")).to_be_visible()
    expect(tab.page.locator(".routes")).to_contain_text("With 1 option of its own.")
    tab.page.get_by_role("button", name="Discard changes").click()
    expect(tab.page.get_by_role("button", name="Add a rule")).to_be_focused()
    expect(tab.page.locator(".routes")).not_to_contain_text("With 1 option")


def test_an_error(browse: Browse, servers: dict[str, str]) -> None:
    tab = browse("alice", language="de-DE")
    with tab.answer(PATH, 503, "DATABASE_CONNECTION_ERROR"):
        tab.visit("/admin/rules")
        expect(tab.page.get_by_role("button", name="Noch einmal versuchen")).to_be_visible()
    tab.page.get_by_role("button", name="Noch einmal versuchen").click()
    expect(tab.page.get_by_role("heading", name="Keine Regeln")).to_be_visible()
    assert set(servers) == {"radarr", "sonarr"}
