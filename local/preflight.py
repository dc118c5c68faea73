"""Check before the start that the data is unused, the port free and everything installed."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StartError(Exception):
    """The service cannot start; the message says how to fix it."""


@contextmanager
def data_lock(data: Path) -> Iterator[None]:
    """Lock a data folder for this process; raises StartError while a service uses it."""
    # The kernel releases the lock when its holder dies, so a killed run leaves none behind.
    with (data / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"MediaNest is already running with the data in {data}: stop it first"
            ) from None
        yield


def check_port(port: int) -> None:
    """Raise StartError if the API cannot listen on a port, before any engine starts."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise StartError(
                f"Port {port} cannot be used: {os.strerror(error.errno)}. "
                "Choose another port: PORT=3100 make run"
            ) from error


def check_installed(*folders: Path) -> None:
    """Raise StartError if `make` has not installed one of the folders."""
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise StartError(f"Not installed: {', '.join(missing)}. `make run` installs it.")
