"""Draw the figure of docs/reliability.md: p95 before and during each fault, memory over time."""

import math
from collections.abc import Iterator, Sequence

from tests.prove.endurance import EnduranceResult
from tests.prove.measure import Row
from tools.measurement import svg_text

_WIDTH = 860
_LEFT, _RIGHT, _TOP = 250, 800, 70
_ROW, _GAP = 26, 90
_MIN_SECONDS, _MAX_SECONDS = 0.005, 20.0  # seconds
_MEMORY_HEIGHT = 200
_BEFORE, _DURING = "#2f5fa8", "#b86e00"
_GRID, _STRONG = "#dfe5ea", "#17202a"
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_MIB = 2**20


def chart(rows: Sequence[Row], endurance: EnduranceResult | None) -> str:
    """Return docs/reliability.svg."""
    rows_run = [row for row in rows if not row.not_run]
    bottom = _TOP + _ROW * len(rows_run)
    height = bottom + 50 + (_MEMORY_HEIGHT + _GAP if endurance else 0)
    parts = [
        f'<rect width="{_WIDTH}" height="{height}" rx="10" fill="#fbfcfd"/>',
        svg_text(20, 30, "p95 of all calls, in milliseconds", fill=_STRONG, weight=600),
        svg_text(_LEFT, 54, "before", fill=_BEFORE, weight=600),
        svg_text(_LEFT + 70, 54, "during the fault", fill=_DURING, weight=600),
        *_scale(bottom),
        *(part for number, row in enumerate(rows_run) for part in _bars(row, _TOP + _ROW * number)),
        *(_memory(endurance, bottom + _GAP) if endurance else ()),
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
            f'     font-family="{_FONT}" font-size="14" role="img"',
            '     aria-label="p95 before and during each fault, and memory over time">',
            *(f"  {part}" for part in parts),
            "</svg>\n",
        )
    )


def _scale(bottom: int) -> Iterator[str]:
    for seconds in (0.01, 0.1, 1.0, 10.0):
        x = _x(seconds)
        yield f'<path d="M{x:.1f} {_TOP - 6} V{bottom}" stroke="{_GRID}"/>'
        yield svg_text(x, bottom + 20, f"{seconds * 1000:,.0f}", anchor="middle")


def _bars(row: Row, y: int) -> Iterator[str]:
    yield svg_text(_LEFT - 10, y + 15, row.name, anchor="end", size=13)
    for top, seconds, colour in ((y + 2, row.before, _BEFORE), (y + 12, row.during, _DURING)):
        width = max(_x(seconds) - _LEFT, 1)
        yield f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="9" fill="{colour}"/>'
    x = max(_x(row.before), _x(row.during))
    label = f"{row.before * 1000:.0f} → {row.during * 1000:,.0f}"
    yield svg_text(x + 6, y + 16, label, size=12)


def _memory(endurance: EnduranceResult, top: int) -> Iterator[str]:
    """Draw the average memory of a worker over time."""
    points = [
        (sample.at, sum(sample.memory.values()) / _MIB / max(len(sample.memory), 1))
        for sample in endurance.samples
    ]
    maximum = math.ceil(max(size for _, size in points) / 50) * 50
    bottom = top + _MEMORY_HEIGHT
    title = f"Memory of a worker on average, in MiB: {endurance.users} users"
    yield svg_text(20, top - 20, title, fill=_STRONG, weight=600)
    for size in range(0, maximum + 1, 50):
        y = bottom - size / maximum * _MEMORY_HEIGHT
        yield f'<path d="M70 {y:.1f} H{_RIGHT}" stroke="{_GRID}"/>'
        yield svg_text(60, y + 5, str(size), anchor="end")
    for fraction in range(6):
        x = 70 + fraction / 5 * (_RIGHT - 70)
        yield svg_text(
            x, bottom + 22, f"{fraction / 5 * endurance.seconds / 60:.1f} min", anchor="middle"
        )
    line = " ".join(
        f"{70 + at / endurance.seconds * (_RIGHT - 70):.1f},"
        f"{bottom - size / maximum * _MEMORY_HEIGHT:.1f}"
        for at, size in points
    )
    yield f'<polyline points="{line}" fill="none" stroke="{_BEFORE}" stroke-width="2.5"/>'


def _x(seconds: float) -> float:
    bounded = min(max(seconds, _MIN_SECONDS), _MAX_SECONDS)
    fraction = math.log(bounded / _MIN_SECONDS) / math.log(_MAX_SECONDS / _MIN_SECONDS)
    return _LEFT + fraction * (_RIGHT - 90 - _LEFT)
