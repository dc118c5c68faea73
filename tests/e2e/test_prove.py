"""`make prove SHORT=1`, the form that CI runs."""

import hashlib
import subprocess
import sys

from tests.prove.plan import FAULTS
from tests.support.api import ROOT

SECONDS = 300.0


def report() -> list[str]:
    """Return what tells one report from another."""
    files = sorted((ROOT / "docs").glob("reliability.*"))
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_the_short_form_passes_and_leaves_the_report_alone() -> None:
    before = report()
    done = subprocess.run(
        [sys.executable, "-m", "tests.prove", "--short"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for fault in FAULTS:
        assert (f"{fault.name}: " in done.stdout) == fault.short, done.stdout
    assert report() == before


def test_every_engine_and_upstream_is_in_the_short_form() -> None:
    names = " ".join(fault.name for fault in FAULTS if fault.short)
    for what in ("database", "cache", "TMDB", "Plex", "worker"):
        assert what in names
