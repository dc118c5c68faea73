"""Read the packages of a lock file, of a bill of materials and of a folder."""

import json
import re
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.api import ROOT

DEPENDENCIES = ROOT / "layers/dependencies"
LAYERS = (DEPENDENCIES, ROOT / "layers/encryption")
# The environment markers of Lambda.
LAMBDA_MARKERS = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
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


def listed_packages(bill: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages in a CycloneDX bill of materials."""
    components = json.loads(bill.read_text())["components"]
    return sorted((component["name"], component["version"]) for component in components)


def packages_in(folder: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages installed in a folder."""
    installed = distributions(path=[str(folder)])
    return sorted((canonicalize_name(package.name), package.version) for package in installed)
