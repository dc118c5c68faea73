"""Check the deployment without an AWS account: `make deploy-check`.

The steps start with linters of the template and end with running the built packages. If a step
fails, only the steps that depend on its output are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.cloudformation import ROOT, Stack, template
from tests.support.rie import NATIVE_ARCHITECTURE
from tests.support.stacks import all_stacks

ARCHITECTURES = ("arm64", "x86_64")
CHECKOV_STACKS = ("hobby", "scale", "external", "scale with all options")
CHECKS = ROOT / ".venv-checks/bin"
SAM = ROOT / ".venv-sam/bin"
PREVIOUS_RELEASE = ROOT / "tests/previous_release/release.tar.gz"
# Environment variables for the tools, without AWS credentials.
INHERITED_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
MAX_SHOWN_LINES = 60
TESTS_OF_BUILD = {
    "Check packages, bill of materials and the routes that sam local finds": (
        "test_bill.py",
        "test_build.py",
        "test_sam_local.py",
    ),
    "Send every sample event to the built functions on AWS's runtime": (
        "test_events.py",
        "test_rotation.py",
    ),
    "sam deploy of the build to an emulator of AWS": (
        "test_deployment.py",
        "test_parameter_store.py",
    ),
    "Upgrade a stack of the previous release on the emulator": (
        "test_upgrade.py",
        "test_upgrade_without_page.py",
    ),
}


class StepError(Exception):
    """A step failed; the message has its output."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step; `run` returns its result, `depends_on` is the title of another step."""

    title: str
    run: Callable[[], str]
    depends_on: str = ""


def main() -> int:
    """Run all steps and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="medianest-deploy-check-") as name:
        return run_steps(steps(Path(name)))


def steps(folder: Path) -> list[Step]:
    """Return all steps, in order."""
    checkout, previous, builds = folder / "checkout", folder / "previous", folder / "builds"
    copy_title, build_title = "Copy the files that git tracks or would add", "sam build for "
    return [
        Step("sam validate --lint", sam_validate),
        Step("cfn-lint with the serverless rules", cfn_lint),
        Step(
            "Tests of the template for every profile and mode (tests/deploy)",
            partial(pytest, "tests/deploy"),
        ),
        Step(
            f"checkov on the template and on {len(CHECKOV_STACKS)} resolved stacks",
            partial(checkov, folder),
        ),
        Step(copy_title, partial(copy, checkout)),
        *(
            Step(
                build_title + architecture,
                partial(sam_build, checkout, builds / architecture, architecture),
                copy_title,
            )
            for architecture in ARCHITECTURES
        ),
        Step(
            "sam build of the previous release",
            partial(previous_build, previous, builds / "previous"),
        ),
        Step(
            "Write the bill of materials of the builds",
            partial(bill_of_materials, builds / "sbom.json"),
        ),
        *(
            Step(
                title,
                partial(pytest, *(f"tests/artifact/{file}" for file in files), builds=builds),
                build_title + NATIVE_ARCHITECTURE,
            )
            for title, files in TESTS_OF_BUILD.items()
        ),
    ]


def run_steps(all_steps: Sequence[Step]) -> int:
    """Run the steps one after the other, print each result, and return the exit code."""
    failed: list[str] = []
    for number, step in enumerate(all_steps, 1):
        print(f"{number:2}/{len(all_steps)}  {step.title}", flush=True)
        started = time.perf_counter()
        result, problems = attempt(step, failed)
        if problems:
            failed.append(step.title)
            print(*(f"       {line}" for line in problems[-MAX_SHOWN_LINES:]), sep="\n")
        print(f"       {result} ({time.perf_counter() - started:.0f} s)", flush=True)
    print(f"{len(all_steps) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def attempt(step: Step, failed: Sequence[str]) -> tuple[str, list[str]]:
    """Run one step; return its result and the lines of its failure."""
    if step.depends_on in failed:
        return "SKIPPED", [f"It depends on “{step.depends_on}”, which failed."]
    try:
        return step.run(), []
    except StepError as error:
        return "FAILED", str(error).strip().splitlines()


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Return the output of a command; raises StepError with the output if it fails."""
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    fixed = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-west-1"}
    completed = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **fixed, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise StepError(completed.stdout or f"{command[0]} exited with code {completed.returncode}")
    return completed.stdout


def sam_validate() -> str:
    """Validate the template with the SAM command line."""
    run(SAM / "sam", "validate", "--lint")
    return "the template is valid"


def cfn_lint() -> str:
    """Check the template against CloudFormation's schemas and AWS's rules for serverless."""
    run(CHECKS / "cfn-lint", "--append-rules", "cfn_lint_serverless.rules", "--", "template.yaml")
    return "no findings"


def checkov(folder: Path) -> str:
    """Check the template itself, and the stacks that some parameters produce."""
    files = [ROOT / "template.yaml"]
    for name in CHECKOV_STACKS:
        files.append(folder / f"{name.replace(' ', '-')}.json")
        files[-1].write_text(json.dumps(as_template(all_stacks()[name])))
    arguments = [word for file in files for word in ("--file", str(file))]
    output = run(
        *(CHECKS / "checkov", "--framework", "cloudformation", "--skip-download", "--soft-fail"),
        *("--compact", "--output", "json", *arguments),
        LOG_LEVEL="ERROR",
    )
    results = json.loads(output[output.index("{") :])["results"]
    passed, skipped = results["passed_checks"], results["skipped_checks"]
    checked = {name_of(check) for check in passed}
    findings = [
        f"{name_of(check)}: {check['resource']}: {check['check_id']} {check['check_name']}"
        for check in results["failed_checks"]
    ]
    findings += [f"{file}: cannot be read" for file in results["parsing_errors"]]
    findings += [f"{file.name}: checkov ran no check" for file in files if file.name not in checked]
    if findings:
        raise StepError("\n".join(sorted(findings)))
    return f"{len(passed)} checks passed, {len(skipped)} suppressed with a reason"


def name_of(result: Mapping[str, Any]) -> str:
    """Return the name of the file of a checkov result."""
    return Path(result["file_path"]).name


def as_template(stack: Stack) -> dict[str, Any]:
    """Return a template with the resources of a stack, resolved."""
    resources = {
        resource.id: {**resource.attributes, "Properties": resource.properties}
        for resource in stack.resources.values()
    }
    # SAM creates the stage; the linter metadata of the API applies to it, too.
    stage = resources[stack.one("AWS::ApiGateway::Stage").id]
    stage["Metadata"] = template()["Resources"]["Api"].get("Metadata", {})
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def pytest(*tests: str, builds: Path | None = None) -> str:
    """Run tests; `builds` is the folder of the builds, for tests that need them."""
    folder = str(builds or "")
    output = run(
        *(sys.executable, "-m", "pytest", "-q", "--tb=short", *tests), MEDIANEST_BUILDS=folder
    )
    return output.strip().splitlines()[-1]


def copy(checkout: Path) -> str:
    """Copy the files that a fresh clone would have, without generated ones."""
    output = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    paths = {name: ROOT / name for name in output.split("\0") if name}
    names = [name for name, path in paths.items() if path.is_file() or path.is_symlink()]
    for name in names:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths[name], checkout / name, follow_symlinks=False)
    return f"{len(names)} files"


def sam_build(checkout: Path, build: Path, architecture: str) -> str:
    """Build all functions and layers for one architecture."""
    override = f"Architecture={architecture}"
    run(
        *(SAM / "sam", "build", "--build-dir", build, "--parameter-overrides", override),
        cwd=checkout,
        ARCH=architecture,
        PYTHON=str(SAM / "python"),
    )
    size = sum(path.stat().st_size for path in build.rglob("*") if path.is_file())
    return f"{size / 2**20:.0f} MiB unpacked"


def previous_build(checkout: Path, build: Path) -> str:
    """Build the stored previous release for the architecture of this machine."""
    with tarfile.open(PREVIOUS_RELEASE) as archive:
        archive.extractall(checkout, filter="data")
    return sam_build(checkout, build, NATIVE_ARCHITECTURE)


def bill_of_materials(path: Path) -> str:
    """Write the bill of materials of `make build`."""
    run("make", "--silent", "sbom", f"SBOM={path}")
    return f"{len(json.loads(path.read_text())['components'])} packages"


if __name__ == "__main__":
    sys.exit(main())
