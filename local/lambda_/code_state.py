"""Detect edits of the code, so that the next call runs the new code."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_CODE_SUFFIXES = (".py", ".sql", ".json")


def code_state(folders: Iterable[Path]) -> int:
    """Return a number that changes with every edit below the folders."""
    files: list[tuple[str, int, int]] = []
    for folder in folders:
        for parent, folders_within, names in os.walk(folder):
            folders_within[:] = [name for name in folders_within if name != "__pycache__"]
            for name in names:
                if not name.endswith(_CODE_SUFFIXES):
                    continue
                # An editor may be replacing the file right now.
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(f"{parent}/{name}")  # noqa: PTH116 - many files, often
                    files.append((f"{parent}/{name}", status.st_mtime_ns, status.st_size))
    return hash(tuple(sorted(files)))
