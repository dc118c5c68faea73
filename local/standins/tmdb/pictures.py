"""Posters and backdrops of the stand-in: drawn from title and id, the same at each call.

TMDB's pictures are other people's work, so none is part of this project.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from random import Random
from typing import Literal

from local.standins.tmdb.catalogue import Title
from local.standins.tmdb.details import GENRES

type PictureKind = Literal["poster", "backdrop"]

_SIZES: dict[PictureKind, tuple[int, int]] = {"poster": (342, 513), "backdrop": (1280, 720)}
_FONT = "Figtree,Avenir Next,Segoe UI,Helvetica Neue,Liberation Sans,Arial,sans-serif"
_MARGIN = 26
_LAST_LINE = 452
_META_LINE = 486
_MAX_LINES = 4
# The longest title of each font size; the width of a letter is about 0.64 of its size.
_FONT_SIZES = ((12, 46), (24, 38), (1000, 30))
_LINE_WIDTH = 290
_LETTER = 0.64


@dataclass(frozen=True, slots=True)
class _Canvas:
    """The frame of a picture, its colours and the source of its variations."""

    width: int
    height: int
    ground: str
    depth: str
    light: str
    random: Random

    def x(self, low: float, high: float) -> int:
        """Return a random position between two parts of the width."""
        return self.random.randint(round(low * self.width), round(high * self.width))

    def y(self, low: float, high: float) -> int:
        """Return a random position between two parts of the height."""
        return self.random.randint(round(low * self.height), round(high * self.height))


def draw(title: Title, kind: PictureKind, width: int) -> str:
    """Return a picture as SVG; a poster shows the title, the year and a genre."""
    canvas = _canvas(title, kind)
    w, h = canvas.width, canvas.height
    motif = canvas.random.choice(_MOTIFS)(canvas)
    text = _caption(title) if kind == "poster" else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{width}" '
        f'height="{round(width * h / w)}"><defs><linearGradient id="sky" x2="0" y2="1">'
        f'<stop stop-color="{canvas.ground}"/><stop offset="1" stop-color="{canvas.depth}"/>'
        '</linearGradient><linearGradient id="shade" x2="0" y2="1">'
        '<stop offset=".45" stop-opacity="0"/><stop offset=".86" stop-opacity=".82"/>'
        f'</linearGradient></defs><rect width="{w}" height="{h}" fill="url(#sky)"/>{motif}'
        f'<rect width="{w}" height="{h}" fill="url(#shade)"/>{text}</svg>'
    )


def _canvas(title: Title, kind: PictureKind) -> _Canvas:
    random = Random(f"{title.media_type} {title.id}")  # noqa: S311 - a drawing, not a secret
    hue, saturation = random.randrange(360), random.randint(38, 62)
    second, third = (hue + random.randint(25, 75)) % 360, (hue + random.randint(40, 100)) % 360
    return _Canvas(
        *_SIZES[kind],
        ground=f"hsl({hue},{saturation}%,24%)",
        depth=f"hsl({second},{saturation}%,10%)",
        light=f"hsl({third},{min(saturation + 25, 80)}%,62%)",
        random=random,
    )


def _hills(canvas: _Canvas) -> str:
    points = [f"{round(canvas.width * part / 4)} {canvas.y(0.4, 0.65)}" for part in range(5)]
    return (
        f'<circle cx="{canvas.x(0.2, 0.8)}" cy="{canvas.y(0.2, 0.4)}" '
        f'r="{canvas.y(0.13, 0.24)}" fill="{canvas.light}"/>'
        f'<path d="M{" L".join(points)} V{canvas.height} H0Z" fill="{canvas.depth}"/>'
    )


def _rings(canvas: _Canvas) -> str:
    x, y, reach = canvas.x(0.25, 0.75), canvas.y(0.2, 0.45), round(canvas.height * 0.66)
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{canvas.light}" '
        f'stroke-width="5" opacity="{0.95 - 0.8 * radius / reach:.2f}"/>'
        for radius in range(24, reach, 26)
    )


def _towers(canvas: _Canvas) -> str:
    step = round(canvas.width / 9)
    return "".join(
        f'<rect x="{part * step}" y="{canvas.y(0.08, 0.42)}" width="{round(step * 0.6)}" '
        f'height="{canvas.height}" fill="{canvas.light}" opacity="{0.25 + 0.07 * part:.2f}"/>'
        for part in range(9)
    )


def _peak(canvas: _Canvas) -> str:
    x, top, foot = canvas.x(0.3, 0.7), canvas.y(0.06, 0.14), round(canvas.height * 0.72)
    wide, slim = round(canvas.height * 0.3), round(canvas.height * 0.2)
    return (
        f'<path d="M{x} {top} L{x + wide} {foot} L{x - wide} {foot}Z" fill="{canvas.light}"/>'
        f'<path d="M{x} {top + slim} L{x + slim} {foot} L{x - slim} {foot}Z" '
        f'fill="{canvas.ground}"/>'
    )


def _waves(canvas: _Canvas) -> str:
    swell, half = canvas.y(0.04, 0.12), canvas.width // 2
    lines = [round(canvas.height * (0.18 + 0.065 * part)) for part in range(8)]
    return "".join(
        f'<path d="M-20 {y} Q{half // 2} {y - swell} {half} {y} T{canvas.width + 20} {y}" '
        f'fill="none" stroke="{canvas.light}" stroke-width="{10 - part}" '
        f'opacity="{0.95 - 0.09 * part:.2f}"/>'
        for part, y in enumerate(lines)
    )


def _eclipse(canvas: _Canvas) -> str:
    x, y, radius = canvas.x(0.4, 0.6), canvas.y(0.3, 0.42), round(canvas.height * 0.23)
    return (
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{canvas.light}"/>'
        f'<circle cx="{x + round(radius * 0.4)}" cy="{y - round(radius * 0.2)}" '
        f'r="{round(radius * 0.88)}" fill="{canvas.ground}"/>'
    )


_MOTIFS: tuple[Callable[[_Canvas], str], ...] = (
    *(_hills, _rings, _towers, _peak, _waves, _eclipse),
)


def _caption(title: Title) -> str:
    size = next(size for longest, size in _FONT_SIZES if len(title.title) < longest)
    longest_word = max(map(len, title.title.split()))
    size = min(size, round(_LINE_WIDTH / (longest_word * _LETTER)))
    lines = _lines(title.title, per_line=round(_LINE_WIDTH / (size * _LETTER)))
    first = _LAST_LINE - (len(lines) - 1) * size
    spans = "".join(
        f'<text x="{_MARGIN}" y="{first + number * size}" font-size="{size}" '
        f'font-weight="700">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    genres = [GENRES[id_] for id_ in title.genres[:1]]
    meta = " · ".join(part for part in (title.date[:4], *genres) if part)
    return (
        f'<g fill="#fff" font-family="{_FONT}">{spans}<text x="{_MARGIN}" y="{_META_LINE}" '
        f'font-size="17" opacity=".75">{escape(meta)}</text></g>'
    )


def _lines(text: str, *, per_line: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < per_line:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines[:_MAX_LINES]
