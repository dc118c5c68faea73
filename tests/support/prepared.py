"""A database with all migrations, which the services of one run of the tests begin with.

Creating one takes a second of processor time, half of the start of a service.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# Other processes of the run inherit it. Without it, services begin with an empty folder.
_FOLDER = "MEDIANEST_TEST_PREPARED"
_NAMES = ("postgres", "postgres.password")
_SECONDS = 60.0


def use(run: Path) -> None:
    """Choose the folder of a run, in which the first use creates the database."""
    folder = run / "prepared"
    folder.mkdir(exist_ok=True)
    os.environ[_FOLDER] = str(folder)


def copy(data: Path, create: Callable[[Path], None]) -> None:
    """Copy the database into the data folder of a service that has none; `create` makes it."""
    if _FOLDER not in os.environ or (data / _NAMES[0]).exists():
        return
    folder = Path(os.environ[_FOLDER])
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # until `create`, which has a timeout, has finished
        if not (folder / "data").exists():
            shutil.rmtree(folder / "new", ignore_errors=True)  # of a failed attempt
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv(_FOLDER)  # this service has none to copy
                create(folder / "new")
            (folder / "new").rename(folder / "data")
    # PostgreSQL may run as another user, who keeps the files.
    sources = [str(folder / "data" / name) for name in _NAMES]
    subprocess.run(["cp", "-Rp", *sources, str(data)], check=True, timeout=_SECONDS)
