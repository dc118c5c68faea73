"""Comments, docstrings and pages use the field's words, and sentences start with their subject."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ROOT

FOLDERS = (
    *("layers/shared", "functions", "local", "tools", "benchmarks", "tests"),
    *("docs", "lint", "events"),
)
FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Makefile", "template.yaml")
# A relative clause in the place of the subject; a question may start so.
LATE_SUBJECTS = re.compile(
    r"(?:^|[.!:] )(?:Who|What|Whoever|Whatever|That there|So many|Of all|Of several)\b"
)
PARAPHRASES = re.compile(
    r"\b(?:anew|(?:is|are|was) told|lets? in|holds? off|hand(?:s|ed)? on|makes? do with"
    r"|goes by|somebody|whoever)\b"
)
# Applied migrations cannot change. This file names the words that it looks for.
EXEMPT_FILES = (*ROOT.glob("layers/shared/python/medianest/migrations/*.sql"), Path(__file__))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and docstrings of a module, or the lines of another file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate((line.lstrip("#-*|> ") for line in text.splitlines()), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#: ")
        elif token.type == tokenize.STRING and token.string.startswith('"""'):
            yield token.start[0], token.string.strip('"')


def files() -> list[Path]:
    """Return every file of the project that has prose."""
    paths = [
        path
        for folder in FOLDERS
        for suffix in ("py", "md", "yml", "yaml", "sql")
        for path in (ROOT / folder).rglob(f"*.{suffix}")
    ]
    return sorted({*paths, *(ROOT / name for name in FILES)} - {*EXEMPT_FILES})


def problems(lines: Iterator[tuple[int, str]]) -> list[str]:
    """Return the places where a rule is broken."""
    return [
        f"{number}: {match.group()!r} in {text[:80]!r}"
        for number, text in lines
        for rule in (LATE_SUBJECTS, PARAPHRASES)
        for match in rule.finditer(text)
        if "?" not in text[match.start() :]
    ]


def test_prose_follows_the_rules() -> None:
    broken = {
        str(path.relative_to(ROOT)): places for path in files() if (places := problems(prose(path)))
    }
    assert broken == {}, "CONTRIBUTING.md has the conventions"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("What the function returns is a row.", 1),
        ("The call fails. Who is not an admin gets 403.", 1),
        ("The client is told to sign in anew.", 2),
        ("What can I do?", 0),
        ("Log 401 and 403 as warnings: denied access matters to operators.", 0),
    ],
)
def test_a_paraphrase_and_a_late_subject_are_reported(text: str, count: int) -> None:
    assert len(problems(iter([(1, text)]))) == count
