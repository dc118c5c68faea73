"""docs/performance.md has the stored figures of the page in a browser."""

from benchmarks.browser import FIGURES, NAME, Figure, section
from tests.support.api import ROOT
from tools.docs.marked import with_part


def test_the_page_has_the_stored_figures() -> None:
    text = (ROOT / "docs/performance.md").read_text()
    assert FIGURES.is_file()
    assert with_part(text, NAME, section()) == text, "run `make bench WEB=1`"


def test_a_figure_meets_a_ceiling_or_a_floor() -> None:
    assert Figure("bytes", 35, 35, "KiB").is_met
    assert not Figure("bytes", 35, 35.1, "KiB").is_met
    assert Figure("bytes beside", None, 1000, "KiB").is_met
    assert Figure("frames", 50, 50, "frames/s", is_floor=True).is_met
    assert not Figure("frames", 50, 49.9, "frames/s", is_floor=True).is_met
