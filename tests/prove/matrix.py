"""Run faults one after the other, each on a separate stage."""

import tempfile
import time
import traceback
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


def prove(fault: Fault, scale: Scale) -> Row:
    """Inject a fault under load and return the result."""
    row = Row(fault.name, fault.how)
    with tempfile.TemporaryDirectory(prefix="medianest-prove-") as folder:
        try:
            with stage(Path(folder), fault.setting, users=scale.users) as on:
                _run(on, fault, scale, row)
        except NoDiskError as error:
            row.not_run = f"not run: needs {error}"
        except Exception as error:  # noqa: BLE001 - the other faults still run
            traceback_lines = traceback.format_exception(error)
            row.failures += [
                "the run failed with an exception",
                *"".join(traceback_lines).splitlines(),
            ]
    return row


def _run(on: Stage, fault: Fault, scale: Scale, row: Row) -> None:
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
    row.writes = on.ledger.writes
    row.lost, row.doubled = len(findings.lost), len(findings.doubled)
    row.unaudited = len(findings.unaudited)
    row.failures += findings.all[:20]
    row.notes += on.notes


def _is_over(on: Stage, ended: float) -> bool:
    """Return whether every kind of call works again, and none has failed recently."""
    late = [call.ended for call in on.journal.between(ended) if call.failed]
    quiet = not late or max(late) < time.monotonic() - AFTER_SECONDS
    return quiet and not on.not_seen(ended)
