"""Start, share, restart and stop a server on 127.0.0.1."""

import fcntl
import os
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
# For one command, such as initdb on a busy machine.
_COMMAND_TIMEOUT = 120.0
_MAX_STARTS = 3

# The server's parent, in a session of its own: the terminal's Ctrl-C must not reach the two. The
# fork lets the process that started it, which may not be the last user, exit first.
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

    Three lock files are the design. The kernel drops a lock when its last holder dies, even by
    kill -9, so none can be stale:

    `NAME.turn`     serialises the processes that look for the server, start it or leave it
    `NAME.users`    shared by the users; the watcher waits to lock it alone, then stops the server
    `NAME.running`  held by the server's own processes: free means gone; its text is "port pid"
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
        """Create the data if there is none and return the server's command line.

        Processes inherit `lock_fd`, the running lock.
        """

    @abstractmethod
    def url(self, port: int) -> str:
        """Return the URL that clients connect to."""

    @abstractmethod
    def is_ready(self, server: Server) -> bool:
        """Return whether this server, and no other program, answers at its address."""

    @contextmanager
    def use(self) -> Iterator[Server]:
        """Join the running server or start it; the last user to leave waits until it stops."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._open("users") as users:
            with self._turn():
                # The watcher of the previous server holds it until that has stopped.
                self._wait("the previous server to stop", lambda: _try_lock(users, fcntl.LOCK_SH))
                server = self._wait("it to answer", self._find_or_start)
            try:
                yield server
            finally:
                with self._turn():
                    self._release(users)

    def restart(self, stopped: Server) -> Server:
        """Restart a server that has stopped, at its port, while it is in use.

        Raises EngineError when it does not stay up or its port is taken.
        """
        self.starts = 0
        with self._turn():
            server = self._wait("it to answer", self._find_or_start)
        if server.url != stopped.url:
            raise self._error("another program has taken its port")
        return server

    def _find_or_start(self) -> Server | None:
        # Closed, never unlocked: a server started here inherits this very lock.
        with self._open("running") as running:
            if _try_lock(running, fcntl.LOCK_EX):
                # Another program may have taken the port first: try again.
                if self.starts == _MAX_STARTS:
                    raise self._error("it stopped at once")
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
        # If the watcher is quicker to lock it alone, this process was the last user as well.
        last = _try_lock(users, fcntl.LOCK_EX) or not _try_lock(users, fcntl.LOCK_SH)
        users.close()
        if last:
            self._wait("it to stop", self._stopped)

    def _stopped(self) -> bool:
        # The watcher keeps the users' lock until it has reaped the server.
        with self._open("running") as running, self._open("users") as users:
            return _try_lock(running, fcntl.LOCK_EX) and _try_lock(users, fcntl.LOCK_EX)

    def run(self, command: list[str], lock_fd: int, given: str = "") -> str:
        """Return the output of a command; its errors go to the log.

        It inherits `lock_fd`, the running lock: if this process dies, the next waits for it.
        """
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(  # noqa: S603 - our own words and paths
                    command,
                    input=given,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    pass_fds=[lock_fd],
                    env=os.environ | {"LC_ALL": "C"},
                    start_new_session=True,  # a Ctrl-C at the terminal is for us, who then stop it
                    check=False,
                    timeout=_COMMAND_TIMEOUT,
                )
            except subprocess.TimeoutExpired:
                raise self._error(f"waited {_COMMAND_TIMEOUT:.0f} s for {command[0]}") from None
        if done.returncode or not done.stdout:
            raise self._error("it could not be started")
        return done.stdout

    def _error(self, reason: str) -> EngineError:
        tail = self.log.read_text(errors="replace").splitlines()[-20:] if self.log.exists() else []
        return EngineError("\n".join([f"{self.name}: {reason}. The end of {self.log}:", *tail]))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._open("turn") as turn:
            self._wait("other processes", lambda: _try_lock(turn, fcntl.LOCK_EX))
            yield

    def _wait[T](self, what: str, attempt: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + _DEADLINE
        while not (result := attempt()):
            if time.monotonic() > deadline:
                raise self._error(f"waited {_DEADLINE:.0f} s for {what}")
            time.sleep(0.005)
        return result

    def file(self, kind: str) -> Path:
        """Return the path of one of the files beside the data."""
        return self.directory / f"{self.name}.{kind}"

    def _open(self, kind: str) -> IO[str]:
        return self.file(kind).open("a+")


def _try_lock(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _port_and_pid(running: IO[str]) -> tuple[int, int]:
    """Return the port and pid of the current or last server, zeros if there was none."""
    running.seek(0)
    port, pid = running.read().split() or ("0", "0")
    return int(port), int(pid)


def bindable_port(port: int) -> int:
    """Return `port`, or a free one for 0; 0 if no server can listen there."""
    with socket.socket() as probe:
        # As the servers do: connections of the previous one may linger in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return 0
        found: int = probe.getsockname()[1]
        return found
