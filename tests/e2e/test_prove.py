"""`make prove SHORT=1`, the variant that CI runs."""

import hashlib
import subprocess
import sys

from tests.prove.plan import FAULTS
from tests.support.api import ROOT

SECONDS = 600.0


def digest_report() -> list[str]:
    """Return digests of the report's files."""
    files = sorted((ROOT / "docs").glob("reliability.*"))
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_short_run_passes_and_does_not_change_the_report() -> None:
    before = digest_report()
    result = subprocess.run(
        [sys.executable, "-m", "tests.prove", "--short"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    for fault in FAULTS:
        assert (f"{fault.name}: " in result.stdout) == fault.short, result.stdout
    assert digest_report() == before


def test_short_run_has_a_fault_of_every_engine_and_upstream() -> None:
    names = " ".join(fault.name for fault in FAULTS if fault.short)
    for subject in ("database", "cache", "TMDB", "Plex", "worker"):
        assert subject in names


def test_proof_of_fulfilment_measures_the_time_to_the_server() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.prove.fulfilment", "bell", "--approvals", "12"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "| bell | approvals | 11 |" in result.stdout
