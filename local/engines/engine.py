"""Start, share, restart and stop a server on 127.0.0.1."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from local.engines.errors import EngineError

HOST = "127.0.0.1"
_DEADLINE = 30.0
# For one command; initdb is slow on a busy machine.
_COMMAND_TIMEOUT = 120.0
_MAX_STARTS = 3
_PORT_AND_PID = re.compile(r"(\d{1,5}) (\d+)\s*", re.ASCII)

# The server's parent. It has a separate session, so that Ctrl-C at the terminal reaches neither of
# the two. It forks, so that the process that started it can exit while others use the server.
_WATCHER = """
import fcntl, os, signal, subprocess, sys
users, running, stop, *command = sys.argv[1:]
if os.fork():
    os._exit(0)
os.setsid()
server = subprocess.Popen(
    command, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=[int(running)]
)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a zombie looks alive to the next PostgreSQL
os.close(int(running))
print(server.pid, flush=True)
os.dup2(2, 1)
fcntl.flock(os.open(users, os.O_RDWR), fcntl.LOCK_EX)
server.send_signal(int(stop))
server.wait()
"""


@dataclass(frozen=True, slots=True)
class Server:
    """The address and the process of a running server."""

    url: str
    pid: int


class Engine(ABC):
    """A server on the data in `directory`, shared by every process that uses it.

    Three lock files coordinate the processes. The kernel releases a lock when its last holder
    dies, even by kill -9, so no lock is ever stale:

    `NAME.turn`     exclusive: one process at a time finds, starts or leaves the server
    `NAME.users`    shared by the users; the watcher waits for it exclusively, then stops the server
    `NAME.running`  held by the server's processes, so free means stopped; contains "port pid"
    """

    name: ClassVar[str]
    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / self.name
        self.log = self.file("log")
        self.starts = 0

    @abstractmethod
    def command(self, port: int, lock_fd: int) -> list[str]:
        """Create the data if it is missing and return the server's command line.

        The server inherits `lock_fd`, the lock on `NAME.running`.
        """

    @abstractmethod
    def url(self, port: int) -> str:
        """Return the URL that clients connect to."""

    @abstractmethod
    def is_ready(self, server: Server) -> bool:
        """Return whether this server, and not another program, responds at its address."""

    @contextmanager
    def use(self) -> Iterator[Server]:
        """Join the running server or start it; the last user to leave waits until it stops."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._open("users") as users:
            with self._exclusive():
                # The watcher of the previous server holds this lock until the server has stopped.
                self._wait("the previous server to stop", lambda: _try_lock(users, fcntl.LOCK_SH))
                server = self._wait("the server to respond", self._find_or_start)
            try:
                yield server
            finally:
                with self._exclusive():
                    self._release(users)

    def restart(self, stopped: Server) -> Server:
        """Restart a stopped server on its previous port, while processes still use it.

        Raises EngineError if it does not stay up or its port is taken.
        """
        self.starts = 0
        with self._exclusive():
            server = self._wait("the server to respond", self._find_or_start)
        if server.url != stopped.url:
            raise self._error("another program uses its port")
        return server

    def _find_or_start(self) -> Server | None:
        # The file is closed but never unlocked: a server started here inherits the lock.
        with self._open("running") as running:
            if _try_lock(running, fcntl.LOCK_EX):
                # Another program may have taken the port in the meantime: retry.
                if self.starts == _MAX_STARTS:
                    raise self._error("the server stops right after its start")
                self._start(running)
            port, pid = _port_and_pid(running)
        server = Server(self.url(port), pid)
        return server if self.is_ready(server) else None

    def _start(self, running: IO[str]) -> None:
        self.starts += 1
        self.log.write_bytes(b"")
        port = bindable_port(_port_and_pid(running)[0]) or bindable_port(0)
        lock_fd = running.fileno()
        command = self.command(port, lock_fd)
        arguments = [str(self.file("users")), str(lock_fd), str(int(self.stop_signal)), *command]
        pid = self.run([sys.executable, "-I", "-S", "-c", _WATCHER, *arguments], lock_fd)
        running.truncate(0)
        running.write(f"{port} {pid}")

    @staticmethod
    def is_running(server: Server) -> bool:
        """Return whether the process of a server exists."""
        try:
            os.kill(server.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _release(self, users: IO[str]) -> None:
        # If the watcher gets the exclusive lock first, this process was also the last user.
        last = _try_lock(users, fcntl.LOCK_EX) or not _try_lock(users, fcntl.LOCK_SH)
        users.close()
        if last:
            self._wait("the server to stop", self._stopped)

    def _stopped(self) -> bool:
        # The watcher holds the lock on `NAME.users` until it has reaped the server.
        with self._open("running") as running, self._open("users") as users:
            return _try_lock(running, fcntl.LOCK_EX) and _try_lock(users, fcntl.LOCK_EX)

    def run(self, command: list[str], lock_fd: int, stdin: str = "") -> str:
        """Run a command and return its output; its standard error goes to the log.

        The command inherits `lock_fd`: if this process dies, the next one waits for the command.
        """
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(  # noqa: S603 - no user input
                    command,
                    input=stdin,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    pass_fds=[lock_fd],
                    env=os.environ | {"LC_ALL": "C"},
                    start_new_session=True,  # Ctrl-C is for this process only
                    check=False,
                    timeout=_COMMAND_TIMEOUT,
                )
            except subprocess.TimeoutExpired:
                raise self._error(
                    f"{command[0]} timed out after {_COMMAND_TIMEOUT:.0f} s"
                ) from None
        if done.returncode or not done.stdout:
            raise self._error("the server could not be started")
        return done.stdout

    def _error(self, reason: str) -> EngineError:
        tail = self.log.read_text(errors="replace").splitlines()[-20:] if self.log.exists() else []
        return EngineError("\n".join([f"{self.name}: {reason}. Last lines of {self.log}:", *tail]))

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._open("turn") as turn:
            self._wait("other processes to finish", lambda: _try_lock(turn, fcntl.LOCK_EX))
            yield

    def _wait[T](self, awaited: str, attempt: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + _DEADLINE
        while not (result := attempt()):
            if time.monotonic() > deadline:
                raise self._error(f"timed out after {_DEADLINE:.0f} s waiting for {awaited}")
            time.sleep(0.005)
        return result

    def file(self, kind: str) -> Path:
        """Return the path of a lock file or the log, beside the data."""
        return self.directory / f"{self.name}.{kind}"

    def _open(self, kind: str) -> IO[str]:
        return self.file(kind).open("a+", errors="replace")


def _try_lock(file: IO[str], operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _port_and_pid(running: IO[str]) -> tuple[int, int]:
    """Return the port and pid of the current or last server, zeros if they are not known.

    A power cut can leave an empty file or any bytes in it.
    """
    running.seek(0)
    match = _PORT_AND_PID.fullmatch(running.read())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def bindable_port(port: int) -> int:
    """Return `port`, or a free port for 0; return 0 if no server can listen on it."""
    with socket.socket() as probe:
        # The servers set this too: connections of the previous one may be in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return 0
        bound: int = probe.getsockname()[1]
        return bound
