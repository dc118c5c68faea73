"""Commands to the running local service."""

import json
import socket
from pathlib import Path

import pytest

from local import control


def test_command_to_a_hanging_service_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        (tmp_path / "run.json").write_text(json.dumps({"control": address, "token": "any"}))
        with pytest.raises(control.ControlError, match=r"did not respond within 0\.2 s"):
            control.send_command(tmp_path, "schedules", "ExpiredSessions")
