"""One version, and a changelog with dates."""

import re
import tomllib
from datetime import date

from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from local.template.loader import load
from medianest import VERSION
from tests.support.api import ROOT
from tests.support.openapi import DOCUMENT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
SECTIONS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)


def test_project_template_and_document_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert ProjectMetadata(str(ROOT), PluginManager()).version == VERSION
    assert DOCUMENT["info"]["version"] == VERSION
    api = load(ROOT / "template.yaml")["Resources"]["Api"]["Properties"]
    assert api["DefinitionBody"]["info"]["version"] == VERSION


def test_the_version_is_written_by_hand_in_one_file() -> None:
    folders = ("layers", "functions", "local", "tests", "tools", "benchmarks")
    files = [ROOT / "pyproject.toml", ROOT / "Makefile"]
    files += [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    # The number as the value of a key or name with "version" in it.
    assignment = re.compile(rf"""version['"]?\s*[=:]\s*['"]{re.escape(VERSION)}""", re.IGNORECASE)
    names = [str(file.relative_to(ROOT)) for file in files if assignment.search(file.read_text())]
    assert names == ["layers/shared/python/medianest/__init__.py"]


def test_changelog_is_dated_and_its_newest_release_is_this_version() -> None:
    assert SECTIONS[0] == "Unreleased"
    releases = [
        re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})", each) for each in SECTIONS[1:]
    ]
    assert all(releases), 'a release is "## VERSION - YYYY-MM-DD"'
    dated = [(each[1], date.fromisoformat(each[2])) for each in releases if each is not None]
    assert dated[0][0] == VERSION
    numbers = [tuple(map(int, version.split("."))) for version, _ in dated]
    assert numbers == sorted(numbers, reverse=True)
    days = [day for _, day in dated]
    assert days == sorted(days, reverse=True)
