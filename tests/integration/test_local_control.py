"""Commands to the running local service, and to its data."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from local import control
from local.__main__ import _about
from local.preflight import StartError
from local.reset import remove_data
from local.run_config import PROJECT
from local.template.reader import read_template

ANSWER = b'{"payload":1,"error":null}'
RUNNING = b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER


@contextmanager
def responding(folder: Path, answer: bytes) -> Iterator[None]:
    """Let a program send `answer` once at the address in run.json."""

    def respond() -> None:
        with server.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        (folder / "run.json").write_text(json.dumps({"control": address, "token": "any"}))
        thread = threading.Thread(target=respond)
        thread.start()
        yield
        thread.join()


def test_command_to_a_hanging_service_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        (tmp_path / "run.json").write_text(json.dumps({"control": address, "token": "any"}))
        with pytest.raises(control.ControlError, match=r"did not respond within 0\.2 s"):
            control.send_command(tmp_path, "schedules", "ExpiredSessions")


def test_command_bypasses_a_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with responding(tmp_path, RUNNING):
        result = control.send_command(tmp_path, "schedules", "ExpiredSessions")
    assert result == {"payload": 1, "error": None}


@pytest.mark.parametrize("left", [b"", b"\0\0", b"{}", b"[]", b"\xff"])
def test_damaged_run_file_means_not_running(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "run.json").write_bytes(left)
    with pytest.raises(control.ControlError, match="MediaNest is not running"):
        control.send_command(tmp_path, "schedules", "ExpiredSessions")


@pytest.mark.parametrize("answer", [b"-ERR unknown command\r\n", b"HTTP/1.0 200 OK\r\n\r\nhello"])
def test_another_program_at_the_address_means_not_running(tmp_path: Path, answer: bytes) -> None:
    with (
        responding(tmp_path, answer),
        pytest.raises(control.ControlError, match="MediaNest is not running"),
    ):
        control.send_command(tmp_path, "schedules", "ExpiredSessions")


def test_function_with_a_syntax_error_is_listed(tmp_path: Path) -> None:
    template = read_template(PROJECT / "template.yaml", opt=tmp_path)
    (tmp_path / "app.py").write_text('"""A function."""\n\ndef handler(')
    function = replace(template.functions["HealthFunction"], code=tmp_path)
    assert _about(function) == "app.py has an error in line 3"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["thesis.txt"], "it has thesis.txt"),
        (["settings.json", "postgres", "thesis.txt"], "it has thesis.txt"),
        (["postgres"], "it has no settings.json"),
    ],
)
def test_reset_keeps_a_folder_with_other_files(
    tmp_path: Path, names: list[str], reason: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("years of work")
    with pytest.raises(StartError, match=reason):
        remove_data(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(names)


def test_reset_removes_all_that_a_run_leaves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("postgres", "valkey"):
        (data / name).mkdir()
        (data / name / "some.data").touch()
        for kind in ("turn", "users", "running", "log", "password"):
            (data / f"{name}.{kind}").touch()
    for name in ("settings.json", "run.json", "run.lock", "run.json.12.new"):
        (data / name).touch()
    remove_data(data)
    assert not data.exists()
    remove_data(data)
