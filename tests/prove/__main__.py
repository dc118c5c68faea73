"""Inject faults under load and check that no write is lost: `make prove`.

Prints a line for each fault, and the targets that it missed. The exit code is 1 if any was missed.
"""

import argparse
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.prove.chart import chart
from tests.prove.endurance import EnduranceResult, endure, endure_on
from tests.prove.matrix import Scale, prove
from tests.prove.measure import Row
from tests.prove.plan import FAULTS, USUAL, Fault
from tests.prove.report import endurance_line, line, page
from tests.prove.stage import Setting, Stage
from tests.support.api import ROOT

SHORT = Scale(calm=2.0, fault=3.0, users=5, period=0.9, speed=False)
# In the short form, faults with the same setting share a stage: all of them, without `--only`.
# Stages run at the same time, because they spend most of it waiting, mainly for breakers to close.
# The run with many users is then one with few, on the usual stage before its faults.
SHORT_MINUTES = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected faults and return the exit code."""
    options = _parse(arguments)
    faults = [each for each in FAULTS if _is_selected(each, options)]
    scale = Scale(calm=options.calm, fault=options.seconds)
    started = time.monotonic()
    if options.short:
        scale = replace(SHORT, users=options.users)
        rows, endurance = _run_short_form(faults, scale, options.minutes * 60)
    else:
        rows = [row for fault in faults for row in prove([fault], scale, _print_row)]
        endurance = _run_endurance(options)
    if options.write or not (options.short or options.only):
        _write(rows, endurance, scale)
    failed_rows = [row for row in rows if row.failures]
    failures = len(failed_rows) + bool(endurance and endurance.failures)
    print(f"{len(rows) - len(failed_rows)} of {len(rows)} faults passed", end="")
    print(f", {failures} failed" if failures else "", f"({time.monotonic() - started:.0f} s)")
    return 1 if failures else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="run the short form, as in CI; writes no report"
    )
    parser.add_argument(
        *("--only",),
        action="append",
        metavar="NAME",
        help="run only this fault; repeatable; writes no report",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="duration of each fault")
    parser.add_argument(
        "--calm", type=float, default=10.0, help="seconds without a fault before it"
    )
    parser.add_argument(
        "--minutes", type=float, help="minutes of the run with many users; 0 skips it"
    )
    parser.add_argument("--users", type=int, help="number of users in that run")
    parser.add_argument("--write", action="store_true", help="always write the report")
    options = parser.parse_args(arguments)
    if options.minutes is None:
        options.minutes = 0.0 if options.only else SHORT_MINUTES if options.short else 10.0
    if options.users is None:
        options.users = SHORT.users if options.short else 100
    unknown = set(options.only or ()) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(
            f"unknown fault: {', '.join(unknown)}; known: {', '.join(f.name for f in FAULTS)}"
        )
    return options


def _is_selected(fault: Fault, options: argparse.Namespace) -> bool:
    if options.only:
        return fault.name in options.only
    return fault.short or not options.short


def _run_short_form(
    faults: Sequence[Fault], scale: Scale, seconds: float
) -> tuple[list[Row], EnduranceResult | None]:
    stages: dict[Setting, list[Fault]] = defaultdict(list)
    for fault in faults:
        stages[fault.setting].append(fault)
    results: list[EnduranceResult] = []

    def run_endurance(stage: Stage) -> None:
        if seconds:
            results.append(_printed(endure_on(stage, seconds)))

    with ThreadPoolExecutor(len(stages)) as pool:
        try:
            proofs = [
                pool.submit(
                    prove, each, scale, _print_row, run_endurance if setting == USUAL else None
                )
                for setting, each in stages.items()
            ]
            rows = [row for proof in proofs for row in proof.result()]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return rows, results[0] if results else None


def _print_row(row: Row) -> None:
    print(line(row), *(f"    MISSED: {each}" for each in row.failures), sep="\n", flush=True)


def _run_endurance(options: argparse.Namespace) -> EnduranceResult | None:
    if not options.minutes:
        return None
    return _printed(endure(options.minutes * 60, options.users))


def _printed(result: EnduranceResult) -> EnduranceResult:
    missed = [f"    MISSED: {each}" for each in result.failures]
    print(endurance_line(result), *missed, sep="\n", flush=True)
    return result


def _write(rows: list[Row], endurance: EnduranceResult | None, scale: Scale) -> None:
    folder = ROOT / "docs"
    (folder / "reliability.md").write_text(page(rows, endurance, scale), encoding="utf-8")
    (folder / "reliability.svg").write_text(chart(rows, endurance), encoding="utf-8")
    print("wrote docs/reliability.md and docs/reliability.svg")


if __name__ == "__main__":
    # An exception lets every context manager stop its processes and unmount its disk.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
