"""Write the files of packages that the page and its tests use, their licences and their hashes."""

import hashlib
import json
import shutil
from pathlib import Path

from local.run_config import PROJECT
from tools.web import font, icons
from tools.web.node import LOCKS, checked, node, packages

WEB = PROJECT / "web"
AXE = PROJECT / "tests/web/vendor"
HASHES = LOCKS / "vendor/SHA256SUMS"
MODULE = WEB / "vendor/modules.js"
TMDB_LOGO = WEB / "images/tmdb.svg"
# The packages that it consists of.
_PACKAGES = ("preact", "@preact/signals", "@preact/signals-core", "htm", "format-message-parse")
_FONT = "@fontsource-variable/figtree"
_ICONS = "lucide-static"
_LOGOS = "simple-icons"
_LICENCES = WEB / "vendor/LICENSES.txt"
# One of the colours of TMDB's own logo, which its terms of use forbid to change.
_TMDB_COLOR = "#01b4e4"
# The text of the licence that a package names, where the package has no file of it.
_TEXTS = LOCKS / "vendor/licences"
MADE = (
    *(MODULE, WEB / "vendor/figtree.woff2", WEB / "icons.svg"),
    *(WEB / "icons-admin.svg", TMDB_LOGO, _LICENCES),
    *(AXE / name for name in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")),
)


def _bundle(source: Path) -> None:
    checked(
        node(
            source / "esbuild/bin/esbuild",
            LOCKS / "vendor/modules.js",
            *("--bundle", "--minify", "--format=esm", "--target=es2020"),
            *("--legal-comments=none", "--charset=utf8", "--log-level=warning"),
            f"--outfile={MODULE}",
            packages=source,
        )
    )


def _licences(source: Path) -> str:
    parts = ["Licences of the files in this folder, of ../icons*.svg and of ../images/tmdb.svg."]
    files = {
        MODULE.name: _PACKAGES,
        "figtree.woff2": (_FONT,),
        "../icons*.svg": (_ICONS,),
        "../images/tmdb.svg": (_LOGOS,),
    }
    for file, names in files.items():
        for name in names:
            about = json.loads((source / name / "package.json").read_text(encoding="utf-8"))
            own = next((source / name).glob("LICENSE*"), None)
            path = own or _TEXTS / f"{name}.txt"
            text = path.read_text(encoding="utf-8").strip()
            title = f"{file}: {name} {about['version']} ({about['license']})"
            parts.append(f"{'=' * 80}\n{title}\n{'=' * 80}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def write() -> None:
    """Write every file that comes from a package; the same packages give the same bytes."""
    source = packages("vendor")
    _bundle(source)
    latin = source / _FONT / "files/figtree-latin-wght-normal.woff2"
    font.subset(latin, WEB / "vendor/figtree.woff2")
    drawings = source / _ICONS / "icons"
    (WEB / "icons.svg").write_text(icons.sprite(drawings), encoding="utf-8")
    (WEB / "icons-admin.svg").write_text(icons.admin_sprite(drawings), encoding="utf-8")
    logo = (source / _LOGOS / "icons/themoviedatabase.svg").read_text(encoding="utf-8")
    TMDB_LOGO.write_text(icons.in_color(logo, _TMDB_COLOR), encoding="utf-8")
    _LICENCES.write_text(_licences(source), encoding="utf-8")
    for path in MADE:
        if path.parent == AXE:
            shutil.copyfile(source / "axe-core" / path.name, path)
    HASHES.write_text(sums(), encoding="utf-8")


def sums() -> str:
    """Return the hashes of the files as they are, in the format of sha256sum."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(PROJECT)}\n"
        for path in MADE
    )
