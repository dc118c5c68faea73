"""docs/trust.md names tests that exist."""

import re

import pytest

from tests.support.api import ROOT

NAMED = re.findall(r"`([\w/]+\.py)::(?:(\w+)::)?(\w+)`", (ROOT / "docs/trust.md").read_text())


@pytest.mark.parametrize(("file", "group", "name"), NAMED)
def test_named_test_exists(file: str, group: str, name: str) -> None:
    source = (ROOT / "tests" / file).read_text()
    if group:
        source = source.partition(f"class {group}")[2]
        source = re.split(r"^class ", source, flags=re.MULTILINE)[0]
    assert re.search(rf"def {name}\(", source), f"{file} has no {group}::{name}"
