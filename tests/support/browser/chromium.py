"""Find the browser of this machine."""

import os
import shutil
from importlib.util import find_spec

# The first has no window to draw, which saves a third of the processor time of the tests.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of Chromium, None if this machine has none."""
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else _NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


def missing() -> str | None:
    """Return what tests in a browser lack and how to get it, None if they can run."""
    if find_spec("playwright") is None:
        return "no Playwright; run `make .venv/web`"
    if chromium() is None:
        return (
            "no Chromium; install one, on Debian by `apt-get install chromium-headless-shell`,"
            " or set CHROMIUM to its path"
        )
    return None
