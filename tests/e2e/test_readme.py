"""The README's walkthrough runs as printed."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.api import ROOT
from tests.support.local import LocalService, local_service
from tests.support.plex import approve


def walkthrough_of(readme: str) -> str:
    section = readme.partition("<!-- walk:begin")[2].partition("<!-- walk:end")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


class Printed(NamedTuple):
    """Output of the walk: the responses of the API, the result of `make fire`, the states."""

    responses: list[dict[str, Any]]
    fired: dict[str, Any]
    states: list[str]


def run(script: str, service: LocalService) -> Printed:
    plex_url, _ = service.standin_urls
    fire = shlex.join([sys.executable, "-m", "local", "--data", str(service.data), "fire"])
    for printed, replacement in (
        ("http://127.0.0.1:3001", service.url),
        ("http://127.0.0.1:3002", plex_url),
        # The target of the Makefile, for the service of this test.
        ("make fire SCHEDULE=", f"{fire} "),
    ):
        assert printed in script
        script = script.replace(printed, replacement)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    # Responses are one line each; `make fire` indents its result.
    responses = [line for line in result.stdout.splitlines() if line.startswith('{"')]
    rest = "\n".join(line for line in result.stdout.splitlines() if line not in responses)
    before, brace, after = rest.partition("{")
    fired, _, last = after.partition("}")
    return Printed(
        [json.loads(line) for line in responses],
        json.loads(f"{brace}{fired}}}"),
        [*before.split(), *last.split()],
    )


def without_progress(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without what changes after its approval."""
    return {name: value for name, value in request.items() if name != "fulfilment"}


def test_walkthrough_works_as_printed_and_can_be_repeated(root: Path, tmp_path: Path) -> None:
    script = walkthrough_of((root / "README.md").read_text())
    with local_service(tmp_path / "data", limits=True, trial_limits=True) as service:
        responses, fired, states = run(script, service)
        assert all(response["success"] for response in responses)
        health, alice, results, created, approved, listed = (
            response["data"] for response in responses
        )
        assert health["status"] == "healthy"
        assert (alice["username"], alice["role"]) == ("alice", "admin")
        assert (results[0]["title"], results[0]["tmdbId"]) == ("The Matrix", 603)
        assert (created["title"], created["status"]) == ("The Matrix", "pending")
        assert (approved["id"], approved["status"]) == (created["id"], "approved")
        assert approved["fulfilment"]["state"] == "queued"
        assert [without_progress(each) for each in listed] == [without_progress(approved)]
        assert (fired["done"], fired["failed"]) == (1, 0)
        assert states == ["submitted", "downloaded"]
        again = run(script, service)
        health, alice, results, refused, decided, listed = again.responses
        assert all(response["success"] for response in (health, alice, results, listed))
        assert results["data"][0]["request"]["status"] == "approved"
        assert refused["error"]["code"] == "ALREADY_REQUESTED"
        assert decided["error"]["code"] == "INVALID_STATE"
        assert [without_progress(each) for each in listed["data"]] == [without_progress(approved)]
        # Nothing waits for a file any more.
        assert (again.fired["done"], again.fired["failed"]) == (0, 0)
        assert again.states == ["downloaded", "downloaded"]
        # Those of a third walk, the first that exceeds the default limit.
        for person in ("alice", "bob"):
            pin = service.call("POST", "/api/auth/plex/pin", body={})
            assert pin.status == 200
            approve(service.standin_urls[0], pin.data["code"], person)
            body = {"pinId": pin.data["pinId"]}
            assert service.call("POST", "/api/auth/plex/verify", body=body).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        '{"success":false,"error":{"code":"RATE_LIMITED","message":"Too many requests."}}',
        '{"success":true,"data":[]}',
        "not JSON",
        "",
    ],
)
def test_error_for_a_missing_field_shows_the_response(root: Path, answer: str) -> None:
    helpers = walkthrough_of((root / "README.md").read_text()).partition("api $API")[0]
    result = subprocess.run(
        ["bash", "-c", f'{helpers}\nfield data.pinId <<< "$0"', answer],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.strip() == f"no data.pinId in: {answer}".strip()
