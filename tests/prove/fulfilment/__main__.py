"""Prove that approvals reach Radarr and Sonarr: `make prove FULFILMENT=1`.

Prints the figures of each part beside their bars. The exit code is 1 if any was missed.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial

from tests.prove.fulfilment.parts import PARTS, Proof
from tools.measurement import commit, machine


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected parts and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove.fulfilment", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"by default all: {', '.join(PARTS)}")
    parser.add_argument("--approvals", type=int, help="number of approvals of each part")
    options = parser.parse_args(arguments)
    chosen = options.parts or list(PARTS)
    if unknown := set(chosen) - PARTS.keys():
        parser.error(f"unknown part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    started = time.monotonic()
    proofs = []
    for part in chosen:
        number = () if options.approvals is None else (options.approvals,)
        proofs.append(PARTS[part](partial(_say, part), *number))
        print(_table(proofs[-1:]), flush=True)
    if len(proofs) > 1:
        print(f"\n{machine()}, MediaNest at {commit()}\n{_table(proofs)}")
    missed = [each for proof in proofs for each in proof.figures if each.missed]
    print(f"{len(missed)} figures missed their bar ({time.monotonic() - started:.0f} s)")
    return 1 if missed else 0


def _say(part: str, text: str) -> None:
    print(f"{part}: {text}", flush=True)


def _table(proofs: Sequence[Proof]) -> str:
    lines = ["", "| Part | Figure | Value | Bar |", "|---|---|---|---|"]
    for proof in proofs:
        for each in proof.figures:
            value = f"{each.value:.2f}".removesuffix(".00") + (each.unit and f" {each.unit}")
            bar = "" if each.most is None else f"≤ {each.most:g}{' MISSED' if each.missed else ''}"
            lines.append(f"| {proof.part} | {each.name} | {value} | {bar} |")
    return "\n".join(lines)


if __name__ == "__main__":
    # An exception lets every context manager stop its processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
