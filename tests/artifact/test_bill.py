"""The bill of materials that a build writes: `make sbom`."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.api import ROOT, TEMPLATE
from tests.support.packages import LAYERS, listed_packages, locked, packages_in


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
    assert listed == {
        name: each for layer in LAYERS for name, each in locked(layer / "requirements.txt").items()
    }
    assert len(listed) == len(document["components"]) > 20
    assert all(hashes for _, hashes in listed.values())


def test_the_bill_of_materials_equals_the_packages_of_the_local_layers(bill: Path) -> None:
    layers = {
        layer.python
        for function in TEMPLATE.functions.values()
        for layer in function.layers
        if not layer.is_source
    }
    found = {each for layer in layers for each in packages_in(layer)}
    assert set(listed_packages(bill)) == found


def test_the_bill_of_materials_is_reproducible(bill: Path, tmp_path: Path) -> None:
    assert write_bill(tmp_path / "sbom.json").read_bytes() == bill.read_bytes()
