"""Run many users for a long time: no error, flat memory, bounded connections."""

import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.prove import processes
from tests.prove.measure import p95
from tests.prove.stage import Setting, Stage, stage

SAMPLE_SECONDS = 5.0
CALLS_A_SECOND = 25.0
# The maximum of memory at the end relative to memory after the warm-up; functions still warm up in
# shorter runs.
MOST_GROWTH = 1.1
LEAST_SECONDS = 300.0
# A worker has one connection; a worker that was just replaced may be counted twice.
SPARE_CONNECTIONS = 3
# The shares of the run in which a worker is warm (minute three of ten) and late.
WARM = (0.2, 0.3)
LATE = (0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The resources of the workers at one time; memory in bytes by process."""

    at: float
    memory: dict[int, int]
    connections: int


@dataclass
class Endured:
    """The result of an endurance run."""

    users: int
    seconds: float
    calls: int = 0
    failed: int = 0
    p95: float = 0.0
    writes: int = 0
    lost: int = 0
    doubled: int = 0
    unaudited: int = 0
    most_workers: int = 0
    most_connections: int = 0
    growth: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def endure(seconds: float, users: int) -> Endured:
    """Run many users on a service and return the result."""
    found = Endured(users, seconds)
    with (
        tempfile.TemporaryDirectory(prefix="medianest-prove-") as folder,
        stage(Path(folder), Setting(), users=users) as on,
    ):
        functions = _live(on, found)
        _judge_calls(on, found)
        _judge_memory(found, functions)
        found.failures += on.settle()
        with on.database() as db:
            findings = on.ledger.check(db)
        found.writes = on.ledger.writes
        found.lost, found.doubled = len(findings.lost), len(findings.doubled)
        found.unaudited = len(findings.unaudited)
        found.failures += findings.all[:20]
    return found


def _live(on: Stage, found: Endured) -> dict[int, str]:
    functions: dict[int, str] = {}
    with on.load(len(on.clients) / CALLS_A_SECOND), on.database() as db:
        on.warm_up()
        on.journal.calls.clear()
        began = time.monotonic()
        while (at := time.monotonic() - began) < found.seconds:
            workers = processes.workers_of(on.service.process.pid)
            functions |= workers
            [(connections,)] = db.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'medianest-%'"
            ).fetchall()
            memory = {pid: processes.memory_of(pid) for pid in workers}
            found.samples.append(Sample(at, memory, connections))
            if connections > len(workers) + SPARE_CONNECTIONS:
                found.failures.append(f"{connections} connections from {len(workers)} workers")
            time.sleep(min(SAMPLE_SECONDS, found.seconds / 60))
    found.most_workers = max(len(sample.memory) for sample in found.samples)
    found.most_connections = max(sample.connections for sample in found.samples)
    return functions


def _judge_calls(on: Stage, found: Endured) -> None:
    calls = list(on.journal.calls)
    found.calls, found.p95 = len(calls), p95(calls)
    failed = [call for call in calls if call.failed]
    found.failed = len(failed)
    found.failures += [f"{call.kind} {call.status} {call.code} {call.problem}" for call in failed][
        :10
    ]


def _judge_memory(found: Endured, functions: dict[int, str]) -> None:
    """Compare the memory of each process that ran in both phases."""
    if found.seconds < LEAST_SECONDS:
        return
    warm, late = (_medians(found, *share) for share in (WARM, LATE))
    growth: dict[str, list[float]] = defaultdict(list)
    for pid in warm.keys() & late.keys():
        growth[functions[pid]].append(late[pid] / warm[pid])
    found.growth = {name: max(each) for name, each in sorted(growth.items())}
    if not found.growth:
        found.failures.append("no worker ran long enough to compare its memory")
    found.failures += [
        f"memory of {name} grew to {share:.2f} times its value"
        for name, share in found.growth.items()
        if share > MOST_GROWTH
    ]


def _medians(found: Endured, start: float, end: float) -> dict[int, float]:
    sizes: dict[int, list[int]] = defaultdict(list)
    for sample in found.samples:
        if start * found.seconds <= sample.at <= end * found.seconds:
            for pid, size in sample.memory.items():
                if size:
                    sizes[pid].append(size)
    return {pid: statistics.median(each) for pid, each in sizes.items()}
