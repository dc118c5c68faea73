"""Check before a start: that the data is not in use, the port free, everything installed."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StartError(Exception):
    """The service cannot start; the message is for the person at the terminal."""


@contextmanager
def data_lock(data: Path) -> Iterator[None]:
    """Lock a data folder for this process; raises StartError while a service runs on it."""
    # The kernel drops the lock with its holder, so a killed run leaves none behind.
    with (data / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"MediaNest already runs on the data in {data}") from None
        yield


def check_port(port: int) -> None:
    """Raise StartError if the API cannot listen on a port, before a database is started for it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise StartError(
                f"Port {port} cannot be used: {os.strerror(error.errno)}. "
                "Choose another one: PORT=3100 make run"
            ) from error


def check_installed(*folders: Path) -> None:
    """Raise StartError if a folder that `make` installs is missing."""
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise StartError(f"Not installed: {', '.join(missing)}. `make run` installs it.")
