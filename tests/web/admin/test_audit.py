"""/admin/audit: actions as sentences, filters in the URL, raw details on demand."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from medianest.audit.models import Action
from tests.support.api import ROOT
from tests.support.browser.kept import leave
from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP
from tests.support.local import LocalService, database_of
from tests.web.admin.conftest import Colleague
from tests.web.conftest import Browse

PAGE = ROOT / "web/pages/admin/audit.js"


@pytest.fixture
def decided(people: People, service: LocalService) -> str:
    """Let alice decline a request of bob; return its id."""
    body = {"mediaType": "movie", "tmdbId": 603}
    made = service.call("POST", "/api/media/request", body=body, token=people.token("bob")).data
    path = f"/api/admin/requests/{made['id']}/decline"
    service.call("POST", path, body={"reason": "<b>no</b>"}, token=people.token("alice"))
    return str(made["id"])


def test_every_action_has_its_words() -> None:
    listed = re.findall(r'"([a-z_]+\.[a-z_]+)"', PAGE.read_text().partition("];")[0])
    assert sorted(listed) == sorted(Action)


def test_actions_are_sentences_with_details(browse: Browse, decided: str) -> None:
    tab = browse("alice")
    tab.follow("/admin/audit?action=request.declined")
    row = tab.page.locator(".row").first
    expect(row).to_contain_text("alice declined The Matrix.")
    expect(row.get_by_text("<b>no</b>")).to_be_hidden()
    tab.axe()
    row.get_by_text("Details").click()
    expect(row.get_by_text("<b>no</b>")).to_be_visible()
    expect(row.get_by_text(f"request: {decided}")).to_be_visible()


@pytest.mark.usefixtures("decided")
def test_filters_are_in_the_url(browse: Browse, colleague: Colleague) -> None:
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/audit")
    tab.page.get_by_label("Action").select_option("Sign-in")
    tab.page.wait_for_url("**/admin/audit?action=auth.sign_in")
    expect(tab.page.locator(".row").first).to_contain_text(f"{colleague.name} signed in.")
    field = tab.page.get_by_role("combobox", name="Person")
    field.fill(colleague.name)
    expect(tab.page.get_by_role("option", name=colleague.name)).to_be_visible()
    tab.axe()
    tab.press("ArrowDown", "Enter")
    tab.page.wait_for_url(f"**/admin/audit?userId={colleague.id}&action=auth.sign_in")
    expect(tab.page.locator(".row")).to_have_count(1)
    tab.page.reload()
    expect(tab.page.get_by_role("button", name=f"Remove {colleague.name}")).to_be_visible()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    tab.page.get_by_label("To", exact=True).fill(str(yesterday))
    expect(tab.page.get_by_role("heading", name="No entry matches")).to_be_visible()
    tab.page.get_by_label("To", exact=True).fill(str(yesterday + timedelta(days=1)))
    expect(tab.page.locator(".row")).to_have_count(1)
    tab.page.get_by_role("button", name=f"Remove {colleague.name}").click()
    expect(field).to_be_focused()
    leave(tab)


def test_days_are_those_of_the_browser(browse: Browse) -> None:
    # Clocks go forward there on 29 September 2024: the day has 23 hours.
    tab = browse("alice", screen=DESKTOP, zone="Pacific/Auckland")
    tab.visit("/admin/audit")
    tab.page.get_by_label("From", exact=True).fill("2024-09-29")
    with tab.page.expect_request(lambda request: "&to=" in request.url) as asked:
        tab.page.get_by_label("To", exact=True).fill("2024-09-29")
    query = parse_qs(urlsplit(asked.value.url).query)
    assert query["from"] == ["2024-09-28T12:00:00.000Z"]
    assert query["to"] == ["2024-09-29T11:00:00.000Z"]
    tab.settle()


def test_a_period_that_ends_before_it_starts_is_told_at_its_field(browse: Browse) -> None:
    tab = browse("alice", language="de-DE")
    tab.visit("/admin/audit?from=2026-02-02&to=2026-02-01")
    last = tab.page.get_by_label("Bis", exact=True)
    expect(last).to_have_accessible_description("Dieser Tag liegt vor dem ersten.")
    tab.axe()
    last.fill("2026-02-02")
    expect(tab.page.get_by_role("heading", name="Kein Eintrag passt")).to_be_visible()
    expect(last).to_have_accessible_description("")


def test_sentences_name_the_target_or_fall_back_to_codes(
    browse: Browse, people: People, service: LocalService, colleague: Colleague
) -> None:
    path = f"/api/admin/users/{colleague.id}/sessions"
    assert service.call("DELETE", path, token=people.token("alice")).status == 204
    with database_of(service.data, {}) as connection:
        connection.execute(
            "INSERT INTO audit_logs (user_id, action, details, request_id, ip, user_agent)"
            " VALUES (%s, 'later.release', '{}', %s, '198.51.100.7', 'test')",
            (colleague.id, uuid4()),
        )
    tab = browse("alice")
    tab.follow("/admin/audit")
    rows = tab.page.locator(".row")
    expect(rows.filter(has_text=f"{colleague.name}: later.release")).to_have_count(1)
    ended = f"alice ended the sessions of {colleague.name}."
    expect(rows.filter(has_text=ended)).to_have_count(1)
    missing = uuid4()
    with tab.watch.provoke(f"/api/admin/users/{missing}", 404):
        tab.follow(f"/admin/audit?userId={missing}")
        expect(tab.page.get_by_role("button", name="Remove Unknown person")).to_be_visible()


def test_a_person_who_does_not_exist(browse: Browse) -> None:
    tab = browse("alice")
    tab.follow("/admin/audit")
    tab.page.get_by_role("combobox", name="Person").fill("nobody has this name")
    expect(tab.page.get_by_text("Nobody has this name or e-mail address.")).to_be_visible()
    tab.press("Escape")
    expect(tab.page.get_by_role("combobox", name="Person")).to_have_value("")
    leave(tab)


def test_the_log_cannot_be_loaded(browse: Browse) -> None:
    tab = browse("alice")
    with tab.answer("/api/admin/audit-logs", 500, "INTERNAL_ERROR"):
        tab.follow("/admin/audit")
        expect(tab.page.get_by_role("heading", name="This could not be loaded")).to_be_visible()
        tab.axe()
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.locator(".row").first).to_be_visible()
    leave(tab)
