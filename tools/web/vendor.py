"""Write the files of packages that the page and its tests use, their licences and their hashes."""

import hashlib
import json
import shutil
from pathlib import Path

from local.run_config import PROJECT
from tools.web import icons
from tools.web.node import LOCKS, checked, node, packages

WEB = PROJECT / "web"
AXE = PROJECT / "tests/web/vendor"
HASHES = LOCKS / "vendor/SHA256SUMS"
# Each with the packages that it consists of.
MODULES = {
    "preact": ("preact", "@preact/signals", "@preact/signals-core", "htm"),
    "messages": ("@messageformat/parser", "moo"),
}
_FONT = "@fontsource-variable/figtree"
_ICONS = "lucide-static"
_LICENCES = WEB / "vendor/LICENSES.txt"
MADE = (
    *(WEB / f"vendor/{name}.js" for name in MODULES),
    *(WEB / "vendor/figtree.woff2", WEB / "icons.svg", _LICENCES),
    *(AXE / name for name in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")),
)


def _bundle(source: Path, name: str) -> None:
    checked(
        node(
            source / "esbuild/bin/esbuild",
            LOCKS / f"vendor/{name}.js",
            *("--bundle", "--minify", "--format=esm", "--target=es2020"),
            *("--legal-comments=none", "--charset=utf8", "--log-level=warning"),
            f"--outfile={WEB / f'vendor/{name}.js'}",
            packages=source,
        )
    )


def _licences(source: Path) -> str:
    parts = ["Licences of the files in this folder and of ../icons.svg."]
    files = {f"{name}.js": names for name, names in MODULES.items()}
    for file, names in {**files, "figtree.woff2": (_FONT,), "../icons.svg": (_ICONS,)}.items():
        for name in names:
            about = json.loads((source / name / "package.json").read_text(encoding="utf-8"))
            text = (source / name / "LICENSE").read_text(encoding="utf-8").strip()
            title = f"{file}: {name} {about['version']} ({about['license']})"
            parts.append(f"{'=' * 80}\n{title}\n{'=' * 80}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def write() -> None:
    """Write every file that comes from a package; the same packages give the same bytes."""
    source = packages("vendor")
    for name in MODULES:
        _bundle(source, name)
    font = source / _FONT / "files/figtree-latin-wght-normal.woff2"
    shutil.copyfile(font, WEB / "vendor/figtree.woff2")
    (WEB / "icons.svg").write_text(icons.sprite(source / _ICONS / "icons"), encoding="utf-8")
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
