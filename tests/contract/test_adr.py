"""docs/adr: each decision has a number, a status, a date and a matching entry in the index."""

import re

import pytest

from tests.support.api import ROOT

FOLDER = ROOT / "docs/adr"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = re.findall(
    r"^\| (\d+) \| \[(.+)\]\((.+\.md)\) \| (.+) \| (\d{4}-\d{2}-\d{2}) \|$",
    (FOLDER / "README.md").read_text(),
    re.MULTILINE,
)


def test_index_lists_every_decision_in_order() -> None:
    assert [row[2] for row in INDEX] == [page.name for page in PAGES]
    assert [int(row[0]) for row in INDEX] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row[0])
def test_a_decision_matches_its_index_entry(row: tuple[str, ...]) -> None:
    number, title, name, status, day = row
    text = (FOLDER / name).read_text()
    assert name.startswith(f"{int(number):04}-")
    assert text.startswith(f"# {number}. {title}\n")
    status_line = re.search(r"^\*\*Status\.\*\* (.+?), (\d{4}-\d{2}-\d{2})\.", text, re.MULTILINE)
    assert status_line is not None, "the first line is **Status.** Accepted, YYYY-MM-DD."
    assert (status_line[1].lower(), status_line[2]) == (status, day)
    for part in ("Context", "Decision", "Consequences"):
        assert f"**{part}" in text, f"add a paragraph that starts with **{part}.**"
