"""`make lint-web`, which also runs on the page itself, finds what a page must not have."""

import shutil
from pathlib import Path

from tests.support.api import ROOT
from tools.web.lint import findings

SCRIPT = """
/** @param {number} count */
export const double = (count) => count * 2;
export const text = double("2");
export const last = [1, 2].at(-1);
export class Counter { #count = 0; get() { return (this.#count ??= 1); } }
"""
STYLES = """
.card:has(img) { aspect-ratio: 2 / 3; }
.card { colour: red; }
@container (min-width: 20rem) { .card { width: 50dvh; } }
.button:focus-visible { outline: 2px solid; }
"""
FOUND = (
    "script.js(4,28): error TS2345",
    "Property 'at' does not exist",
    "ES version matching errors",
    "Selector 'has'",
    "Property 'aspect-ratio'",
    "Unknown property 'colour'",
    "At-rule '@container'",
    "Unit 'dvh'",
)


def test_types_support_and_styles_are_checked(tmp_path: Path) -> None:
    shutil.copy(ROOT / "web/tsconfig.json", tmp_path)
    (tmp_path / "script.js").write_text(SCRIPT)
    (tmp_path / "style.css").write_text(STYLES)
    found = findings(tmp_path)
    assert [each for each in FOUND if each not in found] == [], found
    assert "focus-visible" not in found
