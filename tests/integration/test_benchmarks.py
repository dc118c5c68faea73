"""`make bench` measures a function and a route, writes its page and charts, and counts round trips.

The counts do not depend on the machine.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.callers import callers
from benchmarks.cold import first_calls, measure_cold
from benchmarks.counts import RoundTrips, count, observed
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
# By route or refusal: statements with BEGIN and COMMIT, and waits for the cache, of a warm call.
# A number here may only become lower.
MOST = {
    "GET /api/health": (1, 1),
    "GET /api/auth/me": (1, 1),
    "GET /api/auth/csrf": (0, 1),
    "GET /api/auth/session": (1, 1),
    "GET /api/auth/options": (0, 1),
    "GET /api/auth/sessions": (1, 1),
    "GET /api/media/search": (1, 2),
    "GET /api/media/discover": (1, 2),
    "GET /api/media/{mediaType}/{tmdbId}": (1, 2),
    "GET /api/media/quota": (1, 1),
    "GET /api/media/requests": (1, 1),
    "GET /api/media/requests/{id}": (1, 1),
    "GET /api/admin/users": (2, 1),
    "GET /api/admin/users/{id}": (2, 1),
    "GET /api/admin/requests": (2, 1),
    "GET /api/admin/requests/counts": (2, 1),
    "GET /api/admin/audit-logs": (2, 1),
    "GET /api/admin/stats": (1, 2),
    "GET /api/admin/config": (2, 1),
    "GET /api/admin/servers": (2, 1),
    "GET /api/admin/servers/{id}": (2, 1),
    "GET /api/admin/servers/{id}/inventory": (2, 1),
    "GET /api/admin/routing-rules": (2, 1),
    "GET /api/admin/jobs": (2, 1),
    "GET /api/admin/jobs/{id}": (2, 1),
    "401": (0, 1),
    "401 bad token": (0, 1),
    "200 no session": (0, 1),
    "403": (1, 1),
    "429": (0, 1),
    "POST /api/media/request": (7, 2),
    "DELETE /api/media/requests/{id}": (5, 1),
    # One more than before: the look whether a server takes the title.
    "POST /api/admin/requests/{id}/approve": (9, 1),
    "POST /api/admin/requests/{id}/decline": (9, 1),
    "POST /api/admin/requests/decisions": (8, 1),
}


async def run(service: Service) -> tuple[Results, Mapping[str, RoundTrips]]:
    progress = Progress(quiet=True)
    # The same environments for all parts: each costs as much processor time as a hundred calls.
    async with observed(service) as counters, callers(counters.service) as people:
        calls = first_calls(people.user, people.admin)
        wanted = {name: calls[name] for name in (*REFERENCES, "auth")}
        results = Results(
            cold=await measure_cold(service, wanted, 1, progress),
            profiles=measure_profiles(service, wanted, 1, progress),
            warm=await measure_warm(people, ROUNDS, progress, [ME]),
        )
        return results, await count(people, counters, MOST)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Mapping[str, RoundTrips]]:
    """Return what one run measured: its stage takes longer to start than both tests."""
    return on_stage(tmp_path_factory.mktemp("benchmarks") / "engines", run)


@pytest.mark.slow
def test_a_function_and_a_route_are_measured_and_described(
    measured: tuple[Results, object], tmp_path: Path
) -> None:
    results, _ = measured
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


@pytest.mark.slow
def test_no_route_has_more_round_trips_than_before(
    measured: tuple[object, Mapping[str, RoundTrips]],
) -> None:
    counted = {name: (each.sql, each.cache) for name, each in measured[1].items()}
    assert counted.keys() == MOST.keys()
    more = {
        name: (*each, *MOST[name])
        for name, each in counted.items()
        if each[0] > MOST[name][0] or each[1] > MOST[name][1]
    }
    assert more == {}, "measured statements and trips, then the most of each"
