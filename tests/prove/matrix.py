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
from tests.prove.stage import Stage, build_stage

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


def prove(
    faults: Sequence[Fault],
    scale: Scale,
    report: Callable[[Row], None],
    first: Callable[[Stage], None] | None = None,
) -> list[Row]:
    """Inject faults one after the other under load, and return the results.

    They share a stage, which the first fault sets up, and on which `first` runs before it. `report`
    gets each row as soon as it is complete.
    """
    rows = [Row(fault.name, fault.how) for fault in faults]
    remaining = list(rows)
    with tempfile.TemporaryDirectory(prefix="medianest-prove-") as folder:
        try:
            with build_stage(Path(folder), faults[0].setting, users=scale.users) as stage:
                if first is not None:
                    first(stage)
                for fault in faults:
                    _run(stage, fault, scale, remaining[0])
                    report(remaining.pop(0))
        except NoDiskError as error:
            for row in remaining:
                row.not_run = f"not run: needs {error}"
        except Exception as error:  # noqa: BLE001 - the other faults still run
            traceback_lines = traceback.format_exception(error)
            for row in remaining:
                row.failures += [
                    "the run failed with an exception",
                    *"".join(traceback_lines).splitlines(),
                ]
    for row in remaining:
        report(row)
    return rows


def _run(stage: Stage, fault: Fault, scale: Scale, row: Row) -> None:
    writes = stage.ledger.writes
    with stage.load(scale.period):
        stage.warm_up()
        calm_started = time.monotonic()
        time.sleep(scale.calm)
        fault_started = time.monotonic()
        fault.run(stage, scale.fault)
        fault_ended = time.monotonic()
        deadline = fault_ended + PATIENCE_SECONDS
        time.sleep(AFTER_SECONDS)
        while not _has_recovered(stage, fault_ended) and time.monotonic() < deadline:
            stage.preferred = stage.not_succeeded(fault_ended)
            time.sleep(0.2)
        failing = stage.not_succeeded(fault_ended)
        row.workers = len(processes.workers_of(stage.service.pid))
    times = Times(calm_started, fault_started, fault_ended, time.monotonic())
    measure(row, fault, stage.journal.between(calm_started, times.over), times, speed=scale.speed)
    if failing:
        row.failures.append(f"still failing after the fault: {', '.join(sorted(failing))}")
    row.failures += stage.settle()
    with stage.database() as db:
        findings = stage.ledger.check(db)
    row.writes = stage.ledger.writes - writes
    row.lost, row.duplicated = len(findings.lost), len(findings.duplicated)
    row.unaudited = len(findings.unaudited)
    row.failures += findings.all[:20]
    row.notes += stage.notes
    stage.notes.clear()


def _has_recovered(stage: Stage, ended: float) -> bool:
    """Return whether every kind of call works again, and none has failed recently."""
    late = [call.ended for call in stage.journal.between(ended) if call.failed]
    quiet = not late or max(late) < time.monotonic() - AFTER_SECONDS
    return quiet and not stage.not_succeeded(ended)
