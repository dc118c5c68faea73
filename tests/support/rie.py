"""Built functions under AWS's runtime interface emulator, with AWS's runtime client.

The emulator comes with the SAM command line. It starts the function on the first call and crashes
on concurrent calls, so calls are serialized.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import urllib3

from local.template.models import Function
from tests.support.api import ROOT
from tests.support.local import eventually

ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
NATIVE_ARCHITECTURE = ARCHITECTURES[platform.machine()]
_EMULATOR = "lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-"
_INVOKE = "/2015-03-31/functions/function/invocations"
# The packages of Lambda's runtime: its client, and boto3 with its dependencies.
_RUNTIME = ROOT / ".venv/var/runtime"

http = urllib3.PoolManager()


class Emulator:
    """One emulated function."""

    def __init__(self, address: str, log: Path) -> None:
        self._address = address
        self._log = log
        self._lock = threading.Lock()

    def invoke(self, event: Any) -> Any:
        """Return the function's result; if it raises, fail with its log."""
        with self._lock:
            response = http.request(
                "POST", self._address + _INVOKE, body=json.dumps(event), timeout=60, retries=False
            )
        text = response.data.decode()
        assert response.status == 200, f"{text}\n{self._log.read_text()}"
        assert not text.startswith("Task timed out"), text
        result = json.loads(text)
        is_error = isinstance(result, dict) and "errorType" in result
        assert not is_error, f"{text}\n{self._log.read_text()}"
        return result


def app_url(url: str) -> str:
    """Return the database's URL for the role that may not change the schema."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"medianest_app:of-the-tests@{parts.netloc.split('@')[1]}")
    )


def make_runtime(folder: Path) -> Path:
    """Create the folder that replaces Lambda's /var/runtime."""
    folder.mkdir()
    for entry in _RUNTIME.iterdir():
        (folder / entry.name).symlink_to(entry)
    return folder


@contextmanager
def emulated(
    function: Function, environment: Mapping[str, str], *, runtime: Path, log: Path
) -> Iterator[Emulator]:
    """Run a built function that can import only itself, its layers and the runtime."""
    port, api_port = _free_ports(2)
    paths = [function.code, *(layer.python for layer in function.layers), runtime]
    command = [
        f"{ROOT / '.venv-sam' / _EMULATOR}{NATIVE_ARCHITECTURE}",
        *("--log-level", "error"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *(str(Path(sys.executable).resolve()), "-S", "-m", "awslambdaric", function.handler),
    ]
    # The emulator passes its whole environment on, so it must inherit nothing of this process.
    lambda_environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only
        "LAMBDA_TASK_ROOT": str(function.code),
        "PYTHONPATH": ":".join(map(str, paths)),
        "AWS_LAMBDA_FUNCTION_NAME": function.id,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(function.timeout)),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=function.code,
            env={**lambda_environment, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        eventually(lambda: _listens(port), seconds=10)
        yield Emulator(f"http://127.0.0.1:{port}", log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
