"""The page's figures in a browser, as `make bench WEB=1` measured them last, and their bars."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FIGURES = Path(__file__).with_name("browser.json")
NAME = "browser"
_SECTION = """\
`make bench WEB=1` measured these on {origin}, with a processor slowed down {slower} times, {latency} ms of latency and {megabits} Mbit/s where the figure is a time or a shift.
Sizes are those of gzip, without posters. Usable means that the first button or title can be pressed: the median of {loads} loads without a cache."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and its bar: at most, or at least when `is_floor`."""

    what: str
    bar: float
    measured: float
    unit: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether the figure is within its bar."""
        return self.measured >= self.bar if self.is_floor else self.measured <= self.bar


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and how the figures were measured."""

    origin: str
    slower: int
    latency: int
    megabits: int
    loads: int


def save(origin: Origin, figures: list[Figure]) -> None:
    """Store the figures of a run."""
    document = {"origin": asdict(origin), "figures": [asdict(each) for each in figures]}
    FIGURES.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def section() -> str:
    """Return the section of docs/performance.md on the stored figures."""
    document = json.loads(FIGURES.read_text(encoding="utf-8"))
    figures = [Figure(**each) for each in document["figures"]]
    return "\n".join([_SECTION.format(**document["origin"]), "", *_rows(figures)])


def _rows(figures: list[Figure]) -> Iterator[str]:
    yield "| Figure | Bar | Measured |  |"
    yield "| --- | --- | --- | --- |"
    for each in figures:
        bound = "at least" if each.is_floor else "at most"
        met = "met" if each.is_met else "**missed**"
        yield f"| {each.what} | {bound} {each.bar:g} {each.unit} | {each.measured:g} | {met} |"
