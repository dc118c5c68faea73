"""The order of tests in a parallel run, and the tests that share a worker."""

from pathlib import Path
from zlib import crc32

import pytest
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parents[1]
SLOW = (f"{TESTS / 'e2e'}/", f"{TESTS / 'web'}/")
# Fixtures of these files start a service or resolve all stacks, or one import serves several of
# their tests, so each file runs in one worker.
FILES_IN_ONE_WORKER = (
    "tests/deploy/",
    "tests/e2e/test_bursts.py",
    "tests/e2e/test_fulfilment.py",
    "tests/e2e/test_outages.py",
    "tests/e2e/test_rate_limits.py",
    "tests/integration/test_benchmarks.py",
    "tests/integration/test_cleanup.py",
    "tests/integration/test_doctor.py",
    "tests/integration/test_local_first_hour.py",
    "tests/integration/test_matrix.py",
)
# Tests of these files use the fixture `service`, so one worker runs all of them on one service.
ON_ONE_SERVICE = (
    "tests/e2e/test_catalog.py",
    "tests/e2e/test_lifecycle.py",
    "tests/e2e/test_main_job.py",
)
# Likewise those that use the fixture `raced`.
ON_RACED_SERVICE = tuple(
    f"tests/e2e/test_{name}.py" for name in ("races", "request_races", "server_races", "user_races")
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Give a worker one test at a time, or all tests that share something slow.

    Unlike `--dist loadgroup` it works with pytest 9.2 (pytest-dev/pytest-xdist#1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ON_ONE_SERVICE):
            return "service"
        if nodeid.startswith(ON_RACED_SERVICE):
            return "races"
        if nodeid.startswith("tests/web/"):
            # Each scope starts a service and a browser, so two scopes share the files.
            return f"web {crc32(nodeid.partition('::')[0].encode()) % 2}"
        if nodeid.startswith(("tests/unit/", "tests/contract/")):
            # So fast that the time of the scheduler itself counts, which grows with the scopes.
            return nodeid.partition("::")[0]
        return next((each for each in FILES_IN_ONE_WORKER if nodeid.startswith(each)), nodeid)


def slow_first(items: list[pytest.Item]) -> None:
    """Sort slow tests first, so that none runs alone at the end; whole folders are slow."""
    for item in items:
        if str(item.path).startswith(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
