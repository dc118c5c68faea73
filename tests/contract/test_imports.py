"""The import rules apply to a new package without configuration."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import ROOT

MEDIANEST = Path("layers/shared/python/medianest")
LENDING = {
    MEDIANEST / "lending/__init__.py": "",
    MEDIANEST / "lending/service.py": (
        "import benchmarks.page\nimport fastapi\nimport local.config\n"
    ),
    MEDIANEST / "lending/schemas.py": "import psycopg\n",
    MEDIANEST / "lending/repository.py": "",
    Path("functions/lending/app.py"): (
        "import starlette\n"
        "from functions.auth import app\n"
        "from medianest.lending import repository\n"
    ),
}
BROKEN = [
    "Packages import downwards, in this order; every package is listed BROKEN",
    "Functions do not import each other BROKEN",
    "Functions import services and schemas, never SQL or an upstream BROKEN",
    "Only api imports the web framework BROKEN",
    "Only repositories, core and the migrations use SQL BROKEN",
    "Deployed code does not import the local runtime, the tests or the tools BROKEN",
    "Nothing imports the benchmarks BROKEN",
]
# Each of these imports breaks the rule about the web framework.
FRAMEWORK = ["medianest.lending.service -> fastapi", "functions.lending.app -> starlette"]


def test_every_rule_applies_to_a_new_package(tmp_path: Path) -> None:
    for folder in (MEDIANEST, "functions", "local", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, text in LENDING.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    completed = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / MEDIANEST.parent}:{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.returncode == 1, completed.stdout + completed.stderr
    lines = completed.stdout.splitlines()
    assert [line for line in BROKEN if not any(each.startswith(line) for each in lines)] == []
    assert [each for each in FRAMEWORK if each not in completed.stdout] == []


def test_services_and_repositories_have_the_same_name_in_every_module() -> None:
    modules = [path for top in (MEDIANEST, "functions") for path in (ROOT / top).rglob("*.py")]
    assert [each for path in modules for each in misnamed(path)] == []


def misnamed(path: Path) -> Iterator[str]:
    """Yield the imports of services and repositories whose name breaks the convention.

    In its own package, and in the function of that name, each is `service` or `repository`.
    Elsewhere the name begins with the package: `users_service`, `users_repository`.
    """
    own_package = path.parent.name
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("medianest."):
            continue
        package = (node.module or "").rpartition(".")[2]
        for alias in node.names:
            if alias.name in {"service", "repository"}:
                expected = alias.name if package == own_package else f"{package}_{alias.name}"
                if (alias.asname or alias.name) != expected:
                    yield f"{path}:{node.lineno}: {alias.name} of {package} is not {expected}"


@pytest.mark.parametrize(
    "line",
    [
        "from medianest.users import repository\n",
        "from medianest.users import repository as users\n",
        "from medianest.users import service as users\n",
        "from medianest.lending import service as lending\n",
    ],
)
def test_a_misnamed_import_is_reported(tmp_path: Path, line: str) -> None:
    module = tmp_path / "lending/service.py"
    module.parent.mkdir()
    module.write_text(line, encoding="utf-8")
    assert len(list(misnamed(module))) == 1


# Requests reserve and release items, fulfilment advances their states. Fulfilment assigns titles to
# servers, and the deletion of a server removes what nobody waits for.
SHARED_TABLES = {
    "handovers": ["fulfilment", "servers"],
    "request_items": ["fulfilment", "requests"],
}


def test_each_table_is_written_by_one_package() -> None:
    written = writers(ROOT / MEDIANEST)
    assert len(written) > 8
    assert {
        table: sorted(packages) for table, packages in written.items() if len(packages) > 1
    } == SHARED_TABLES


def writers(root: Path) -> dict[str, set[str]]:
    """Return the packages that write each table; the migrations define them all."""
    written: dict[str, set[str]] = defaultdict(set)
    for path in root.rglob("*.py"):
        package = ".".join(path.relative_to(root).parts[:-1])
        if package == "migrations":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for table in re.findall(
                    r"\b(?:INSERT INTO|DELETE FROM|UPDATE) ([a-z_]+)", node.value
                ):
                    written[table].add(package)
    return written


def test_a_second_writer_of_a_table_is_reported(tmp_path: Path) -> None:
    for package, statement in (("users", "UPDATE users SET"), ("lending", "DELETE FROM users")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "repository.py").write_text(f"SQL = '{statement}'\n")
    assert writers(tmp_path) == {"users": {"users", "lending"}}
