"""The import rules apply to a new package without configuration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.api import ROOT

MEDIANEST = Path("layers/shared/python/medianest")
LENDING = {
    MEDIANEST / "lending/__init__.py": "",
    MEDIANEST / "lending/service.py": "import fastapi\nimport local.config\n",
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
    "Only repositories, core.db and the migrations use SQL BROKEN",
    "Deployed code does not import the local runtime, the tests or the tools BROKEN",
]
# Each of these imports breaks the rule about the web framework.
FRAMEWORK = ["medianest.lending.service -> fastapi", "functions.lending.app -> starlette"]


def test_a_new_package_is_held_to_every_rule(tmp_path: Path) -> None:
    for folder in (MEDIANEST, "functions", "local", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, text in LENDING.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / MEDIANEST.parent}:{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in BROKEN if not any(each.startswith(line) for each in lines)] == []
    assert [each for each in FRAMEWORK if each not in done.stdout] == []
