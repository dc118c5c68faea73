"""Schemathesis tests the service against openapi.json with all its checks and phases.

It calls every operation with valid and invalid data, and chains operations: a later call uses the
responses of previous ones.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.conftest import OwnEngines
from tests.support.local import LocalService, local_service
from tests.support.openapi import OPERATIONS

HERE = Path(__file__).parent
PASSWORD = "C0rrect-horse-battery"
PEOPLE = {"ann": "user", "ben": "user", "root": "admin"}
# A password change would end the session that schemathesis uses.
NEVER_CALLED = {("POST", "/api/auth/password")}


def local_account(service: LocalService, admin: str, name: str) -> str:
    """Create a local account; return the id of its user."""
    email, role = f"{name}@example.com", PEOPLE[name]
    body = {"email": email, "username": name, "password": PASSWORD, "role": role}
    return str(service.call("POST", "/api/admin/users", token=admin, body=body).data["id"])


def sign_in_of(name: str) -> dict[str, Any]:
    """Describe a sign-in for schemathesis, in the format of Web Fuzzing Commons."""
    return {
        "name": name,
        "loginEndpointAuth": {
            "endpoint": "/api/auth/login",
            "verb": "POST",
            "contentType": "application/json",
            "payloadRaw": json.dumps({"identifier": name, "password": PASSWORD}),
            "token": {
                "extractFrom": "body",
                "extractSelector": "/data/token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }


def succeeded(log: str) -> set[tuple[str, str]]:
    """Return the routes with a 2xx response in the log of the functions."""
    requests = re.findall(r'"method":"([A-Z]+)","route":"([^"]+)","status":2', log)
    return set(requests)


def test_schemathesis_finds_no_failure_in_any_operation(
    root: Path, tmp_path: Path, own_engines: OwnEngines
) -> None:
    people_file, report_file = tmp_path / "people.json", tmp_path / "report.json"
    people_file.write_text(json.dumps({"auth": [sign_in_of(name) for name in PEOPLE]}))
    with (
        own_engines("schemathesis") as variables,
        local_service(
            tmp_path / "data", throttles=False, environment={**variables, "LOG_FORMAT": "json"}
        ) as service,
    ):
        alice = service.sign_in(service.standin_urls[0], "alice")
        ids = [local_account(service, alice, name) for name in PEOPLE]
        result = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
                *("--config-file", HERE / "schemathesis.toml"),
                *("run", root / "functions/health/openapi.json", "--url", service.url),
                *("--checks", "all", "--report-json-path", report_file),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                # Hypothesis keeps its tables of characters there, which take seconds to make.
                "HYPOTHESIS_STORAGE_DIRECTORY": str(root / ".hypothesis"),
                "PASSWORD": PASSWORD,
                "PEOPLE": " ".join(ids),
                "PEOPLE_FILE": str(people_file),
                "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"),
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        log = service.log.read_text()
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(report_file.read_text())
    assert report["failures"] == []
    assert {each["status"] for each in report["phases"].values()} == {"success"}
    # Schemathesis has tested all operations.
    assert report["operations"]["tested"] == len(OPERATIONS)
    assert report["test_cases"]["generated"] > 1000
    assert OPERATIONS.keys() - succeeded(log) == NEVER_CALLED
