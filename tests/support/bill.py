"""A bill of materials, and the packages that are in a folder."""

import json
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def listed_packages(bill: Path) -> list[tuple[str, str]]:
    """Return name and version of all that a bill of materials (CycloneDX) lists, in order."""
    parts = json.loads(bill.read_text())["components"]
    return sorted((part["name"], part["version"]) for part in parts)


def packages_in(folder: Path) -> list[tuple[str, str]]:
    """Return name and version of all that is installed in a folder, in order."""
    found = distributions(path=[str(folder)])
    return sorted((canonicalize_name(each.name), each.version) for each in found)
