"""The generated pages match the code."""

import re

import pytest

from local.run_config import PROJECT
from tools.docs.events import events
from tools.docs.pages import PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_equals_its_file(name: str) -> None:
    is_current = (PROJECT / name).read_text(encoding="utf-8") == PAGES[name]()
    assert is_current, f"{name} does not match the code: run `make docs`"


def test_sample_events_are_up_to_date() -> None:
    stale = [
        name
        for name, text in events().items()
        if not (PROJECT / name).exists() or (PROJECT / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], f"run `make docs`, which writes {', '.join(stale)}"


def test_documented_statement_timeout_is_the_configured_one() -> None:
    page = (PROJECT / "docs/environment.md").read_text(encoding="utf-8")
    documented = re.findall(r"cancels a statement after (\d+) seconds", page)
    migrations = PROJECT / "layers/shared/python/medianest/migrations"
    code = "".join(path.read_text() for path in sorted(migrations.iterdir()) if path.is_file())
    configured = re.findall(r"statement_timeout = '+(\d+)s'", code)
    assert len(documented) == 1
    assert len(configured) >= 2  # for the owner and for the role of the functions
    assert set(configured) == set(documented)
