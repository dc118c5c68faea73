"""The local service starts, stops, crashes and restarts."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.support import forked
from tests.support.local import LocalService, database_of, eventually, local_service

PATH = {"PATH": os.environ["PATH"]}


def local(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line and wait for its end."""
    return forked.run(["local", *arguments], {**PATH, **environment})


def processes_on(data: Path) -> list[str]:
    """Return the command lines of the processes that use a data folder."""
    commands = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has ended, or belongs to another user
            if str(data) in command or str(data) in environment:
                commands.append(command)
    return commands


def listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def assert_signal_stops_all_processes(service: LocalService, number: signal.Signals) -> None:
    assert service.call("GET", "/api/health").status == 200
    assert processes_on(service.data)
    urls = [service.url, *service.standin_urls]
    assert service.stop(number) == 0
    assert eventually(lambda: not processes_on(service.data), seconds=10)
    assert not any(listens(url) for url in urls)
    assert "Stopped." in service.log.read_text()


# One test, because each start costs seconds: it ends the service in every way, and starts it again.
def test_data_and_secrets_survive_signals_and_sigkill_until_a_reset(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def assert_signed_in(service: LocalService, token: str) -> None:
        assert service.call("GET", "/api/auth/me", token=token).data["username"] == "alice"
        assert "applied" not in service.log.read_text()

    with local_service(data) as service:
        token = service.sign_in(service.standin_urls[0], "alice")
        assert_signal_stops_all_processes(service, signal.SIGINT)
    with local_service(data) as service:
        assert_signed_in(service, token)
        service.stop(signal.SIGKILL)
    # At once: the processes of the previous service may not have ended.
    with local_service(data) as service:
        assert_signed_in(service, token)
        assert_signal_stops_all_processes(service, signal.SIGTERM)
    assert (data / "settings.json").stat().st_mode & 0o077 == 0
    assert local("reset", "--data", str(data)).returncode == 0
    assert not data.exists()
    assert local("reset", "--data", str(data)).returncode == 0


def test_second_start_on_the_same_data_is_refused(service: LocalService) -> None:
    failed = local("--data", str(service.data), "--port", "0")
    assert failed.returncode == 1
    assert "already running" in failed.stderr
    assert service.call("GET", "/api/health").status == 200


def test_reset_is_refused_while_the_service_runs(service: LocalService) -> None:
    failed = local("reset", "--data", str(service.data))
    assert failed.returncode == 1
    assert "already running" in failed.stderr
    assert service.call("GET", "/api/health").status == 200


def test_start_fails_when_the_port_is_in_use(tmp_path: Path, service: LocalService) -> None:
    port = service.url.rpartition(":")[2]
    failed = local("--data", str(tmp_path / "data"), PORT=port)
    assert failed.returncode == 1
    assert f"Port {port}" in failed.stderr
    assert not processes_on(tmp_path / "data")


def test_all_invalid_settings_are_reported_at_once(tmp_path: Path) -> None:
    failed = local(
        "--data",
        str(tmp_path / "data"),
        PORT="many",
        JWT_SECRET="short",
        DATABASE_URL="mysql://user:hidden@host/db",
        NODE_ENV="staging",
        TMDB_API_URL="nowhere",
    )
    assert failed.returncode == 2
    for name in ("PORT", "JWT_SECRET", "DATABASE_URL", "NODE_ENV", "TMDB_API_URL"):
        assert name in failed.stderr
    assert "hidden" not in failed.stderr
    assert "Traceback" not in failed.stderr


def test_unreachable_database_is_reported_without_traceback_or_password(tmp_path: Path) -> None:
    failed = local(
        "--data",
        str(tmp_path / "data"),
        "--port",
        "0",
        DATABASE_URL="postgresql://user:hidden@127.0.0.1:1/nowhere",
    )
    assert failed.returncode == 1
    assert "DATABASE_URL" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "hidden" not in failed.stderr + failed.stdout


def test_manually_fired_schedule_removes_expired_sessions(service: LocalService) -> None:
    token = service.sign_in(service.standin_urls[0], "carol")
    run = json.loads((service.data / "run.json").read_text())
    assert run
    with database_of(service.data, service.environment) as connection:
        carol = connection.execute("SELECT id FROM users WHERE username = 'carol'").fetchone()
        connection.execute("UPDATE sessions SET expires_at = now() WHERE user_id = %s", carol)
        fired = local("fire", "ExpiredSessions", "--data", str(service.data))
        assert fired.returncode == 0, fired.stderr
        assert json.loads(fired.stdout) == {"task": "sessions", "deleted": 1, "more": False}
        remaining = connection.execute("SELECT FROM sessions WHERE user_id = %s", carol).fetchall()
        assert remaining == []
    assert service.call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"


def test_error_for_an_unknown_schedule_lists_the_known_schedules(service: LocalService) -> None:
    failed = local("fire", "Nothing", "--data", str(service.data))
    assert failed.returncode == 1
    assert "ExpiredSessions" in failed.stderr


def test_fire_fails_without_traceback_when_no_service_runs(tmp_path: Path) -> None:
    failed = local("fire", "ExpiredSessions", "--data", str(tmp_path))
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert failed.stderr.strip()
