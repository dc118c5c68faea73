"""The packages of the layer: its bill of materials, and no version with a fixed vulnerability."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.api import ROOT, TEMPLATE
from tests.support.bill import listed_packages, packages_in

LAYER = ROOT / "layers/dependencies"
# The environment markers of Lambda.
LAMBDA_MARKERS = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
}
# Older versions have vulnerabilities, or behaviour that our code does not handle.
MINIMUM_VERSIONS = {
    # Older versions accept several encodings of a signature, a JWK as a secret, `exp` as Infinity.
    "pyjwt": "2.15",
    # Routes and validation rely on the behaviour since this version.
    "fastapi": "0.165",
    # CVE-2025-62727: a Range header takes quadratic time.
    "starlette": "0.49.1",
    # CVE-2025-66471, CVE-2026-21441: decompression of a response exhausts the memory.
    "urllib3": "2.6.3",
}


def locked(path: Path) -> dict[str, tuple[Version, set[str]]]:
    """Return the version and hashes of the packages of a lock file that apply to Lambda."""
    packages = {}
    for entry in re.findall(r"^[a-z].*(?:\n +--hash.*)*", path.read_text(), re.MULTILINE):
        requirement = Requirement(entry.partition("\\")[0])
        if requirement.marker is None or requirement.marker.evaluate(LAMBDA_MARKERS):
            [version] = requirement.specifier
            hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
            packages[requirement.name] = (Version(version.version), hashes)
    return packages


def write_bill(path: Path) -> Path:
    """Write the bill of materials with make, as a build does."""
    subprocess.run(
        ["make", "--silent", "sbom", f"SBOM={path}"],
        cwd=ROOT,
        env=os.environ | {"MAKEFLAGS": ""},
        check=True,
        timeout=120,
    )
    return path


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bill(tmp_path_factory.mktemp("sbom") / "beside/sbom.json")


def test_the_bill_of_materials_lists_all_locked_packages(bill: Path) -> None:
    document = json.loads(bill.read_text())
    assert document["bomFormat"] == "CycloneDX"
    listed = {
        component["name"]: (
            Version(component["version"]),
            {digest["content"] for digest in component["externalReferences"][0]["hashes"]},
        )
        for component in document["components"]
    }
    assert listed == locked(LAYER / "requirements.txt")
    assert len(listed) == len(document["components"]) > 20
    assert all(hashes for _, hashes in listed.values())


def test_the_bill_of_materials_equals_the_packages_of_the_local_layer(bill: Path) -> None:
    [layer] = [
        layer for layer in TEMPLATE.functions["HealthFunction"].layers if not layer.is_source
    ]
    assert listed_packages(bill) == packages_in(layer.python)


def test_the_bill_of_materials_is_reproducible(bill: Path, tmp_path: Path) -> None:
    assert write_bill(tmp_path / "sbom.json").read_bytes() == bill.read_bytes()


@pytest.mark.parametrize("name", MINIMUM_VERSIONS)
def test_no_locked_version_has_a_known_vulnerability(name: str) -> None:
    for lock in (LAYER / "requirements.txt", ROOT / "requirements/dev.txt"):
        assert locked(lock)[name][0] >= Version(MINIMUM_VERSIONS[name]), lock


@pytest.mark.parametrize(
    "name", sorted(MINIMUM_VERSIONS.keys() - {"starlette"})
)  # a dependency of FastAPI, not in requirements.in
def test_the_requirements_exclude_versions_with_a_known_vulnerability(name: str) -> None:
    lines = (LAYER / "requirements.in").read_text().splitlines()
    required = {each.name: each for each in map(Requirement, lines[1:])}
    [minimum] = [each for each in required[name].specifier if each.operator == ">="]
    assert Version(minimum.version) >= Version(MINIMUM_VERSIONS[name])
