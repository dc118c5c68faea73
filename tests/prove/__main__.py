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

from tests.prove.chart import chart
from tests.prove.endurance import Endured, endure
from tests.prove.matrix import Scale, prove
from tests.prove.measure import Row
from tests.prove.plan import FAULTS, Fault
from tests.prove.report import endured_line, line, page
from tests.prove.stage import Setting
from tests.support.api import ROOT

SHORT = Scale(calm=2.0, fault=4.0, users=5, period=0.9, speed=False)
# In the short form, faults with the same setting share a stage. The stages run at the same time:
# they wait more than they work, above all for breakers.
SHORT_MINUTES, SHORT_USERS = 0.1, 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected faults and return the exit code."""
    options = _parse(arguments)
    faults = [each for each in FAULTS if _is_asked(each, options)]
    scale = SHORT if options.short else Scale(calm=options.calm, fault=options.seconds)
    started = time.monotonic()
    if options.short:
        rows, endured = _short(faults, options)
    else:
        rows = [row for fault in faults for row in prove([fault], scale, _tell)]
        endured = _endurance(options)
    if options.write or not (options.short or options.only):
        _write(rows, endured, scale)
    bad = [row for row in rows if row.failures]
    failed = len(bad) + bool(endured and endured.failures)
    print(f"{len(rows) - len(bad)} of {len(rows)} faults passed", end="")
    print(f", {failed} failed" if failed else "", f"({time.monotonic() - started:.0f} s)")
    return 1 if failed else 0


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
        options.users = SHORT_USERS if options.short else 100
    unknown = set(options.only or ()) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(
            f"unknown fault: {', '.join(unknown)}; known: {', '.join(f.name for f in FAULTS)}"
        )
    return options


def _is_asked(fault: Fault, options: argparse.Namespace) -> bool:
    if options.only:
        return fault.name in options.only
    return fault.short or not options.short


def _short(
    faults: Sequence[Fault], options: argparse.Namespace
) -> tuple[list[Row], Endured | None]:
    stages: dict[Setting, list[Fault]] = defaultdict(list)
    for fault in faults:
        stages[fault.setting].append(fault)
    with ThreadPoolExecutor(len(stages) + 1) as pool:
        try:
            proofs = [pool.submit(prove, each, SHORT, _tell) for each in stages.values()]
            endured = pool.submit(_endurance, options)
            return [row for proof in proofs for row in proof.result()], endured.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _tell(row: Row) -> None:
    print(line(row), *(f"    MISSED: {each}" for each in row.failures), sep="\n", flush=True)


def _endurance(options: argparse.Namespace) -> Endured | None:
    if not options.minutes:
        return None
    found = endure(options.minutes * 60, options.users)
    print(endured_line(found), *(f"    MISSED: {each}" for each in found.failures), sep="\n")
    return found


def _write(rows: list[Row], endured: Endured | None, scale: Scale) -> None:
    folder = ROOT / "docs"
    (folder / "reliability.md").write_text(page(rows, endured, scale), encoding="utf-8")
    (folder / "reliability.svg").write_text(chart(rows, endured), encoding="utf-8")
    print("wrote docs/reliability.md and docs/reliability.svg")


if __name__ == "__main__":
    # An exception lets every context manager stop its processes and unmount its disk.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
