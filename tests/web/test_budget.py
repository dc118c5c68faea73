"""The first view keeps to the budgets that do not depend on the machine."""

from playwright.sync_api import Browser

from tests.page_budget.network import load
from tests.support.local import LocalService


def test_the_first_view_is_small(chrome: Browser, service: LocalService) -> None:
    first = load(chrome, "signin", f"{service.url}/signin", None)
    kibibytes = {kind: size / 1024 for kind, size in first.bytes.items()}
    assert 10 < kibibytes["script"] <= 35
    assert 2 < kibibytes["stylesheet"] <= 8
    assert 10 < kibibytes["font"] <= 20
    assert first.total > sum(first.bytes[kind] for kind in ("script", "stylesheet", "font"))
    assert first.usable > 0
    assert first.requests > 5
