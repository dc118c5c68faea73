"""Measure the functions and write docs/performance.md and benchmarks/latest.json: `make bench`."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import page
from benchmarks.bars import checks
from benchmarks.callers import callers
from benchmarks.cold import first_calls, measure_cold
from benchmarks.counts import count, observed
from benchmarks.fill import filled, large
from benchmarks.growth import measure_growth
from benchmarks.layers import build, zipped_megabytes
from benchmarks.profiles import measure_profiles
from benchmarks.progress import Progress
from benchmarks.results import Results
from benchmarks.sandbox import BenchmarkError
from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.stage import Stage, stage
from benchmarks.warm import measure_memory, measure_warm
from local.run_config import PROJECT
from local.template.reader import read_template

_LATEST = Path(__file__).with_name("latest.json")
_BUILDS = PROJECT / ".local" / "benchmarks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and write their figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples and rows, in 5 minutes")
    parser.add_argument("--rows", type=int, help="requests of others in the large database")
    parser.add_argument("--pages", type=int, help="calls of each page of a list")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        parser.error("the processor time of another process is known on Linux only")
    scale = QUICK if options.quick else FULL
    if options.rows:
        scale = replace(scale, large=large(options.rows))
    if options.pages:
        scale = replace(scale, growth_calls=options.pages)
    started = time.monotonic()
    try:
        results = asyncio.run(_measure(scale, Progress()))
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    _LATEST.write_text(json.dumps(results.to_json(), indent=2, ensure_ascii=False) + "\n")
    written = [_LATEST, *page.write(results, scale)]
    for each in checks(results):
        print(f"{'met   ' if each.is_met else 'MISSED'} {each.what}: {each.measured} ({each.bar})")
    names = ", ".join(str(each.relative_to(PROJECT)) for each in written)
    print(f"Wrote {names} ({time.monotonic() - started:.0f} s)")
    return 0


async def _measure(scale: Scale, progress: Progress) -> Results:
    with progress.part("compiled layers", 1):
        template = read_template(
            PROJECT / "template.yaml",
            opt=PROJECT / ".venv" / "opt",
            parameters={"JwtRotationDays": "31"},
        )
        built = build(template, _BUILDS)
    results = Results(layers_mb=zipped_megabytes(built.layers))
    with tempfile.TemporaryDirectory(prefix="medianest-bench-") as folder:
        async with stage(built, Path(folder)) as engines:
            await _measure_calls(engines, results, scale, progress)
            with progress.part(f"{scale.large.requests:,} requests", 1):
                many = await filled(engines, "many", scale.large)
            few = await filled(engines, "few", scale.small)
            results.growth = await measure_growth(few, many, scale.growth_calls, progress)
    return results


async def _measure_calls(
    engines: Stage, results: Results, scale: Scale, progress: Progress
) -> None:
    service = await filled(engines, "calls", scale.small)
    with progress.part("statements and cache round trips", 1):
        async with observed(service) as counters, callers(counters.service) as people:
            counts = await count(people, counters)
    results.sql = {name: each.sql for name, each in counts.items()}
    results.cache_trips = {name: each.cache for name, each in counts.items()}
    async with callers(service) as people:
        calls = first_calls(people.user, people.admin)
    results.cold = await measure_cold(service, calls, scale.samples, progress)
    results.profiles = measure_profiles(service, calls, scale.profiles, progress)
    async with callers(service) as people:
        results.warm = await measure_warm(people, scale.rounds, progress)
    results.rss = await measure_memory(service, scale.requests, progress)


if __name__ == "__main__":
    sys.exit(main())
