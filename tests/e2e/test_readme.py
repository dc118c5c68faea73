"""The README's walkthrough runs as printed."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.local import LocalService, local_service


def walkthrough_of(readme: str) -> str:
    section = readme.partition("<!-- walk:begin")[2].partition("<!-- walk:end")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def run(script: str, service: LocalService) -> list[dict[str, Any]]:
    plex_url, _ = service.standin_urls
    local_script = script.replace("http://127.0.0.1:3001", service.url)
    local_script = local_script.replace("http://127.0.0.1:3002", plex_url)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", local_script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_walkthrough_works_as_printed_and_can_be_repeated(root: Path, tmp_path: Path) -> None:
    script = walkthrough_of((root / "README.md").read_text())
    assert "127.0.0.1:3001" in script
    with local_service(tmp_path / "data", limits=True, trial_limits=True) as service:
        responses = run(script, service)
        assert all(response["success"] for response in responses)
        health, alice, results, created, approved, listed = (
            response["data"] for response in responses
        )
        assert health["status"] == "healthy"
        assert (alice["username"], alice["role"]) == ("alice", "admin")
        assert (results[0]["title"], results[0]["tmdbId"]) == ("The Matrix", 603)
        assert (created["title"], created["status"]) == ("The Matrix", "pending")
        assert (approved["id"], approved["status"]) == (created["id"], "approved")
        assert listed == [approved]
        for _ in range(4):
            health, alice, results, refused, decided, listed = run(script, service)
            assert all(response["success"] for response in (health, alice, results, listed))
            assert results["data"][0]["request"]["status"] == "approved"
            assert refused["error"]["code"] == "ALREADY_REQUESTED"
            assert decided["error"]["code"] == "INVALID_STATE"
            assert listed["data"] == [approved]


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
