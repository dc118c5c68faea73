"""The page's figures in a browser, as `make bench WEB=1` measured them last, and their bars."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FIGURES = Path(__file__).with_name("browser.json")
NAME = "browser"
_SECTION = """\
`make bench WEB=1` measured these on {origin}, with a processor slowed down {slower} times, {latency} ms of latency and {megabits} Mbit/s where the figure is a time or a shift.
The machine had a load average of up to {load_average}; browser, service, stand-ins and any other work share its processors, which draw the page as well.

Files are all that the page loads for its first view without a cache, with their gzip sizes: document, styles, font, scripts, texts and icons, without posters. Calls of the
API stand beside them, because their answers depend on what the community requested. Usable means that the first button or title can be pressed: the median of {loads} loads.
A signed-in browser has visited the page before, so it asks for no module of the sign-in page. A list scrolls at 8,000 pixels per second, the fastest fling of Android."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and its bar: at most, or at least when `is_floor`; None is no bar."""

    what: str
    bar: float | None
    measured: float
    unit: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether the figure is within its bar."""
        if self.bar is None:
            return True
        return self.measured >= self.bar if self.is_floor else self.measured <= self.bar


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and how the figures were measured."""

    origin: str
    slower: int
    latency: int
    megabits: int
    loads: int
    load_average: float


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
        measured = f"| {each.what} | {{}} | {each.measured:g} {each.unit} | {{}} |"
        if each.bar is None:
            yield measured.format("–", "")
            continue
        bound = "at least" if each.is_floor else "at most"
        met = "met" if each.is_met else "**missed**"
        yield measured.format(f"{bound} {each.bar:g} {each.unit}", met)
