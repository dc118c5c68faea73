"""The embedded engines: processes share them, restart them, and never leave one running."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from local.engines.engine import Engine, Server
from local.engines.errors import EngineError
from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine
from tests.support import engine_user, forked
from tests.support.local import copy_database
from tests.support.processes import exists

ENGINES = ["postgres", "valkey"]
SECONDS = 60.0


class EngineUser:
    """A process that uses a server until it reads a message or the test kills it."""

    def __init__(self, engine: str, directory: Path, *child: str) -> None:
        self.pipe, other = forked.CONTEXT.Pipe()
        arguments = (engine, directory, child, other)
        self.process = forked.process(engine_user.use, *arguments, environment=os.environ)
        other.close()

    def line(self) -> Any:
        """Return what the process tells next."""
        if self.pipe.poll(SECONDS):
            return self.pipe.recv()
        raise AssertionError("the process tells nothing")

    def server(self) -> Server:
        return Server(*self.line())

    def interrupt(self) -> None:
        """Send what Ctrl-C at its terminal sends."""
        assert self.process.pid is not None
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int | None:
        """Wait for the end and return the exit code."""
        self.process.join(SECONDS)
        return self.process.exitcode

    def stop(self) -> None:
        self.pipe.send("stop")
        assert self.end() == 0

    def kill(self) -> None:
        self.process.kill()
        assert self.end() is not None


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Callable[..., EngineUser]]:
    with ExitStack() as stack:

        def start(engine: str, *child: str) -> EngineUser:
            started = EngineUser(engine, tmp_path, *child)
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def existing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Begin with the data that another PostgreSQL of the run has created."""
    if "valkey" not in request.node.name:
        copy_database(tmp_path)


def engine_of(engine: str, directory: Path, *, durable: bool = True) -> Engine:
    return (
        ValkeyEngine(directory)
        if engine == "valkey"
        else PostgresEngine(directory, durable=durable)
    )


def open_server(
    engine: str, directory: Path, *, durable: bool = False
) -> AbstractContextManager[Server]:
    return engine_of(engine, directory, durable=durable).use()


def put(server: Server, value: str) -> None:
    if server.url.startswith("redis"):
        with redis.Redis.from_url(server.url) as client:
            client.set("stored", value)
        return
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE stored AS SELECT %s::text AS value", (value,))


def get(server: Server) -> str:
    if server.url.startswith("redis"):
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            return str(client.get("stored"))
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT value FROM stored").fetchone()
    assert row
    return str(row[0])


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row
    return str(row[0])


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def ends_after_the_block(pid: int) -> Iterator[None]:
    assert exists(pid)
    yield
    wait_until(lambda: not exists(pid))


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_data_survives_a_restart_at_the_same_port(engine: str, tmp_path: Path) -> None:
    with open_server(engine, tmp_path) as first:
        put(first, "treasure")
    assert not exists(first.pid)
    with open_server(engine, tmp_path) as second:
        assert get(second) == "treasure"
    assert second.pid != first.pid
    assert second.url == first.url


@pytest.mark.parametrize("left", [b"", b"\0" * 12, b"5432", b"a b", b"99999 1", b"\xff\xfe"])
def test_server_starts_after_a_power_cut_damaged_its_address(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "valkey.running").write_bytes(left)
    with open_server("valkey", tmp_path) as server:
        put(server, "treasure")


def test_postgres_has_its_settings_and_refuses_a_wrong_password(tmp_path: Path) -> None:
    with PostgresEngine(tmp_path, durable=True).use() as server:
        assert_settings(server, safety="on")
        password = (tmp_path / "postgres.password").read_text()
        assert password in server.url
        assert setting(server.url, "is_superuser") == "on"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace(password, "wrong"))
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(server.url.replace(f":{password}", ""))
    assert (tmp_path / "postgres.password").stat().st_mode & 0o777 == 0o600


def assert_settings(server: Server, *, safety: str) -> None:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert setting(server.url, name) == safety
    assert setting(server.url, "TimeZone") == "UTC"
    assert setting(server.url, "server_encoding") == "UTF8"
    assert setting(server.url, "max_connections") == "200"
    assert setting(server.url, "listen_addresses") == "127.0.0.1"


def test_valkey_has_its_settings(tmp_path: Path) -> None:
    with (
        ValkeyEngine(tmp_path).use() as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        settings = client.config_get("maxmemory*", "bind", "dir")
    assert settings["maxmemory"] == str(64 * 1024 * 1024)
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["bind"] == "127.0.0.1"
    assert settings["dir"] == str(tmp_path / "valkey")


@pytest.mark.parametrize("engine", ENGINES)
def test_concurrent_processes_share_one_server_until_the_last_one_exits(
    engine: str, user: Callable[..., EngineUser]
) -> None:
    users = [user(engine) for _ in range(3)]
    servers = {each.server() for each in users}
    assert len(servers) == 1
    (server,) = servers
    put(server, "shared")
    for each in users[:-1]:
        each.stop()
        assert get(server) == "shared"
    users[-1].stop()
    assert not exists(server.pid)


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_server_stops_when_its_only_process_is_killed(
    engine: str, user: Callable[..., EngineUser]
) -> None:
    single_user = user(engine)
    with ends_after_the_block(single_user.server().pid):
        single_user.kill()


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_process_does_not_stop_the_server_of_another(
    engine: str, user: Callable[..., EngineUser]
) -> None:
    first = user(engine)
    server = first.server()
    second = user(engine)
    assert second.server() == server
    put(server, "mine")
    first.kill()
    assert get(server) == "mine"
    with ends_after_the_block(server.pid):
        second.kill()


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_server_starts_immediately_after_its_only_process_was_killed(
    engine: str, user: Callable[..., EngineUser], tmp_path: Path
) -> None:
    for _ in range(3):
        single_user = user(engine)
        single_user.server()
        single_user.kill()
        with open_server(engine, tmp_path) as server:
            assert exists(server.pid)


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_new_server_starts_after_the_server_was_killed(
    engine: str, user: Callable[..., EngineUser], tmp_path: Path
) -> None:
    first = user(engine)
    killed = first.server()
    os.kill(killed.pid, signal.SIGKILL)
    with open_server(engine, tmp_path) as server:
        assert server.pid != killed.pid
        put(server, "restarted")
        # The process that used the killed server does not stop the new server.
        first.kill()
        assert get(server) == "restarted"
    assert not exists(server.pid)


@pytest.mark.usefixtures("existing")
def test_committed_data_is_recovered_after_a_crash(tmp_path: Path) -> None:
    with PostgresEngine(tmp_path, durable=True).use() as killed:
        put(killed, "committed")
        os.kill(killed.pid, signal.SIGKILL)
    with PostgresEngine(tmp_path, durable=True).use() as server:
        assert get(server) == "committed"
    assert "automatic recovery" in (tmp_path / "postgres.log").read_text()


def test_start_succeeds_after_an_interrupted_creation_of_the_data(
    user: Callable[..., EngineUser], tmp_path: Path
) -> None:
    first = user("postgres")
    wait_until((tmp_path / "postgres.new" / "base").exists)
    first.kill()
    with PostgresEngine(tmp_path, durable=False).use() as server:
        assert_settings(server, safety="off")
    assert not (tmp_path / "postgres.new").exists()


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_ctrl_c_does_not_reach_the_server(
    engine: str, user: Callable[..., EngineUser], tmp_path: Path
) -> None:
    starter, other = user(engine), user(engine)
    server = starter.server()
    assert other.server() == server
    starter.interrupt()
    assert starter.end()
    put(server, "still here")
    assert get(server) == "still here"
    assert "SIGINT" not in (tmp_path / f"{engine}.log").read_text()  # Valkey logs with a delay
    with ends_after_the_block(server.pid):
        other.interrupt()


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("engine", ENGINES)
def test_child_process_does_not_keep_the_server_running(
    engine: str, user: Callable[..., EngineUser]
) -> None:
    single_user = user(engine, "sleep", "60")
    child = single_user.line()
    try:
        with ends_after_the_block(single_user.server().pid):
            single_user.kill()
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.usefixtures("existing")
def test_failed_start_of_postgres_shows_its_log(tmp_path: Path) -> None:
    with (tmp_path / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("nonsense = 1\n")
    with pytest.raises(EngineError, match="unrecognized configuration parameter"):
        PostgresEngine(tmp_path, durable=False).use().__enter__()


def test_failed_start_of_valkey_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "dump.rdb").write_text("nonsense")
    with pytest.raises(EngineError, match="RDB ERROR DETECTED"):
        ValkeyEngine(tmp_path).use().__enter__()


def test_failed_creation_of_the_data_shows_the_log(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").write_text("in the way")
    with pytest.raises(EngineError, match="Not a directory"):
        PostgresEngine(tmp_path, durable=False).use().__enter__()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux")
def test_root_runs_postgres_as_another_user_without_user_namespaces(
    user: Callable[..., EngineUser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "bin" / "unshare"
    refusing.parent.mkdir()
    refusing.symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(refusing.parent), prepend=os.pathsep)
    single_user = user("postgres")
    server = single_user.server()
    put(server, "value")
    assert (tmp_path / "postgres").owner() == "nobody"
    single_user.stop()
    assert not exists(server.pid)


def kill(engine: Engine, server: Server) -> None:
    assert engine.is_running(server)
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not engine.is_running(server))


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("name", ENGINES)
def test_killed_server_restarts_at_its_port(name: str, tmp_path: Path) -> None:
    engine = engine_of(name, tmp_path)
    with engine.use() as first:
        kill(engine, first)
        second = engine.restart(first)
        kill(engine, second)
        third = engine.restart(second)
        put(third, "still here")
        assert get(third) == "still here"
        assert first.url == second.url == third.url
        assert len({first.pid, second.pid, third.pid}) == 3
    assert not exists(third.pid)


@pytest.mark.usefixtures("existing")
@pytest.mark.parametrize("name", ENGINES)
def test_restart_fails_when_the_port_is_in_use(name: str, tmp_path: Path) -> None:
    engine = engine_of(name, tmp_path)
    with engine.use() as server:
        kill(engine, server)
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        with (
            socket.create_server(("127.0.0.1", port)),
            pytest.raises(EngineError, match="another program uses its port"),
        ):
            engine.restart(server)
    with open_server(
        name, tmp_path, durable=True
    ) as other:  # the first engine has left no process and no lock
        assert engine.is_running(other)


@pytest.mark.usefixtures("existing")
def test_restart_fails_when_the_server_exits_immediately(tmp_path: Path) -> None:
    engine = engine_of("postgres", tmp_path)
    with engine.use() as server:
        kill(engine, server)
        (tmp_path / "postgres" / "PG_VERSION").unlink()
        with pytest.raises(EngineError, match="the server stops right after its start"):
            engine.restart(server)
