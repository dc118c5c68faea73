"""The worker processes of a local service: which there are, what they use, what they are doing."""

import os
import signal
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def workers_of(pid: int) -> dict[int, str]:
    """Return the workers of a local service, each with the name of its function's folder."""
    found = {}
    for child in children_of(pid):
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"bootstrap.py" in words:
                found[child] = Path(f"/proc/{child}/cwd").readlink().name
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def memory_of(pid: int) -> int:
    """Return the bytes that a process has in memory, 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def owner_of(local_port: int, pids: list[int]) -> int | None:
    """Return which of some processes has the TCP connection that begins at a port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].rpartition(":")[2], 16) == local_port:
            inodes.add(f"socket:[{words[9]}]")
    for pid in pids:
        try:
            files = list(Path(f"/proc/{pid}/fd").iterdir())
            if any(str(each.readlink()) in inodes for each in files):
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def send(number: signal.Signals, *pids: int) -> None:
    """Send a signal to processes, those that have ended excepted."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
