"""Apply each mutation to a copy of template.yaml, and report those that no check notices."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutate.mutations import MUTATIONS, Mutation
from tests.support.api import ROOT

# The most likely first, because a run ends with the first failure.
CHECKS = (
    *("tests/deploy/test_reachability.py", "tests/deploy/test_alarms.py"),
    *("tests/deploy/test_wiring.py", "tests/contract/test_metrics.py"),
    *("tests/deploy", "tests/contract/test_template.py", "tests/contract/test_deployment_docs.py"),
    *("tests/integration/test_local_queue_settings.py", "tests/contract/test_events.py"),
)
LINK = (".venv", ".venv-translator")
_SECONDS = 300


class StaleMutationError(Exception):
    """The text that a mutation replaces is not exactly once in the template."""


def mutate(template: str, mutation: Mutation) -> str:
    """Return the template with a mutation; raises StaleMutationError."""
    if template.count(mutation.old) != 1:
        raise StaleMutationError(
            f"{mutation.title}: its text is in template.yaml {template.count(mutation.old)} times"
        )
    return template.replace(mutation.old, mutation.new)


def noticed_by(mutation: Mutation, *, lint: bool = True) -> str | None:
    """Return the check that notices a mutation, None if it survives; `lint` runs cfn-lint last."""
    with tempfile.TemporaryDirectory(prefix="medianest-mutate-") as name:
        copy = Path(name)
        for path in _tracked():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, copy / path)
        for folder in [*map(Path, LINK), *_compiled(copy)]:
            (copy / folder).symlink_to(ROOT / folder)
        template = copy / "template.yaml"
        template.write_text(mutate(template.read_text(), mutation))
        tests = [mutation.test] if mutation.test else [*CHECKS]
        return _failed_test(copy, tests) or (_lint(copy) if lint else None)


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return [each for each in listed.stdout.splitlines() if (ROOT / each).is_file()]


def _compiled(copy: Path) -> list[Path]:
    """Return the folders with compiled code; a copy keeps the times by which Python knows them."""
    folders = [each.relative_to(copy) / "__pycache__" for each in copy.rglob("*/")]
    return [each for each in folders if (ROOT / each).is_dir()]


def _failed_test(copy: Path, tests: list[str]) -> str | None:
    completed = subprocess.run(
        [
            *(copy / ".venv/bin/python", "-m", "pytest", "-x", "-q", "-n", "0", "--no-header"),
            # Runs that share a folder of temporary files remove each other's at their end.
            f"--basetemp={copy / '.pytest'}",
            *tests,
        ],
        cwd=copy,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if completed.returncode == 0:
        return None
    failed = [
        each for each in completed.stdout.splitlines() if each.startswith(("FAILED", "ERROR"))
    ]
    if not failed:
        raise RuntimeError(completed.stdout[-2000:] + completed.stderr[-2000:])
    return failed[0].split()[1]


def _lint(copy: Path) -> str | None:
    completed = subprocess.run(
        [copy / ".venv/bin/cfn-lint", "template.yaml"],
        cwd=copy,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    return "cfn-lint" if completed.returncode else None


def main() -> int:
    """Run the mutations and return the exit code: 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate")
    parser.add_argument("words", nargs="*", help="run only the mutations whose titles have them")
    words = parser.parse_args().words
    chosen = [each for each in MUTATIONS if all(word in each.title for word in words)]
    survived: list[str] = []
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(noticed_by, chosen)
        for number, (mutation, check) in enumerate(zip(chosen, results, strict=True), 1):
            outcome = f"noticed by {check}" if check else "SURVIVES"
            seconds = time.perf_counter() - started
            print(
                f"{number:3}/{len(chosen)} {seconds:4.0f} s  {mutation.title}: {outcome}",
                flush=True,
            )
            if check is None:
                survived.append(mutation.title)
    print(f"{len(chosen) - len(survived)} noticed, {len(survived)} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
