"""Origin of measured figures and text of their charts, for `make bench` and `make prove`."""

import html
import os
import platform
import shutil
import subprocess
from pathlib import Path

from local.run_config import PROJECT

TEXT_COLOUR = "#3b4a5a"
_GIT_SECONDS = 10


def machine() -> str:
    """Return a description of this machine."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(": ")[2]
            break
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {gigabytes:.0f} GiB, {platform.system()}"


def commit() -> str:
    """Return the abbreviated id of the current commit."""
    git = shutil.which("git")
    if git is None:
        return "an unknown commit"
    command = [git, "rev-parse", "--short", "HEAD"]
    result = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=_GIT_SECONDS
    )
    return result.stdout.strip() or "an unknown commit"


def svg_text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    fill: str = TEXT_COLOUR,
    weight: int = 400,
    size: int = 14,
) -> str:
    """Return an SVG element with a text at a position."""
    attributes = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    content = html.escape(text, quote=False)
    return f'<text {attributes} fill="{fill}" font-weight="{weight}">{content}</text>'
