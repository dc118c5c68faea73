"""Read the packages of a bill of materials and of a folder."""

import json
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def listed_packages(bill: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages in a CycloneDX bill of materials."""
    parts = json.loads(bill.read_text())["components"]
    return sorted((part["name"], part["version"]) for part in parts)


def packages_in(folder: Path) -> list[tuple[str, str]]:
    """Return the sorted names and versions of the packages installed in a folder."""
    found = distributions(path=[str(folder)])
    return sorted((canonicalize_name(each.name), each.version) for each in found)
