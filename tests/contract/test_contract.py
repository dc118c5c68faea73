"""docs/contract.md: each section names tests that exist, and code cites sections that exist."""

import re

import pytest

from tests.support.api import ROOT
from tests.support.trust import exists, named

TEXT = (ROOT / "docs/contract.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d+)\. .+\n((?:(?!## ).*\n)+)", TEXT, re.MULTILINE))
CITATION = re.compile(r"[Ss]ection\s+(\d+)\s+of\s+the\s+contract|contract's\s+section\s+(\d+)")


def test_sections_are_numbered_without_a_gap() -> None:
    assert [int(number) for number in SECTIONS] == list(range(1, 12))


@pytest.mark.parametrize("number", SECTIONS)
def test_section_names_tests_that_exist(number: str) -> None:
    tests = named(SECTIONS[number].partition("Shown by")[2])
    assert tests, f"name tests that show section {number}: Shown by `integration/test_….py::test_…`"
    missing = sorted(test for test in tests if not exists(test))
    assert missing == [], f"section {number} names tests that do not exist"


def test_sections_that_the_code_cites_exist() -> None:
    folders = ("functions", "layers", "local", "tests", "tools", "benchmarks")
    cited = {
        (number, str(file.relative_to(ROOT)))
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        # A citation may span two lines of a comment.
        for citation in CITATION.findall(re.sub(r"\n\s*#?", " ", file.read_text()))
        for number in citation
        if number
    }
    assert len(cited) > 5
    assert {each for each in cited if each[0] not in SECTIONS} == set()
