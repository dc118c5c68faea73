"""Run faults one after the other, with a stage for each setting."""

import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.prove import processes
from tests.prove.disk import NoDiskError
from tests.prove.measure import Row, Times, measure
from tests.prove.plan import Fault
from tests.prove.stage import Stage, stage

AFTER_SECONDS = 3.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of a run: seconds without and with the fault, users, seconds between their calls.

    `speed` also checks the latency targets, which need an idle machine.
    """

    calm: float = 20.0
    fault: float = 60.0
    users: int = 8
    period: float = 0.4
    speed: bool = True


def prove(faults: Sequence[Fault], scale: Scale, report: Callable[[Row], None]) -> list[Row]:
    """Inject faults one after the other under load, and return the results.

    They share a stage, which the first fault sets up. `report` gets each row as soon as it is
    complete.
    """
    rows = [Row(fault.name, fault.how) for fault in faults]
    left = list(rows)
    with tempfile.TemporaryDirectory(prefix="medianest-prove-") as folder:
        try:
            with stage(Path(folder), faults[0].setting, users=scale.users) as on:
                for fault in faults:
                    _run(on, fault, scale, left[0])
                    report(left.pop(0))
        except NoDiskError as error:
            for row in left:
                row.not_run = f"not run: needs {error}"
        except Exception as error:  # noqa: BLE001 - the other faults still run
            traceback_lines = traceback.format_exception(error)
            for row in left:
                row.failures += [
                    "the run failed with an exception",
                    *"".join(traceback_lines).splitlines(),
                ]
    for row in left:
        report(row)
    return rows


def _run(on: Stage, fault: Fault, scale: Scale, row: Row) -> None:
    writes = on.ledger.writes
    with on.load(scale.period):
        on.warm_up()
        calm = time.monotonic()
        time.sleep(scale.calm)
        began = time.monotonic()
        fault.run(on, scale.fault)
        ended = time.monotonic()
        until = ended + PATIENCE_SECONDS
        time.sleep(AFTER_SECONDS)
        while not _is_over(on, ended) and time.monotonic() < until:
            on.wanted = on.not_seen(ended)
            time.sleep(0.2)
        missing = on.not_seen(ended)
        row.workers = len(processes.workers_of(on.service.process.pid))
    times = Times(calm, began, ended, time.monotonic())
    measure(row, fault, on.journal.between(calm, times.over), times, speed=scale.speed)
    if missing:
        row.failures.append(f"still failing after the fault: {', '.join(sorted(missing))}")
    row.failures += on.settle()
    with on.database() as db:
        findings = on.ledger.check(db)
    row.writes = on.ledger.writes - writes
    row.lost, row.doubled = len(findings.lost), len(findings.doubled)
    row.unaudited = len(findings.unaudited)
    row.failures += findings.all[:20]
    row.notes += on.notes
    on.notes.clear()


def _is_over(on: Stage, ended: float) -> bool:
    """Return whether every kind of call works again, and none has failed recently."""
    late = [call.ended for call in on.journal.between(ended) if call.failed]
    quiet = not late or max(late) < time.monotonic() - AFTER_SECONDS
    return quiet and not on.not_seen(ended)
