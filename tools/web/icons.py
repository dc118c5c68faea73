"""Make the icons of the page, one sprite for everyone and one for the administration.

`<use href="icons.svg#check">` draws one.
"""

from pathlib import Path

from local.run_config import PROJECT

# Those that the page uses; lucide.dev has the others.
NAMES = (
    *("arrow-up-right", "check", "chevron-left", "circle-check", "circle-x", "clock", "compass"),
    *("copy", "download", "eye", "eye-off", "film", "inbox", "info", "key-round"),
    *(
        "loader-circle",
        "log-out",
        "monitor-smartphone",
        "plus",
        "refresh-cw",
        "search",
        "settings-2",
    ),
    *("sparkles", "ticket", "triangle-alert", "tv", "user", "wifi-off", "x"),
)
ADMIN_NAMES = (
    *("activity", "arrow-down", "arrow-up", "ban", "chart-column", "circle-check", "circle-help"),
    *("circle-x", "clock", "database", "ellipsis", "inbox", "keyboard", "list-checks", "pencil"),
    *("plug", "refresh-cw", "route", "scroll-text", "search", "server"),
    *("settings-2", "shield-check", "shield-x", "trash-2", "user-plus", "users"),
)
_LOGO = PROJECT / "web/images/logo.svg"
_LOGO_SYMBOL = '<symbol id="logo" viewBox="0 0 32 32">{shapes}</symbol>'
_SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
    ' stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
)


def sprite(folder: Path) -> str:
    """Return the sprite for everyone, made from a folder of single icons."""
    return _sprite([_LOGO_SYMBOL.format(shapes=_shapes(_LOGO)), *_symbols(folder, NAMES)])


def admin_sprite(folder: Path) -> str:
    """Return the sprite of the administration."""
    return _sprite(_symbols(folder, ADMIN_NAMES))


def in_color(logo: str, color: str) -> str:
    """Return a logo of one shape in a colour, instead of black."""
    return logo.replace("<path ", f'<path fill="{color}" ').strip() + "\n"


def _sprite(symbols: list[str]) -> str:
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])


def _symbols(folder: Path, names: tuple[str, ...]) -> list[str]:
    return [_SYMBOL.format(name=each, shapes=_shapes(folder / f"{each}.svg")) for each in names]


def _shapes(file: Path) -> str:
    icon = file.read_text(encoding="utf-8")
    shapes = icon.partition("<svg")[2].partition(">")[2].removesuffix("</svg>\n")
    return "".join(line.strip() for line in shapes.splitlines()).replace(" />", "/>")
