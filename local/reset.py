"""Remove the data of a local run."""

import re
import shutil
from pathlib import Path

from local.preflight import StartError, data_lock
from local.run_config import DEFAULT_DATA, SETTINGS_FILE

_OURS = re.compile(r"(postgres|valkey)(\.\w+)?|(run|settings)\.json(\.\d+\.new)?|run\.lock")


def remove_data(folder: Path) -> None:
    """Remove a data folder; raises StartError while it is in use, and for any other folder."""
    if not folder.exists():
        return
    if folder.resolve() != DEFAULT_DATA:
        _check_is_data(folder)
    with data_lock(folder):
        shutil.rmtree(folder)


def _check_is_data(folder: Path) -> None:
    # A mistyped --data must not cost anybody a home folder.
    names = sorted(each.name for each in folder.iterdir())
    others = [name for name in names if not _OURS.fullmatch(name)]
    if others or (names and SETTINGS_FILE not in names):
        reason = f"it has {others[0]}" if others else f"it has no {SETTINGS_FILE}"
        raise StartError(
            f"{folder.resolve()} is not a data folder of MediaNest: {reason}. Nothing was removed"
        )
