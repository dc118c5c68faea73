"""Write web/icons.svg: the icons of the page as one sprite, `<use href="icons.svg#check">`."""

from pathlib import Path

from local.run_config import PROJECT

# Those that the page uses; lucide.dev has the others.
NAMES = (
    *("arrow-up-right", "check", "chevron-left", "circle-check", "circle-x", "clock", "compass"),
    *("copy", "eye", "eye-off", "film", "info", "key-round", "loader-circle", "log-out"),
    *("monitor-smartphone", "plus", "refresh-cw", "search", "sparkles", "ticket"),
    *("triangle-alert", "tv", "user", "wifi-off", "x"),
)
_LOGO = PROJECT / "web/images/logo.svg"
_LOGO_SYMBOL = '<symbol id="logo" viewBox="0 0 32 32">{shapes}</symbol>'
_SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
    ' stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
)


def sprite(folder: Path) -> str:
    """Return the sprite, made from a folder of single icons."""
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">', _LOGO_SYMBOL.format(shapes=_shapes(_LOGO))]
    lines += [_SYMBOL.format(name=each, shapes=_shapes(folder / f"{each}.svg")) for each in NAMES]
    return "\n".join([*lines, "</svg>", ""])


def _shapes(file: Path) -> str:
    icon = file.read_text(encoding="utf-8")
    shapes = icon.partition("<svg")[2].partition(">")[2].removesuffix("</svg>\n")
    return "".join(line.strip() for line in shapes.splitlines()).replace(" />", "/>")
