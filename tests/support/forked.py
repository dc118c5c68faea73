"""Run code of this project in forks of one process that has imported it.

A new process would spend a second of processor time on its imports.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.run_config import PROJECT

SECONDS = 60.0
# Its processes have the variables of the first use; those of `process` have given ones.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        # Without `local.__main__`, which runs as the main module.
        *("local.service", "local.control", "local.reset"),
        "tests.support.paused_run",
    ]
)


def process(
    target: Callable[..., None], *arguments: object, environment: Mapping[str, str]
) -> ForkServerProcess:
    """Start a process that calls a function of a module, with only these variables."""
    started = CONTEXT.Process(
        target=_call, args=(target, arguments, dict(environment)), daemon=True
    )
    started.start()
    return started


def start(
    command: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path | None = None
) -> ForkServerProcess:
    """Start `python -m` with a module and arguments, in a session of its own."""
    return process(_run, list(command), output, errors or output, environment=environment)


def run(
    command: Sequence[object], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with a module and arguments; return its exit code and what it printed."""
    arguments = [str(each) for each in command]
    with TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        output.touch()
        errors.touch()
        started = start(arguments, environment, output, errors)
        started.join(SECONDS)
        code = started.exitcode
        started.kill()
        assert code is not None, f"{arguments} did not end: {output.read_text()}"
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def _call(target: Callable[..., None], arguments: Any, environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)


def _run(command: list[str], output: Path, errors: Path) -> None:
    os.setsid()
    os.chdir(PROJECT)
    for descriptor, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv[:] = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
