"""AWS's control plane on this machine: ministack accepts `sam deploy` and runs the functions.

It enforces the permissions of a function's role. It emulates API Gateway's routes and
integrations, but neither throttles nor gateway responses.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3

from tests.support.api import ROOT, Answer
from tests.support.local import eventually

REGION = "eu-west-1"
ACCOUNT = "000000000000"
_MINISTACK = ROOT / ".venv-emulator/bin/ministack"
_SAM = ROOT / ".venv-sam/bin/sam"
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

http = urllib3.PoolManager(maxsize=10)


@dataclass(frozen=True)
class Aws:
    """The running emulator; `folder` holds the files that the command line writes."""

    url: str
    folder: Path

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def secret(self, name: str, value: str) -> str:
        """Create a secret and return its ARN."""
        response = self.client("secretsmanager").create_secret(Name=name, SecretString=value)
        return str(response["ARN"])

    def sam(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the SAM command line against the emulator and wait until it ends."""
        environment = {
            **_KEYS,
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "1",
        }
        return subprocess.run(
            [_SAM, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def call(
        self,
        api: str,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call to a deployed API, given by its id."""
        port = self.url.rpartition(":")[2]
        headers = {"Host": f"{api}.execute-api.localhost:{port}", **(headers or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        response = http.request(
            method, f"{self.url}/live{path}", body=body, headers=headers, timeout=60, retries=False
        )
        lower_case_headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, lower_case_headers, response.data.decode())


@contextmanager
def emulator(folder: Path) -> Iterator[Aws]:
    """Run the emulator on a free port and stop it after the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    aws = Aws(f"http://127.0.0.1:{port}", folder)
    environment = {
        **_KEYS,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nowhere",
    }
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [_MINISTACK], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        eventually(lambda: _is_up(aws.url), seconds=30)
        yield aws
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _is_up(url: str) -> bool:
    try:
        return http.request("GET", f"{url}/_ministack/health", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
