"""Vendored files of the page are those that `make vendor` made, with their licences."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import ROOT
from tools.web import icons, vendor
from tools.web.node import LOCKS

LOCK_FILES = sorted(LOCKS.glob("*/package-lock.json"))


def lock(path: Path) -> dict[str, dict[str, Any]]:
    """Return the packages of a lock file by their path below `node_modules`."""
    document: dict[str, dict[str, Any]] = json.loads(path.read_text())["packages"]
    return {name.removeprefix("node_modules/"): each for name, each in document.items() if name}


def test_vendored_files_have_the_recorded_hashes() -> None:
    assert vendor.HASHES.read_text() == vendor.sums(), "run `make vendor` instead of an editor"


def test_licences_name_the_locked_version_of_each_package() -> None:
    locked = lock(LOCKS / "vendor/package-lock.json")
    titles = re.findall(
        r"^\S+: (\S+) (\S+) \((\S+)\)$",
        (ROOT / "web/vendor/LICENSES.txt").read_text(),
        re.MULTILINE,
    )
    assert len(titles) == 8
    for name, version, licence in titles:
        assert (locked[name]["version"], locked[name]["license"]) == (version, licence)


@pytest.mark.parametrize("name", sorted(vendor.MODULES))
def test_a_vendored_module_works_under_the_content_security_policy(name: str) -> None:
    text = (ROOT / f"web/vendor/{name}.js").read_text()
    assert not re.search(r"\beval\(|\bnew Function\b|sourceMappingURL|\bimport\b", text)
    assert "export{" in text


def test_the_sprite_has_every_icon_once() -> None:
    assert tuple(re.findall(r'<symbol id="([^"]+)"', (ROOT / "web/icons.svg").read_text())) == (
        "logo",
        *icons.NAMES,
    )


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.parent.name)
def test_a_lock_file_has_hashes_and_no_download_address(path: Path) -> None:
    packages = lock(path)
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
