"""/admin: numbers, charts with their tables, and the state of what the service needs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.local import LocalService, cache_of
from tests.web.conftest import Browse


@pytest.fixture(autouse=True)
def counted_anew(service: LocalService) -> None:
    """Drop the numbers that the service keeps for a minute."""
    with cache_of(service.data) as cache:
        cache.delete("stats")


def request_films(people: People, service: LocalService) -> None:
    """Let bob request two films and carol one; alice approves one."""
    made = []
    for name, tmdb_id in (("bob", 603), ("bob", 550), ("carol", 13)):
        body = {"mediaType": "movie", "tmdbId": tmdb_id}
        token = people.token(name)
        made.append(service.call("POST", "/api/media/request", body=body, token=token).data["id"])
    path = f"/api/admin/requests/{made[0]}/approve"
    service.call("POST", path, body={}, token=people.token("alice"))


def with_days(tab: Tab, counts: list[int]) -> list[str]:
    """Give the statistics numbers by day, which end today; return the days."""
    today = datetime.now(UTC).date()
    days = [str(today - timedelta(days=len(counts) - 1 - at)) for at in range(len(counts))]

    def respond(route: Route) -> None:
        answer: Any = route.fetch()
        body = answer.json()
        body["data"]["requestsByDay"] = [
            {"day": day, "requests": count} for day, count in zip(days, counts, strict=True)
        ]
        route.fulfill(json=body)

    tab.route("**/api/admin/stats", respond)
    return days


def test_numbers_and_links(browse: Browse, people: People, service: LocalService) -> None:
    request_films(people, service)
    tab = browse("alice")
    tab.visit("/admin")
    waiting = tab.page.locator(".tile", has_text="Waiting requests")
    expect(waiting.locator(".figure")).to_have_text("2")
    expect(waiting).to_contain_text("the oldest this minute")
    health = tab.page.locator(".board", has_text="State of the service")
    expect(health.locator("div", has_text="Database").first).to_contain_text("answers")
    expect(health.get_by_text("Cache", exact=True)).to_be_visible()
    expect(health.get_by_role("link", name="Radarr")).to_be_visible()
    expect(health).to_contain_text("A search shows whether it answers.")
    tab.axe()
    first = tab.page.locator(".top").get_by_role("link").first
    expect(first).to_have_text("bob")
    expect(first).to_have_attribute("href", re.compile("/admin/users/[0-9a-f-]{36}$"))


def test_a_service_without_a_cache_shows_none(browse: Browse) -> None:
    tab = browse("alice")

    def respond(route: Route) -> None:
        body = route.fetch().json()
        body["data"]["checks"]["cache"] = {"status": "none", "latencyMs": 0}
        route.fulfill(json=body)

    health = tab.page.locator(".board", has_text="State of the service")
    tab.route("**/api/health", respond)
    tab.follow("/admin")
    expect(health.get_by_text("Database", exact=True)).to_be_visible()
    expect(health.get_by_text("Cache", exact=True)).to_have_count(0)


def test_charts_have_tables(browse: Browse, people: People, service: LocalService) -> None:
    request_films(people, service)
    tab = browse("alice", screen=DESKTOP)
    with_days(tab, [0] * 27 + [4, 0, 3])
    tab.follow("/admin")
    bars = tab.page.locator(".bars rect")
    expect(bars).to_have_count(30)
    heights = [float(each.get_attribute("height") or 0) for each in bars.all()[-3:]]
    assert heights[0] > heights[2] > heights[1] == 0
    table = tab.page.get_by_role("table", name="Requests of the last 30 days")
    expect(table.get_by_role("row")).to_have_count(31)
    expect(table.get_by_role("row").last).to_contain_text("3")
    shown = tab.page.get_by_role("button", name="Show as a table: Requests of the last 30 days")
    shown.focus()
    tab.press("Enter")
    expect(tab.page.locator(".numbers-box")).to_be_visible()
    tab.axe()
    states = tab.page.get_by_role("table", name="Requests by state")
    expect(states.get_by_role("row", name="Waiting")).to_contain_text("67 %")
    expect(tab.page.locator(".donut .approved")).to_have_count(1)
    expect(tab.page.locator(".donut .declined")).to_have_count(0)


def test_no_requests_and_errors(browse: Browse) -> None:
    tab = browse("alice")
    with (
        tab.answer("/api/health", 503, "DATABASE_CONNECTION_ERROR"),
        tab.answer("/api/admin/stats", 503, "DATABASE_CONNECTION_ERROR"),
    ):
        tab.follow("/admin")
        expect(tab.page.get_by_role("button", name="Try again")).to_have_count(2)
    for _ in range(2):
        tab.page.get_by_role("button", name="Try again").first.click()
        tab.settle()
    expect(tab.page.get_by_text("nothing waits")).to_be_visible()
    expect(tab.page.get_by_text("Nobody has requested anything")).to_be_visible()
    expect(tab.page.locator(".checks")).to_contain_text("Database")
