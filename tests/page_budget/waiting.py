"""The wait of a visitor while a database that pauses wakes up (docs/adr/0030, 0033)."""

import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, StorageState, expect
from psycopg import conninfo

from local.engines.postgres import PostgresEngine
from tests.page_budget.network import new_context
from tests.support.browser.people import People
from tests.support.local import local_service
from tests.support.sleeper import sleeper

# AWS names 15 seconds for a wake-up, and 30 or longer after a day.
WAKE_UPS = (15, 30)
_TIMEOUT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds until the page says that the service wakes up, and until it shows its content."""

    notice: float
    content: float


def waits(chrome: Browser, folder: Path) -> tuple[float, dict[int, Wait]]:
    """Return the seconds to the content while the database is awake, and each wake-up's wait."""
    with PostgresEngine(folder / "engine", durable=False).use() as server:
        parts = conninfo.conninfo_to_dict(server.url)
        with sleeper(str(parts["host"]), int(str(parts["port"]))) as proxy:
            netloc = server.url.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
            url = f"{netloc}/{parts['dbname']}"
            variables = {"DATABASE_URL": url, "DATABASE_PAUSES": "true"}
            with local_service(folder / "waking", environment=variables) as service:
                state = People(service).state("bob")
                awake = _visit(chrome, service.url, state, sleeps=False)
                found = {}
                for seconds in WAKE_UPS:
                    proxy.sleep(seconds)
                    found[seconds] = _visit(chrome, service.url, state, sleeps=True)
    return awake.content, found


def _visit(chrome: Browser, origin: str, state: StorageState, *, sleeps: bool) -> Wait:
    context = new_context(chrome, state)
    page = context.new_page()
    started = time.monotonic()
    page.goto(f"{origin}/requests")
    notice = 0.0
    if sleeps:
        expect(page.get_by_text("waking up")).to_be_visible(timeout=_TIMEOUT_MS)
        notice = time.monotonic() - started
    expect(page.get_by_text("not requested anything yet")).to_be_visible(timeout=_TIMEOUT_MS)
    content = time.monotonic() - started
    context.close()
    return Wait(notice, content)
