"""/admin/jobs: filters in the URL, retry and cancel, failures in words."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, Tab
from tests.support.browser.wait import wait_until
from tests.support.local import LocalService, database_of
from tests.web.conftest import Browse

LATER = datetime.now(UTC) + timedelta(days=2)


def add_job(service: LocalService, tmdb_id: int, state: str, **columns: Any) -> str:
    """Add a job of a film in a state, as the worker would have left it."""
    ended = datetime.now(UTC) if state in {"dead", "done", "cancelled"} else None
    values = {
        "kind": "handover",
        "dedup": f"test:{tmdb_id}",
        "lane": f"test:{tmdb_id}",
        "payload": json.dumps({"mediaType": "movie", "tmdbId": tmdb_id}),
        "state": state,
        "attempts": 3,
        "run_at": LATER,
        "deadline_at": LATER + timedelta(days=1),
        "finished_at": ended,
        **columns,
    }
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    with database_of(service.data, {}) as connection:
        row = connection.execute(
            f"INSERT INTO jobs ({names}) VALUES ({places}) RETURNING id",
            tuple(values.values()),
        ).fetchone()
    assert row is not None
    return str(row[0])


def add_queued(service: LocalService, count: int) -> None:
    """Add jobs that wait, for films from 1000 on."""
    first = add_job(service, 1000, "queued")
    columns = "kind, state, attempts, run_at, deadline_at"
    with database_of(service.data, {}) as connection:
        connection.execute(
            f"INSERT INTO jobs (dedup, lane, payload, {columns})"
            " SELECT 'test:' || n, 'test:' || n, payload || jsonb_build_object('tmdbId', n),"
            f" {columns} FROM jobs, generate_series(1001, 999 + %s) n WHERE id = %s",
            (count, first),
        )


def failure(code: str, cls: str) -> str:
    """Return the error of a job."""
    return json.dumps({"class": cls, "code": code, "message": f"{code} happened"})


@pytest.fixture(autouse=True)
def no_jobs(people: People, service: LocalService) -> Iterator[None]:
    """Remove the jobs of this test and of earlier ones."""
    with database_of(service.data, {}) as connection:
        connection.execute("DELETE FROM jobs WHERE state <> 'leased'")
    yield
    with database_of(service.data, {}) as connection:
        connection.execute("DELETE FROM jobs WHERE state <> 'leased'")


def row(tab: Tab, tmdb_id: int) -> Locator:
    """Return the row of a film's job."""
    return tab.page.locator(".row", has=tab.page.locator(f"a[href='/movie/{tmdb_id}']"))


def test_jobs_are_filtered_in_the_url(browse: Browse, service: LocalService) -> None:
    add_job(service, 603, "dead", error=failure("TITLE_UNKNOWN", "never"))
    add_job(service, 550, "queued", error=failure("CONNECTION_FAILED", "unreachable"))
    add_job(service, 13, "done")
    tab = browse("alice")
    tab.follow("/admin/jobs")
    expect(tab.page.get_by_text("3 jobs")).to_be_visible()
    expect(row(tab, 603)).to_contain_text("Given up")
    expect(row(tab, 603)).to_contain_text("The server does not know the title.")
    expect(row(tab, 603)).to_contain_text("(TITLE_UNKNOWN)")
    expect(row(tab, 550)).to_contain_text("next run")
    expect(row(tab, 550)).to_contain_text("3 attempts")
    tab.axe()
    tab.page.get_by_role("button", name="Given up").click()
    tab.page.wait_for_url("**/admin/jobs?state=dead")
    expect(row(tab, 550)).to_have_count(0)
    tab.page.get_by_label("Kind").select_option("check")
    tab.page.wait_for_url("**/admin/jobs?state=dead&kind=check")
    expect(tab.page.get_by_text("No job matches")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_text("No job matches")).to_be_visible()
    tab.page.get_by_role("link", name="Show all").click()
    expect(row(tab, 13)).to_contain_text("Done")


def test_one_is_retried_and_one_cancelled_by_keyboard(
    browse: Browse, service: LocalService
) -> None:
    add_job(service, 603, "dead", error=failure("TITLE_UNKNOWN", "never"))
    add_job(service, 550, "queued")
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/jobs")
    tab.tab_to("Cancel the job for Film 550")
    tab.press("Enter")
    expect(row(tab, 550)).to_contain_text("Cancelled")
    expect(row(tab, 550).get_by_role("button", name="Retry the job")).to_be_focused()
    row(tab, 603).get_by_role("button", name="Retry the job for Film 603").focus()
    tab.press("Enter")
    expect(row(tab, 603)).to_contain_text("Waiting")
    expect(row(tab, 603).get_by_role("button", name="Cancel the job")).to_be_visible()


def test_another_admin_was_first(browse: Browse, people: People, service: LocalService) -> None:
    job = add_job(service, 550, "queued")
    tab = browse("alice")
    tab.follow("/admin/jobs")
    path = f"/api/admin/jobs/{job}/cancel"
    assert service.call("POST", path, token=people.token("alice")).status == 200
    with tab.provoke(path, 409):
        row(tab, 550).get_by_role("button", name="Cancel the job").click()
        expect(row(tab, 550).get_by_role("alert")).to_contain_text("was cancelled meanwhile")
    expect(row(tab, 550).get_by_role("button", name="Retry the job")).to_be_visible()


def test_all_dead_ones_are_retried_within_the_filters(
    browse: Browse, people: People, service: LocalService
) -> None:
    for tmdb_id in (603, 550, 13):
        add_job(service, tmdb_id, "dead", error=failure("NO_RESPONSE", "unreachable"))
    other = add_job(service, 680, "dead", kind="check")
    tab = browse("alice")
    tab.follow("/admin/jobs?kind=handover")
    expect(tab.page.get_by_text("3 jobs have given up (Hand-over)")).to_be_visible()
    ask = tab.page.get_by_role("button", name="Retry all of them")
    ask.click()
    dialog = tab.page.get_by_role("dialog", name="Retry 3 jobs?")
    tab.axe()
    tab.press("Escape")
    expect(ask).to_be_focused()
    ask.click()
    with tab.answer("/api/admin/jobs/retry", 503, "DATABASE_CONNECTION_ERROR"):
        dialog.get_by_role("button", name="Retry all of them").click()
        expect(dialog).to_contain_text("cannot reach its database")
    dialog.get_by_role("button", name="Retry all of them").click()
    expect(tab.page.get_by_text("3 jobs run again.")).to_be_visible()
    read = service.call("GET", f"/api/admin/jobs/{other}", token=people.token("alice"))
    assert read.data["state"] == "dead"


def test_a_refresh_keeps_the_place(browse: Browse, service: LocalService) -> None:
    add_queued(service, 30)
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/jobs?page=2")
    expect(tab.page.locator(".jobs .row")).to_have_count(30)
    tab.page.mouse.wheel(0, 1200)
    wait_until(tab.page, "() => scrollY > 600")
    before = tab.page.evaluate("scrollY")
    with database_of(service.data, {}) as connection:
        connection.execute("UPDATE jobs SET attempts = 7 WHERE dedup = 'test:1005'")
    refresh = tab.page.get_by_role("button", name="Refresh")
    refresh.evaluate("(button) => button.click()")
    expect(tab.page.get_by_text("The list is up to date.")).to_be_visible()
    expect(row(tab, 1005)).to_contain_text("7 attempts")
    expect(tab.page.locator(".jobs .row")).to_have_count(30)
    assert tab.page.evaluate("scrollY") == before
    assert tab.path == "/admin/jobs?page=2"


def test_jobs_that_leave_a_filter_hide_none_of_the_rest(
    browse: Browse, service: LocalService
) -> None:
    add_queued(service, 25)
    tab = browse("alice", screen=DESKTOP)
    tab.follow("/admin/jobs?state=queued")
    rows = tab.page.locator(".jobs .row")
    expect(rows).to_have_count(20)
    for number in (0, 1):
        rows.nth(number).get_by_role("button", name="Cancel the job").click()
        expect(rows.nth(number)).to_contain_text("Cancelled")
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(rows).to_have_count(25)
    # An answer on its way may be older than what is done meanwhile.
    with tab.hold("/api/admin/jobs", "page=1") as held:
        tab.page.get_by_role("button", name="Refresh").click()
        held.wait()
        rows.nth(2).get_by_role("button", name="Cancel the job").click()
        expect(rows.nth(2)).to_contain_text("Cancelled")
        held.release()
        held.wait()
    expect(tab.page.get_by_text("The list is up to date.")).to_be_visible()
    expect(rows).to_have_count(22)


def test_no_jobs_and_an_error(browse: Browse) -> None:
    tab = browse("alice")
    with tab.answer("/api/admin/jobs", 503, "DATABASE_CONNECTION_ERROR"):
        tab.follow("/admin/jobs")
        expect(tab.page.get_by_text("The service cannot reach its database")).to_be_visible()
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_role("heading", name="No jobs")).to_be_visible()
