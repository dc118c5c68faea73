"""docs/trust.md has every line of the requirements; a run without its tests fails."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.trust import TRUST, exists, missing, named

TEXT = TRUST.read_text()
ROWS = [line.strip("|").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")][1:]
# The number of lines in each section of the requirements.
SECTIONS = {"A": 26, "B": 8, "C": 11, "D": 13, "E": 10, "F": 5, "G": 5, "R": 20}
LINES = [f"{name}{number:02}" for name, last in SECTIONS.items() for number in range(1, last + 1)]
LINES += [f"L{number}" for number in range(1, 12)] + [f"T{number}" for number in range(1, 21)]


def test_each_line_of_the_requirements_has_one_row() -> None:
    rows_of = {line: sum(bool(re.search(rf"\b{line}\b", row[0])) for row in ROWS) for line in LINES}
    assert rows_of == dict.fromkeys(LINES, 1)


def test_each_row_has_a_test_or_a_reason() -> None:
    assert {len(row) for row in ROWS} == {2}
    assert [row for row in ROWS if not named(row[1]) and len(row[1].split()) <= 3] == []


def test_each_named_test_exists() -> None:
    unknown = [test for test in sorted(named(TEXT)) if not exists(test)]
    assert unknown == [], "docs/trust.md names them, but they do not exist"


def test_a_test_counts_if_it_passed_and_was_never_skipped() -> None:
    assert missing({"a", "b", "c"}, passed={"a", "b"}, skipped={"b"}) == ["b", "c"]
    assert missing({"a"}, passed={"a", "b"}, skipped={"b"}) == []


RUN = """
import sys, pytest
from tests.support.trust import TrustPlugin
for name in sys.argv[1:]:
    arguments = ["-q", "-p", "no:xdist", "test_some.py"]
    print("status", int(pytest.main(arguments, [TrustPlugin({f"test_some.py::{name}"})])))
"""


def test_a_run_fails_without_a_named_test(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('x', [1, 2])\n"
        "def test_runs(x): pass\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n"
    )
    statuses = {"test_runs": 0, "test_skipped": 1, "test_unknown": 1}
    completed = subprocess.run(
        [sys.executable, "-c", RUN, *statuses],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    parts = re.split(r"^status (\d)$", completed.stdout, flags=re.MULTILINE)
    assert parts[1::2] == [str(each) for each in statuses.values()], parts
    for part, (name, status) in zip(parts[::2], statuses.items(), strict=False):
        assert (f"test_some.py::{name}" in part) == bool(status)
