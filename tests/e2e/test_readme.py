"""The README's walk, run as printed."""

import json
import re
import subprocess
from pathlib import Path

from tests.support.local import LocalService, local_service


def walk_of(readme: str) -> str:
    section = readme.partition("<!-- walk:begin")[2].partition("<!-- walk:end")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def run(script: str, service: LocalService) -> list[str]:
    plex_url, _ = service.standin_urls
    here = script.replace("http://127.0.0.1:3001", service.url)
    here = here.replace("http://127.0.0.1:3002", plex_url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # curl prints no line break after an answer.
    return re.sub(r"\}\{\"success", '}\n{"success', done.stdout).splitlines()


def test_walk_works_as_printed(root: Path, tmp_path: Path) -> None:
    script = walk_of((root / "README.md").read_text())
    assert "127.0.0.1:3001" in script
    with local_service(tmp_path / "data", limits=True) as service:
        answers = [json.loads(line) for line in run(script, service)]
        assert all(answer["success"] for answer in answers)
        health, alice, found, made, approved, mine = (answer["data"] for answer in answers)
        assert health["status"] == "healthy"
        assert (alice["username"], alice["role"]) == ("alice", "admin")
        assert (found[0]["title"], found[0]["tmdbId"]) == ("The Matrix", 603)
        assert (made["title"], made["status"]) == ("The Matrix", "pending")
        assert (approved["id"], approved["status"]) == (made["id"], "approved")
        assert mine == [approved]
        again = [json.loads(line) for line in run(script.rpartition("ID=")[0], service)]
        assert again[-1]["error"]["code"] == "ALREADY_REQUESTED"
