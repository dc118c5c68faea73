"""The GitHub Actions workflow runs the make targets with the least permissions."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.api import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


def read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return document


JOBS = [(path.name, name, job) for path in WORKFLOWS for name, job in read(path)["jobs"].items()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_read_permission_only(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["cancel-in-progress"] is True
    assert "secrets." not in path.read_text()
    # That event grants more rights to pull requests from forks. YAML 1.1 parses `on` as true.
    assert "pull_request_target" not in document[True]


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=lambda each: str(each)[:20])
def test_a_job_has_a_timeout_and_pinned_actions(file: str, name: str, job: Any) -> None:
    assert 0 < job["timeout-minutes"] <= 60, f"{file}: {name}"
    assert "permissions" not in job
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        else:
            assert step["run"].removeprefix("make ") in TARGETS


def test_ci_runs_every_check_and_audits_weekly() -> None:
    [path] = [path for path in WORKFLOWS if path.name == "ci.yml"]
    run = {step["run"] for job in read(path)["jobs"].values() for step in job["steps"][2:]}
    assert run == {"make test", "make audit", "make api-check", "make mutate"}
    minute, hour, *day = read(path)[True]["schedule"][0]["cron"].split()
    assert (minute.isdigit(), hour.isdigit(), day) == (True, True, ["*", "*", "1"])


def test_every_lock_file_is_compiled_and_audited() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [locked] = re.findall(
        r"^LOCKED := (\S+ \S+) \$\(addprefix requirements/,([a-z ]+)\)$", makefile, re.MULTILINE
    )
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert locked[0] == "layers/dependencies/requirements layers/encryption/requirements"
    assert set(locked[1].split()) == locks
    assert makefile.count("$(LOCKED") == 2
