"""Inspect and signal the worker processes of a local service."""

import os
import signal
from pathlib import Path

from tests.support.api import ROOT

_FUNCTIONS = ROOT / "functions"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    """Return the child processes of a process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def workers_of(pid: int) -> dict[int, str]:
    """Return the workers of a local service, by pid, with the folder of their function."""
    workers = {}
    descendants = children_of(pid)
    for each in descendants:
        descendants += children_of(each)
        try:
            folder = Path(f"/proc/{each}/cwd").readlink()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended in the meantime
        if folder.parent == _FUNCTIONS:
            workers[each] = folder.name
    return workers


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in bytes, 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def owner_of(local_port: int, pids: list[int]) -> int | None:
    """Return the process in `pids` that owns the TCP connection from a local port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == local_port:
            inodes.add(f"socket:[{fields[9]}]")
    for pid in pids:
        try:
            files = list(Path(f"/proc/{pid}/fd").iterdir())
            if any(str(each.readlink()) in inodes for each in files):
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def send(number: signal.Signals, *pids: int) -> None:
    """Send a signal to processes, and ignore those that have ended."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
