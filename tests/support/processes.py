"""Processes that hang or have ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Let a process hang: it answers nobody and closes nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def exists(pid: int) -> bool:
    """Tell whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
