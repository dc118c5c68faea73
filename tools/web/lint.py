"""Check types, browser support and styles of the page: `make lint-web`."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.run_config import PROJECT
from tools.web.node import node, packages

_ES_CHECK = ("es2020", "--module", "--checkFeatures", "--noCache", "--noColor")


def findings(folder: Path) -> str:
    """Return the findings of all linters in a page's folder, empty if there are none."""
    source = packages("lint")
    commands: list[tuple[Path, tuple[str | Path, ...]]] = [
        (source / "typescript/bin/tsc", ("--project", folder, "--pretty", "false")),
        (source / "es-check/lib/cli/index.js", (*_ES_CHECK, "./**/*.js")),
        (source / "eslint/bin/eslint.js", ("--config", source.parent / "eslint.config.mjs", ".")),
    ]
    with ThreadPoolExecutor() as threads:
        results = threads.map(lambda each: node(each[0], *each[1], cwd=folder), commands)
        return "".join(each.stdout + each.stderr for each in results if each.returncode)


def run() -> None:
    """Print the findings for the page, and fail if there are any."""
    sys.exit(findings(PROJECT / "web") or None)
