"""Draw horizontal bars as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tools.measurement import svg_text

_WIDTH, _LEFT, _RIGHT, _TOP = 860, 290, 780, 64
_ROW, _BAR = 26, 16
_COLOURS = ("#2f5fa8", "#b86e00")
_MISSED, _MET = "#a3262a", "#2c6e49"
_GRID, _STRONG = "#dfe5ea", "#17202a"
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_CHARACTER = 7  # width
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: parts that are stacked, a note at their end, and a bar that they should not pass."""

    label: str
    parts: tuple[float, ...]
    note: str
    bar: float | None = None


def chart(title: str, legend: Sequence[str], bars: Sequence[Bar]) -> str:
    """Return a chart as SVG; `legend` names the parts of each row."""
    most = max(max(sum(each.parts), each.bar or 0) for each in bars)
    step = scale_step(most)
    bottom = _TOP + _ROW * len(bars)
    height = bottom + 40
    parts = [
        f'<rect width="{_WIDTH}" height="{height}" rx="10" fill="#fbfcfd"/>',
        svg_text(20, 30, title, fill=_STRONG, weight=600),
        *_legend(legend, any(each.bar is not None for each in bars)),
        *_scale(step, most, bottom),
        *(
            part
            for number, each in enumerate(bars)
            for part in _row(each, _TOP + _ROW * number, most)
        ),
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
            f'     font-family="{_FONT}" font-size="14" role="img" aria-label="{escape(title)}">',
            *(f"  {part}" for part in parts),
            "</svg>\n",
        )
    )


def scale_step(most: float) -> float:
    """Return a round distance between the lines of a scale up to `most`."""
    size = 1.0
    while size * _TICKS > most:
        size /= 10
    while size * _TICKS * 10 <= most:
        size *= 10
    return next(size * each for each in _STEPS if size * each * _TICKS >= most)


def _legend(legend: Sequence[str], has_bars: bool) -> Iterator[str]:
    x = float(_LEFT)
    for name, colour in zip(legend, _COLOURS, strict=False):
        yield svg_text(x, 52, name, fill=colour, weight=600)
        x += 9 * len(name) + 16
    if has_bars:
        yield svg_text(x, 52, "| bar: met", fill=_MET, weight=600)
        yield svg_text(x + 88, 52, "| missed", fill=_MISSED, weight=600)


def _scale(step: float, most: float, bottom: int) -> Iterator[str]:
    for number in range(int(most / step) + 1):
        x = _x(number * step, most)
        yield f'<path d="M{x:.1f} {_TOP - 4} V{bottom}" stroke="{_GRID}"/>'
        yield svg_text(x, bottom + 20, f"{number * step:g}", anchor="middle", size=12)


def _row(bar: Bar, y: int, most: float) -> Iterator[str]:
    yield svg_text(_LEFT - 10, y + 14, bar.label, anchor="end", size=13)
    start = 0.0
    for value, colour in zip(bar.parts, _COLOURS, strict=False):
        x, width = _x(start, most), _x(start + value, most) - _x(start, most)
        place = f'x="{x:.1f}" y="{y + 2}" width="{max(width, 1):.1f}" height="{_BAR}"'
        yield f'<rect {place} fill="{colour}"/>'
        start += value
    end = _x(start, most)
    if bar.bar is not None:
        colour = _MET if start <= bar.bar else _MISSED
        x = _x(bar.bar, most)
        yield f'<path d="M{x:.1f} {y - 1} V{y + _BAR + 5}" stroke="{colour}" stroke-width="3"/>'
        if end <= x <= end + _CHARACTER * len(bar.note) + 12:
            end = x  # the note would cross the bar
    yield svg_text(end + 6, y + 15, bar.note, size=12)


def _x(value: float, most: float) -> float:
    return _LEFT + value / most * (_RIGHT - 60 - _LEFT)
