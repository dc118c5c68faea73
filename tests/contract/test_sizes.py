"""Modules and functions stay short enough to read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ROOT

FOLDERS = ("benchmarks", "functions", "layers", "local", "tools")
MAX_MODULE_LINES = 350
MAX_FUNCTION_LINES = 50


def too_long(folder: Path) -> Iterator[str]:
    """Yield each module and function of a folder that is too long, with its number of lines."""
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        name = path.relative_to(folder).as_posix()
        lines = len(source.splitlines())
        if lines > MAX_MODULE_LINES:
            yield f"{name}: {lines}"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    yield f"{name}::{node.name}: {lines}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_and_no_function_is_too_long(folder: str) -> None:
    assert list(too_long(ROOT / folder)) == []


def test_a_long_module_and_a_long_function_are_reported(tmp_path: Path) -> None:
    body = "    pass\n" * (MAX_FUNCTION_LINES - 1)
    (tmp_path / "service.py").write_text(
        f"def fits():\n{body}\n\nasync def too_long():\n{body}    pass\n", encoding="utf-8"
    )
    assert list(too_long(tmp_path)) == ["service.py::too_long: 51"]
    (tmp_path / "fits.py").write_text("A = 1\n" * MAX_MODULE_LINES, encoding="utf-8")
    (tmp_path / "service.py").write_text("A = 1\n" * (MAX_MODULE_LINES + 1), encoding="utf-8")
    assert list(too_long(tmp_path)) == ["service.py: 351"]
