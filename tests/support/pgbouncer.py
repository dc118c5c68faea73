"""A real PgBouncer in transaction mode, with the strictest settings."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from local.engines.privileges import not_root

_START_SECONDS = 20.0
# Every transaction gets the server connection that was idle for longest, and its session state is
# discarded afterwards, so code that relies on session state fails.
_SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
logfile = {folder}/pgbouncer.log
auth_type = md5
auth_file = {folder}/users
auth_user = {user}
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
admin_users = {user}
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
server_round_robin = 1
server_reset_query = DISCARD ALL
server_reset_query_always = 1
"""


@dataclass(frozen=True)
class Pool:
    """A running PgBouncer."""

    port: int
    admin_url: str

    def url(self, url: str) -> str:
        """Return a URL of its PostgreSQL rewritten to go through PgBouncer."""
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{credentials}@127.0.0.1:{self.port}").geturl()

    def reconnect(self) -> None:
        """Replace the server connections, so that later transactions see changed defaults."""
        with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as admin:
            admin.execute("RECONNECT")


def binary() -> str | None:
    """Return the path of PgBouncer; Debian installs it in /usr/sbin, outside a user's PATH."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pgbouncer(server: str, folder: Path) -> Iterator[Pool]:
    """Run PgBouncer in front of PostgreSQL, given by the URL of its superuser.

    Every role of PostgreSQL may connect to any database.
    """
    program = binary()
    assert program is not None, "PgBouncer is not installed"
    parts = urlsplit(server)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir(parents=True)
    escaped = (part.replace('"', '""') for part in (user, password))
    (folder / "users").write_text('"{}" "{}"\n'.format(*escaped))
    values = {"host": parts.hostname, "port": parts.port, "listen": port, "user": user}
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(folder=folder, **values))
    # PgBouncer refuses to run as root, and must end if the tests are killed.
    die_with_parent = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*not_root(), *die_with_parent, program, str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    pool = Pool(port, "")
    pool = Pool(port, pool.url(server).rpartition("/")[0] + "/pgbouncer")
    try:
        _wait(pool, process, folder)
        yield pool
    finally:
        process.terminate()
        process.wait(20)


def _wait(pool: Pool, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(pool.admin_url, autocommit=True, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < deadline, (folder / "output").read_text()
            time.sleep(0.02)
        else:
            return
