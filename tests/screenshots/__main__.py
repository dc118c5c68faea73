"""Write docs/screens/: every page with the same data, on a phone and on a desktop.

The light ones are in docs/screens/light/.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from tests.screenshots.scene import Scene, set_scene
from tests.support.api import ROOT
from tests.support.browser.chromium import missing
from tests.support.browser.launch import browser
from tests.support.browser.people import People
from tests.support.browser.tab import DESKTOP, PHONE, Screen, Tab
from tests.support.browser.wait import wait_until
from tests.support.browser.watch import REPORT_CSP, Watch
from tests.support.local import local_service

SCREENS = ROOT / "docs/screens"
# A search waits a moment before its call, so that the network may be quiet too early.
_COMPLETE = (
    "() => !document.querySelector('[aria-busy=true]') && document.fonts.status === 'loaded'"
)
# A quarter of the bytes is left. `kmeans` makes the colours of large areas exact.
_COLOURS = 256


def main() -> int:
    """Take all pictures."""
    if reason := missing():
        print(f"No screenshots: {reason}.", file=sys.stderr)
        return 1
    (SCREENS / "light").mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="medianest-screens-") as folder,
        local_service(Path(folder) / "service") as service,
    ):
        scene = set_scene(service, People(service))
        with browser() as chrome:
            for screen in (PHONE, DESKTOP):
                _take(chrome, scene, screen, service.url, "dark")
                _take(chrome, scene, screen, service.url, "light")
    return 0


def _take(
    chrome: Browser, scene: Scene, screen: Screen, origin: str, scheme: Literal["dark", "light"]
) -> None:
    folder = SCREENS if scheme == "dark" else SCREENS / scheme
    for name, path in scene.pages.items():
        person = scene.person_of(name)
        context = chrome.new_context(
            viewport={"width": screen.width, "height": screen.height},
            has_touch=screen.is_touch,
            is_mobile=screen.is_touch,
            locale="en-GB",
            timezone_id="UTC",
            color_scheme=scheme,
            reduced_motion="reduce",
            storage_state=scene.people.state(person) if person else None,
        )
        context.add_init_script(REPORT_CSP)
        watch = Watch(origin)
        watch.attach(context)
        tab = Tab(context.new_page(), watch, screen)
        tab.visit(path)
        wait_until(tab.page, _COMPLETE)
        tab.settle()
        file = folder / f"{name}-{screen.width}x{screen.height}.png"
        file.write_bytes(_small(tab.page.screenshot(caret="hide", animations="disabled")))
        if watch.problems:
            sys.exit(f"{path}: {'; '.join(watch.problems)}")
        print(f"wrote {file.relative_to(ROOT)} ({file.stat().st_size // 1024} KB)")
        context.close()


def _small(png: bytes) -> bytes:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    reduced = picture.quantize(
        _COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
    )
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main())
