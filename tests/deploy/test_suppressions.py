"""T15: each suppression of a linter covers one check at one place and states its reason."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloudformation import ROOT, template, walk

TEXT = (ROOT / "template.yaml").read_text()
CHECK = re.compile(r"\b(?:CKV2?_AWS_\d+|[EIW]S?\d{4})\b")
# The configuration files that could suppress checks for the whole template.
CONFIGURATION_FILES = (
    ".cfnlintrc",
    ".cfnlintrc.yaml",
    ".cfnlintrc.yml",
    ".checkov.yaml",
    ".checkov.yml",
)


def lines() -> list[tuple[int, str]]:
    """Return the lines of the template that name a check."""
    return [
        (number, line) for number, line in enumerate(TEXT.splitlines(), 1) if CHECK.search(line)
    ]


def reason(number: int, line: str) -> str:
    """Return the comment beside or above a check."""
    comment = (
        line.partition("#")[2] or line.partition("comment:")[2] or line.partition("reason:")[2]
    )
    above = TEXT.splitlines()[number - 2].strip()
    return (comment or (above if above.startswith("#") else "")).strip(" #}]'\"")


def skips() -> Iterator[dict[str, Any]]:
    """Yield the suppressions of checkov in the template."""
    for value in walk(template()):
        if isinstance(value, dict) and isinstance(value.get("checkov"), dict):
            yield from value["checkov"]["skip"]


@pytest.mark.parametrize(("number", "line"), lines(), ids=lambda value: str(value)[:60].strip())
def test_each_suppression_has_its_reason_beside_it(number: int, line: str) -> None:
    assert len(reason(number, line).split()) >= 4, f"template.yaml:{number}: {line.strip()}"


def test_checkov_reads_the_reasons() -> None:
    for skip in skips():
        assert len(skip["comment"].split()) >= 4, skip


def test_cfn_lint_suppressions_name_single_checks() -> None:
    suppressed = [
        check
        for value in walk(template())
        if isinstance(value, dict) and "ignore_checks" in value
        for check in value["ignore_checks"]
    ]
    # `E`, `W` or `ES` alone would suppress a whole class of checks.
    assert all(CHECK.fullmatch(check) for check in suppressed), json.dumps(suppressed)


def test_no_check_is_suppressed_outside_the_template() -> None:
    assert not [name for name in CONFIGURATION_FILES if (ROOT / name).exists()]
    script = (ROOT / "tests/deploy_check.py").read_text()
    assert "--skip-check" not in script
    assert "--ignore-checks" not in script
