"""Run `python -m MODULE` as a fork of a process that has imported the local service.

A new process would spend a second of processor time on its imports.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from local.run_config import PROJECT

SECONDS = 60.0
CONTEXT = multiprocessing.get_context("forkserver")
# Without `local.__main__`, which runs as the main module.
CONTEXT.set_forkserver_preload([__name__, "local.service", "local.control", "local.reset"])


def start(
    command: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path | None = None
) -> ForkServerProcess:
    """Start a module with arguments, in a session of its own and with only these variables."""
    process = CONTEXT.Process(
        target=_run, args=(list(command), dict(environment), output, errors or output), daemon=True
    )
    process.start()
    return process


def run(
    command: Sequence[object], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a module with arguments to its end, and return its exit code and what it printed."""
    arguments = [str(each) for each in command]
    with TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = start(arguments, environment, output, errors)
        process.join(SECONDS)
        code = process.exitcode
        process.kill()
        assert code is not None, f"{arguments} did not end: {output.read_text()}"
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def _run(command: list[str], environment: dict[str, str], output: Path, errors: Path) -> None:
    os.setsid()
    os.chdir(PROJECT)
    for descriptor, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
