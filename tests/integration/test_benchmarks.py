"""`make bench` measures a function and a route, and writes its page and charts."""

import json
from pathlib import Path

import pytest

from benchmarks.callers import callers
from benchmarks.cold import first_calls, measure_cold
from benchmarks.page import write
from benchmarks.profiles import GROUPS, MODELS, measure_profiles
from benchmarks.progress import Progress
from benchmarks.results import REFERENCES, Results
from benchmarks.scale import QUICK
from benchmarks.stage import Service
from benchmarks.warm import measure_warm
from tests.support.benchmarks import on_stage

ME = "GET /api/auth/me"
ROUNDS = 2


async def measured(service: Service) -> Results:
    async with callers(service) as people:
        calls = first_calls(people.user, people.admin)
    wanted = {name: calls[name] for name in (*REFERENCES, "auth")}
    progress = Progress(quiet=True)
    return Results(
        cold=await measure_cold(service, wanted, 1, progress),
        profiles=measure_profiles(service, wanted, 1, progress),
        warm=await measure_warm(service, ROUNDS, progress, [ME]),
    )


@pytest.mark.slow
def test_a_function_and_a_route_are_measured_and_described(tmp_path: Path) -> None:
    results = on_stage(tmp_path / "engines", measured)
    # One start on a busy machine: hello and auth are too close to each other to compare.
    auth = results.cold["auth"]
    for each in (auth, results.cold["hello"]):
        assert each.init.cpu > results.cold["bare"].init.cpu > 0
    assert 0 < auth.first.cpu < auth.init.cpu
    profiles = results.profiles
    assert profiles.keys() == {"hello", "auth"}
    assert profiles["hello"]["psycopg"] == profiles["hello"][MODELS] == 0.0
    assert profiles["auth"].keys() == set(GROUPS)
    # Of one start on a busy machine only what is measured directly is above zero for certain:
    # differences of processor time and of time on the clock are not.
    assert all(profiles["auth"][group] > 0 for group in ("psycopg", "redis", MODELS))
    assert results.process_ratio(ME) > 1
    assert len(results.warm[ME].cpu) == len(results.warm[ME].wall) > ROUNDS
    assert json.loads(json.dumps(results.to_json()))["warm_ratio"].keys() == {ME}
    written = {path.name: path.read_text() for path in write(results, QUICK, tmp_path)}
    assert written.keys() == {"performance.md", "performance-cold.svg", "performance-warm.svg"}
    assert f"| `{ME}` |" in written["performance.md"]
    assert "| our pydantic models | 0 |" in written["performance.md"]
    assert "auth" in written["performance-cold.svg"]
