"""`make lint` finds code that breaks a rule (lint/tests has the rules of ast-grep)."""

import re
import shutil
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ROOT

BIN = ROOT / ".venv/bin"
CODE = ("layers", "functions", "local", "tests", "tools", "benchmarks")
MAX_NOQA = 24
MAX_TYPE_IGNORES = 8
MAKEFILE = (ROOT / "Makefile").read_text()
STATEMENTS = '''\
"""One statement."""

from typing import Any, LiteralString

from psycopg import Connection, sql

from medianest.core.db import fetch_all, fetch_one, fetch_row, fetch_value

COLUMNS = "id, username"
ORDERS: dict[str, LiteralString] = {{"name": "username"}}


def run(connection: Connection[Any], name: str, names: list[str]) -> None:
    """Run one statement."""
    {statement}
'''
ALLOWED_STATEMENTS = (
    'connection.execute("SELECT FROM users WHERE username = %s", (name,))',
    'connection.execute(f"SELECT {COLUMNS} FROM users")',
    'connection.execute("SELECT " + COLUMNS + " FROM users")',
    'connection.execute(f"SELECT FROM users ORDER BY {ORDERS[name]}")',
    'fetch_value(connection, " AND ".join(ORDERS[each] for each in names))',
    'connection.execute(sql.SQL("SELECT FROM {table}").format(table=sql.Identifier(name)))',
)
REJECTED_STATEMENTS = (
    "connection.execute(name)",
    "connection.execute(f\"SELECT FROM users WHERE username = '{name}'\")",
    'connection.execute("SELECT FROM users WHERE username = " + name)',
    "connection.execute(\"SELECT FROM users WHERE username = '%s'\" % name)",
    'connection.execute("SELECT FROM {}".format(name))',
    'connection.execute(" AND ".join(names))',
    'connection.execute(sql.SQL(f"SELECT FROM {name}"))',
    'connection.cursor().executemany(f"DELETE FROM {name}", [])',
    'connection.cursor().stream(f"SELECT FROM {name}")',
    'fetch_one(connection, str, f"SELECT FROM {name}")',
    'fetch_row(connection, str, f"SELECT FROM {name}")',
    'fetch_all(connection, str, f"SELECT FROM {name}")',
    'fetch_value(connection, f"SELECT {COLUMNS} FROM " + name)',
    # A comment that silences mypy does not silence this rule.
    "connection.execute(name)  # type: ignore[arg-type]",
)


def output_of(*command: str | Path) -> str:
    """Return the output of a linter, empty if it finds nothing."""
    completed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert completed.returncode in {0, 1}, completed.stderr
    return completed.stdout if completed.returncode else ""


def comments(word: str) -> Iterator[tuple[str, str, str]]:
    """Yield the place and text of each comment that has a word, and the line above it."""
    for path in sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py")):
        with tokenize.open(path) as file:
            lines = file.read().splitlines()
            file.seek(0)
            for token in tokenize.generate_tokens(file.readline):
                if token.type == tokenize.COMMENT and word in token.string:
                    row = token.start[0]
                    above = lines[row - 2].strip() if row > 1 else ""
                    yield f"{path.relative_to(ROOT)}:{row}", token.string, above


def ty(folder: Path, statement: str) -> str:
    """Return the findings of ty in a project with our settings and one statement."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    code = folder / "layers/shared/python/statement.py"
    code.parent.mkdir(parents=True)
    code.write_text(STATEMENTS.format(statement=statement))
    project = ("--project", folder, "--python", ROOT / ".venv")
    return output_of(BIN / "ty", "check", *project, "--output-format=concise")


@pytest.mark.parametrize("statement", ALLOWED_STATEMENTS)
def test_a_statement_may_be_composed_of_constants(tmp_path: Path, statement: str) -> None:
    assert ty(tmp_path, statement) == ""


@pytest.mark.parametrize("statement", REJECTED_STATEMENTS)
def test_a_value_in_the_text_of_a_statement_is_rejected(tmp_path: Path, statement: str) -> None:
    assert re.search(r"statement\.py:15:\d+: error\[", ty(tmp_path, statement))


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("from xml.etree import ElementTree", "B405"),
        ("print('hidden \N{RIGHT-TO-LEFT OVERRIDE}')", "B613"),
        ("eval(input())", "B307"),
    ],
)
def test_bandit_runs_checks_that_ruff_lacks(tmp_path: Path, code: str, check: str) -> None:
    (tmp_path / "code.py").write_text(f"{code}\n", encoding="utf-8")
    command = ("bandit", "--quiet", "--configfile", "pyproject.toml", "--format", "custom")
    options = ("--msg-template", "{test_id}", "--recursive")
    assert check in output_of(BIN / command[0], *command[1:], *options, tmp_path)


def test_each_rule_has_code_that_breaks_it() -> None:
    rules = {path.stem for path in (ROOT / "lint/rules").glob("*.yml")}
    tests = {path.stem.removesuffix("-test") for path in (ROOT / "lint/tests").glob("*.yml")}
    assert rules == tests != set()


@pytest.mark.parametrize("tool", ["ty check", "bandit", "ast-grep test", "ast-grep scan"])
def test_each_linter_reads_every_deployed_folder(tool: str) -> None:
    # One rule is for the tests alone.
    lines = [line for line in MAKEFILE.splitlines() if f"$(BIN)/{tool}" in line]
    [line] = [line for line in lines if "--rule" not in line]
    assert tool.endswith(("check", "test")) or line.endswith("layers functions local tools")


@pytest.mark.parametrize(
    ("word", "maximum", "pattern"),
    [
        ("noqa", MAX_NOQA, r"# noqa: [A-Z0-9, ]+ - \w.+"),
        ("type: ignore", MAX_TYPE_IGNORES, r"# type: ignore\[[a-z, -]+\]  # \w.+"),
    ],
)
def test_suppressions_are_few_and_each_has_a_reason(word: str, maximum: int, pattern: str) -> None:
    suppressions = list(comments(word))
    without_reason = [
        place
        for place, text, above in suppressions
        if not re.fullmatch(pattern, text) and not above.startswith("# ")
    ]
    assert without_reason == [], "each needs its reason on its line or on the line above"
    assert len(suppressions) <= maximum, "configure exceptions of a folder in pyproject.toml"
