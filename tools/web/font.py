"""Write web/vendor/figtree.woff2: the letters of Western Europe, of a font that has more."""

import subprocess
import sys
from pathlib import Path

# Basic Latin and Latin-1, oe, dashes, quotes, bullet, ellipsis, euro and trade mark;
# web/styles/tokens.css has the same, so that other letters come from a font of the system.
RANGE = (
    *("U+0020-007E", "U+00A0-00AC", "U+00AE-00FF", "U+0152-0153", "U+2013-2014", "U+2018-201A"),
    *("U+201C-201E", "U+2022", "U+2026", "U+2039-203A", "U+20AC", "U+2122"),
)
_SECONDS = 60


def subset(source: Path, target: Path) -> None:
    """Write the font with the characters of RANGE alone, or end this command."""
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "fontTools.subset", source, f"--output-file={target}"),
            *(f"--unicodes={','.join(RANGE)}", "--no-ignore-missing-unicodes"),
            *("--layout-features=kern,liga,mark,ccmp", "--flavor=woff2"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if completed.returncode:
        sys.exit(completed.stderr)
