"""Compute the figures of a run, and check them against the targets."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.prove.calls import PARTS, Call
from tests.prove.plan import Fault

# The p95 of unaffected calls must stay below the greater of these.
CALM_SECONDS = 0.25
CALM_FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Times:
    """The start and end times of the phases of a run."""

    calm: float
    fault: float
    ended: float
    over: float


@dataclass
class Row:
    """A fault with its results; `failures` are the missed targets."""

    name: str
    how: str
    codes: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    failed: int = 0
    before: float = 0.0
    during: float = 0.0
    unaffected_before: float | None = None
    unaffected: float | None = None
    recovery: float = 0.0
    writes: int = 0
    workers: int = 0
    lost: int = 0
    duplicated: int = 0
    unaudited: int = 0
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    not_run: str = ""


def p95(calls: Iterable[Call]) -> float:
    """Return the seconds within which 19 of 20 calls ended."""
    times = sorted(call.seconds for call in calls)
    return times[math.ceil(0.95 * len(times)) - 1] if times else 0.0


def unaffected(fault: Fault, calls: Sequence[Call]) -> list[Call]:
    """Return the calls that a fault does not affect."""
    kinds = frozenset[str]().union(
        *(kinds for part, kinds in PARTS.items() if part not in fault.touches)
    )
    return [call for call in calls if call.kind in kinds]


def recovery(calls: Sequence[Call], ended: float) -> float:
    """Return the seconds from the end of the fault to the end of the last failed call."""
    delays = [call.ended - ended for call in calls if call.started >= ended and call.failed]
    return max(delays, default=0.0)


def measure(row: Row, fault: Fault, calls: Sequence[Call], times: Times, *, speed: bool) -> None:
    """Fill in a row and check the targets; those of `speed` need an idle machine."""
    calm = [call for call in calls if call.started < times.fault and call.ended < times.fault]
    during = [call for call in calls if times.fault <= call.ended and call.started < times.ended]
    after = [call for call in calls if call.started >= times.ended]
    row.calls, row.failed = len(during), sum(call.failed for call in during)
    row.codes = Counter(call.code or call.problem[:60] for call in [*during, *after] if call.failed)
    row.before, row.during = p95(calm), p95(during)
    row.recovery = recovery(calls, times.ended)
    if not calm:
        row.failures.append("no call ended before the fault")
    row.failures += _errors(fault, calm, during, after)
    if row.recovery > fault.recovers:
        row.failures.append(
            f"recovery took {row.recovery:.1f} s, the maximum is {fault.recovers:.0f}"
        )
    others = unaffected(fault, during)
    if others:
        row.unaffected_before = p95(unaffected(fault, calm))
        row.unaffected = p95(others)
        maximum = max(CALM_SECONDS, CALM_FACTOR * row.unaffected_before)
        if speed and row.unaffected > maximum:
            row.failures.append(
                f"p95 of unaffected calls: {row.unaffected * 1000:.0f} ms,"
                f" the maximum is {maximum * 1000:.0f}"
            )


def _errors(
    fault: Fault, calm: Sequence[Call], during: Sequence[Call], after: Sequence[Call]
) -> list[str]:
    """Return the unexpected errors, each kind once."""
    errors = [f"before the fault: {_summary(call)}" for call in calm if call.failed]
    for call in [*during, *after]:
        if call.problem:
            errors.append(f"not as documented: {_summary(call)}")
        elif call.failed and call.code not in fault.codes:
            errors.append(f"unexpected code: {_summary(call)}")
    calls = unaffected(fault, [*during, *after])
    errors += [f"unaffected call failed: {_summary(call)}" for call in calls if call.failed]
    return [f"{error} ({number} times)" for error, number in Counter(errors).most_common(8)]


def _summary(call: Call) -> str:
    return f"{call.kind} {call.status} {call.code}{' ' if call.problem else ''}{call.problem[:300]}"
