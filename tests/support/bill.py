"""Read the packages of a bill of materials and of a folder."""

import json
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def listed_packages(bill: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages in a CycloneDX bill of materials."""
    components = json.loads(bill.read_text())["components"]
    return sorted((component["name"], component["version"]) for component in components)


def packages_in(folder: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages installed in a folder."""
    installed = distributions(path=[str(folder)])
    return sorted((canonicalize_name(package.name), package.version) for package in installed)
