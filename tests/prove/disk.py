"""Mount a file system so small that a database can fill it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 256
_CHUNK = b"\0" * 65536


class NoDiskError(Exception):
    """A small file system cannot be mounted; the message names the missing privilege."""


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small file system at a folder; raises NoDiskError if that is not allowed."""
    size = f"size={MEGABYTES}m,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", size, "medianest-prove", str(folder)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        raise NoDiskError("the privilege to mount a file system (root)")
    result = subprocess.run(mount, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    if result.returncode:
        raise NoDiskError(f"the privilege to mount a file system ({result.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], timeout=20, check=True)


def fill(ballast: Path) -> int:
    """Write to a file until the disk is full; return the number of bytes."""
    with ballast.open("ab", buffering=0) as file:
        size = len(_CHUNK)
        while size:
            try:
                file.write(_CHUNK[:size])
            except OSError:
                size //= 2
        return file.tell()
