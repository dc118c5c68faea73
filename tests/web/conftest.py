"""Fixtures: the real service and a browser for each worker, and tabs for each test.

CONTRIBUTING.md shows how to write a test with them.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Literal, Protocol

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect
from redis import Redis

from tests.support.browser import axe
from tests.support.browser.kept import NO_POLL, Profile, can_rest, rest
from tests.support.browser.launch import browser
from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.browser.wait import SECONDS
from tests.support.browser.watch import REPORT_CSP, Watch
from tests.support.local import LocalService, cache_of, database_of, local_service
from tests.support.plex import control
from tests.support.sourced import SOURCE_HEADER

type Stores = tuple[psycopg.Connection[tuple[Any, ...]], Redis]

FOLDER = Path(__file__).parent
# A tab of a test does not live long enough to repay the compilation of optimised code.
_FLAGS = "--js-flags=--no-maglev --no-turbofan"
_browser = ExitStack()
_started: list[Browser] = []
_kept: dict[Profile, Page] = {}
_sources = count(1)


class Browse(Protocol):
    """Open a tab; see the fixture `browse`."""

    def __call__(
        self,
        name: str | None = None,
        *,
        screen: Screen = ...,
        language: str = ...,
        scheme: Literal["dark", "light"] = ...,
        zone: str = ...,
        is_shared: bool = ...,
    ) -> Tab: ...


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop the browser before a test of another folder: functions cannot run beside it."""
    if nextitem is None or FOLDER not in nextitem.path.parents:
        _browser.pop_all().close()


def pytest_sessionfinish() -> None:
    """Stop the browser of a run that ends early."""
    _browser.close()


def add_films(people: People, service: LocalService, count: int) -> list[tuple[str, str]]:
    """Let bob have requests for this many films; return ids and titles, the newest first."""
    # bob has an account once he has signed in.
    assert people.token("bob")
    with database_of(service.data, {}) as connection:
        connection.execute(
            "WITH made AS (INSERT INTO media_requests (user_id, media_type, tmdb_id, title,"
            " requested_at) SELECT u.id, 'movie', 900000 + n, 'Film number ' || n,"
            " now() - n * interval '1 minute' FROM users u, generate_series(1, %s) n"
            " WHERE u.username = 'bob' RETURNING id, tmdb_id)"
            " INSERT INTO request_items (request_id, media_type, tmdb_id)"
            " SELECT id, 'movie', tmdb_id FROM made",
            (count,),
        )
        found = connection.execute(
            "SELECT id, title FROM media_requests ORDER BY requested_at DESC"
        ).fetchall()
    return [(str(request), title) for request, title in found]


@pytest.fixture
def chrome() -> Browser:
    """Return this worker's browser."""
    if not _started:
        expect.set_options(timeout=SECONDS * 1000)
        _started.append(_browser.enter_context(browser(_FLAGS)))
        _browser.callback(_started.clear)
        _browser.callback(_kept.clear)
    return _started[0]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run the service as `make run` does; a header names the address of the caller."""
    with local_service(tmp_path_factory.mktemp("web"), sourced=True) as running:
        yield running


@pytest.fixture(scope="session")
def everyone(service: LocalService) -> People:
    """Return the people who can sign in."""
    return People(service)


@pytest.fixture(scope="session")
def stores(service: LocalService) -> Iterator[Stores]:
    """Return connections to the database and the cache, which each test needs."""
    with database_of(service.data, {}) as connection, cache_of(service.data) as cache:
        yield connection, cache


@pytest.fixture
def people(everyone: People, stores: Stores) -> People:
    """Return the people who can sign in, in a service without faults and requests."""
    for url in (everyone.plex_url, everyone.tmdb_url):
        control(url, "DELETE", "fault")
    connection, cache = stores
    # A test that made TMDB fail has opened its circuit for half a minute.
    for key in cache.scan_iter("{breaker:*"):
        cache.delete(key)
    connection.execute("DELETE FROM media_requests")
    return everyone


@pytest.fixture(params=[PHONE, DESKTOP], ids=lambda screen: screen.name)
def screen(request: pytest.FixtureRequest) -> Screen:
    """Run a test on a phone and on a desktop."""
    chosen: Screen = request.param
    return chosen


@pytest.fixture
def source() -> str:
    """Return the address from which this test's browsers call, for limits by address."""
    number = next(_sources)
    return f"198.18.{number // 250}.{number % 250 + 1}"


@pytest.fixture
def watch(service: LocalService) -> Iterator[Watch]:
    """Watch all tabs of a test; the test fails on a problem that it did not provoke."""
    watched = Watch(service.url)
    yield watched
    assert not watched.problems, "\n".join(watched.problems)


@pytest.fixture
def browse(chrome: Browser, watch: Watch, people: People, source: str) -> Iterator[Browse]:
    """Return a function that opens a tab of an own browser profile, signed in as `name`.

    The tab of a person may come from an earlier test. A test that goes on from there by
    `tab.follow` saves the start of the page; `tab.visit` and a reload do start it.
    `is_shared=False` gives the test a new profile with an own session. A test needs one that ends
    the session, or changes more of the browser than drafts, for instance its language or clock.
    At the end of the test axe-core checks each tab that is still open.
    """
    shared: dict[Profile, Tab] = {}
    own: list[BrowserContext] = []

    def open_tab(
        name: str | None = None,
        *,
        screen: Screen = PHONE,
        language: str = "en-GB",
        scheme: Literal["dark", "light"] = "dark",
        zone: str = "UTC",
        is_shared: bool = True,
    ) -> Tab:
        profile = Profile(name, screen, language, scheme, zone)
        is_kept = name is not None and is_shared and profile not in shared
        if is_kept and profile in _kept:
            page = _kept.pop(profile)
        else:
            state = (people.state if is_shared else people.new_state)(name) if name else None
            page = _context(chrome, profile, state).new_page()
        page.context.set_extra_http_headers({SOURCE_HEADER: source})
        watch.attach(page.context)
        tab = Tab(page, watch, screen)
        if is_kept:
            shared[profile] = tab
        else:
            own.append(page.context)
        return tab

    yield open_tab
    _check([*own, *(each.page.context for each in shared.values())], watch)
    for profile, tab in shared.items():
        if can_rest(tab):
            rest(tab)
            # Calls that it makes while it rests belong to no test.
            watch.detach(tab.page.context)
            _kept[profile] = tab.page
        else:
            own.append(tab.page.context)
    for context in own:
        context.close()


def _check(contexts: list[BrowserContext], watch: Watch) -> None:
    for context in contexts:
        for page in context.pages:
            if page.url.startswith(watch.origin):
                watch.problems += axe.findings(page)


def _context(chrome: Browser, profile: Profile, state: StorageState | None) -> BrowserContext:
    screen = profile.screen
    context = chrome.new_context(
        viewport={"width": screen.width, "height": screen.height},
        has_touch=screen.is_touch,
        is_mobile=screen.is_touch,
        locale=profile.language,
        timezone_id=profile.zone,
        color_scheme=profile.scheme,
        reduced_motion="reduce",
        storage_state=state,
    )
    for script in (REPORT_CSP, NO_POLL):
        context.add_init_script(script)
    context.set_default_timeout(SECONDS * 1000)
    return context
