"""Run many users for a long time: no error, flat memory, bounded connections."""

import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.prove import processes
from tests.prove.measure import p95
from tests.prove.stage import ADMINS, Setting, Stage, build_stage

SAMPLE_SECONDS = 5.0
CALLS_PER_SECOND = 25.0
# The maximum ratio of memory at the end to memory after the warm-up. It is checked only in runs of
# at least MIN_SECONDS, because functions still warm up in shorter ones.
MAX_GROWTH = 1.1
MIN_SECONDS = 300.0
# A worker has one connection; a worker that was just replaced may be counted twice.
SPARE_CONNECTIONS = 3
# The phases whose memory is compared, as fractions of the run: after the warm-up, and the end.
WARM = (0.2, 0.3)
LATE = (0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The resources of the workers at one time; `memory` has the bytes of each process."""

    at: float
    memory: dict[int, int]
    connections: int


@dataclass
class EnduranceResult:
    """The result of an endurance run."""

    users: int
    seconds: float
    calls: int = 0
    failed: int = 0
    p95: float = 0.0
    writes: int = 0
    lost: int = 0
    duplicated: int = 0
    unaudited: int = 0
    max_workers: int = 0
    max_connections: int = 0
    growth: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def endure(seconds: float, users: int) -> EnduranceResult:
    """Run many users on a service of their own and return the result."""
    with (
        tempfile.TemporaryDirectory(prefix="medianest-prove-") as folder,
        build_stage(Path(folder), Setting(), users=users) as stage,
    ):
        return endure_on(stage, seconds)


def endure_on(stage: Stage, seconds: float) -> EnduranceResult:
    """Run the users of a stage on its service, which has had no fault, and return the result."""
    result = EnduranceResult(len(stage.clients) - ADMINS, seconds)
    functions = _collect_samples(stage, result)
    _check_calls(stage, result)
    _check_memory(result, functions)
    result.failures += stage.settle()
    with stage.database() as db:
        findings = stage.ledger.check(db)
    result.writes = stage.ledger.writes
    result.lost, result.duplicated = len(findings.lost), len(findings.duplicated)
    result.unaudited = len(findings.unaudited)
    result.failures += findings.all[:20]
    return result


def _collect_samples(stage: Stage, result: EnduranceResult) -> dict[int, str]:
    functions: dict[int, str] = {}
    with stage.load(len(stage.clients) / CALLS_PER_SECOND), stage.database() as db:
        stage.warm_up()
        stage.journal.calls.clear()
        started = time.monotonic()
        while (at := time.monotonic() - started) < result.seconds:
            workers = processes.workers_of(stage.service.pid)
            functions |= workers
            [(connections,)] = db.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'medianest-%'"
            ).fetchall()
            memory = {pid: processes.memory_of(pid) for pid in workers}
            result.samples.append(Sample(at, memory, connections))
            if connections > len(workers) + SPARE_CONNECTIONS:
                result.failures.append(f"{connections} connections from {len(workers)} workers")
            time.sleep(min(SAMPLE_SECONDS, result.seconds / 20))
    result.max_workers = max(len(sample.memory) for sample in result.samples)
    result.max_connections = max(sample.connections for sample in result.samples)
    return functions


def _check_calls(stage: Stage, result: EnduranceResult) -> None:
    calls = list(stage.journal.calls)
    result.calls, result.p95 = len(calls), p95(calls)
    failed = [call for call in calls if call.failed]
    result.failed = len(failed)
    result.failures += [f"{call.kind} {call.status} {call.code} {call.problem}" for call in failed][
        :10
    ]


def _check_memory(result: EnduranceResult, functions: dict[int, str]) -> None:
    """Compare the memory of each process that ran in both phases."""
    if result.seconds < MIN_SECONDS:
        return
    after_warm_up, at_the_end = (_medians(result, *factor) for factor in (WARM, LATE))
    growth: dict[str, list[float]] = defaultdict(list)
    for pid in after_warm_up.keys() & at_the_end.keys():
        growth[functions[pid]].append(at_the_end[pid] / after_warm_up[pid])
    result.growth = {name: max(each) for name, each in sorted(growth.items())}
    if not result.growth:
        result.failures.append("no worker ran long enough to compare its memory")
    result.failures += [
        f"memory of {name} grew to {factor:.2f} times its value"
        for name, factor in result.growth.items()
        if factor > MAX_GROWTH
    ]


def _medians(result: EnduranceResult, start: float, end: float) -> dict[int, float]:
    sizes: dict[int, list[int]] = defaultdict(list)
    for sample in result.samples:
        if start * result.seconds <= sample.at <= end * result.seconds:
            for pid, size in sample.memory.items():
                if size:
                    sizes[pid].append(size)
    return {pid: statistics.median(each) for pid, each in sizes.items()}
