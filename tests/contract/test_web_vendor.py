"""Vendored files of the page are those that `make vendor` made, with their licences."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import ROOT
from tools.web import font, icons, vendor
from tools.web.node import LOCKS

WEB = ROOT / "web"
SOURCE = "".join(
    path.read_text(encoding="utf-8")
    for path in sorted(WEB.rglob("*.js"))
    if path.parent.name != "vendor"
)
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


def test_the_vendored_module_works_under_the_content_security_policy() -> None:
    text = vendor.MODULE.read_text()
    assert not re.search(r"\beval\(|\bnew Function\b|sourceMappingURL|\bimport\b", text)
    assert "export{" in text


def test_each_sprite_has_its_icons_once() -> None:
    assert held("icons.svg") == ("logo", *icons.NAMES)
    assert held("icons-admin.svg") == icons.ADMIN_NAMES


def held(sprite: str) -> tuple[str, ...]:
    """Return the names of the icons of a sprite."""
    return tuple(re.findall(r'<symbol id="([^"]+)"', (ROOT / "web" / sprite).read_text()))


def drawn(source: str) -> set[str]:
    """Return the names of icons that a source surely draws."""
    names = re.findall(r'(?:<\$\{Icon\} name=|\bicon(?:=|: ))"([^"]+)"', source)
    for choice in re.findall(r"(?:<\$\{Icon\} name=|\bicon=)\$\{[^}]*?\?([^}]*)\}", source):
        names += re.findall(r'"([^"]+)"', choice)
    return set(names)


def drawn_for_admins(source: str) -> set[str]:
    """Return the names of icons of the administration that a source surely draws."""
    return drawn(
        "\n".join(re.findall(r"<\$\{AdminIcon\}[^>]*", source)).replace("AdminIcon", "Icon")
    )


def test_the_page_uses_every_icon() -> None:
    names = {*icons.NAMES, *icons.ADMIN_NAMES}
    assert {name for name in names if f'"{name}"' not in SOURCE} == set()


def test_every_icon_that_the_page_uses_exists() -> None:
    names = drawn(SOURCE)
    assert len(names) > 10
    assert names <= set(icons.NAMES)
    assert drawn_for_admins(SOURCE) <= set(icons.ADMIN_NAMES)


def test_icons_of_a_source_are_found() -> None:
    source = '<${Icon} name="a" /> <${Icon} name=${on === "z" ? "b" : "c"} /> icon="d" icon: "e"'
    assert drawn(source) == {"a", "b", "c", "d", "e"}


def test_the_styles_ask_the_font_for_the_characters_that_it_has() -> None:
    styles = (WEB / "styles/tokens.css").read_text(encoding="utf-8")
    assert f"unicode-range: {', '.join(font.RANGE)};" in styles


@pytest.mark.parametrize(
    "path",
    sorted((WEB / "locales").rglob("*.json")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_the_font_has_the_characters_of_the_texts(path: Path) -> None:
    ends = [each.removeprefix("U+").split("-") for each in font.RANGE]
    held = {chr(code) for end in ends for code in range(int(end[0], 16), int(end[-1], 16) + 1)}
    assert set("".join(json.loads(path.read_text(encoding="utf-8")).values())) - held == set()


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.parent.name)
def test_a_lock_file_has_hashes_and_no_download_address(path: Path) -> None:
    packages = lock(path)
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
