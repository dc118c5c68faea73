"""Modules and functions stay short enough to read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ROOT

FOLDERS = ("benchmarks", "functions", "layers", "local", "tools")
MAX_MODULE_LINES = 350
MAX_FUNCTION_LINES = 50


def long_modules(folder: Path) -> Iterator[str]:
    """Yield each module of a folder that is too long, with its number of lines."""
    for path in sorted(folder.rglob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_MODULE_LINES:
            yield f"{path.relative_to(folder).as_posix()}: {lines}"


def long_functions(folder: Path) -> Iterator[str]:
    """Yield each function of a folder that is too long, with its number of lines."""
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    yield f"{name}::{node.name}: {lines}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_too_long(folder: str) -> None:
    assert list(long_modules(ROOT / folder)) == []


# A module of tests may be longer: it has all tests of one feature.
@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_no_function_is_too_long(folder: str) -> None:
    assert list(long_functions(ROOT / folder)) == []


def test_a_long_module_and_a_long_function_are_reported(tmp_path: Path) -> None:
    body = "    pass\n" * (MAX_FUNCTION_LINES - 1)
    (tmp_path / "service.py").write_text(
        f"def fits():\n{body}\n\nasync def too_long():\n{body}    pass\n", encoding="utf-8"
    )
    assert list(long_functions(tmp_path)) == ["service.py::too_long: 51"]
    assert list(long_modules(tmp_path)) == []
    (tmp_path / "fits.py").write_text("A = 1\n" * MAX_MODULE_LINES, encoding="utf-8")
    (tmp_path / "service.py").write_text("A = 1\n" * (MAX_MODULE_LINES + 1), encoding="utf-8")
    assert list(long_modules(tmp_path)) == ["service.py: 351"]
