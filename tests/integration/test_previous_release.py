"""The code of the previous release works on the schema of this one.

A deployment migrates first. The previous code serves until the last of its environments ends, and
again after a rollback, which does not change the schema. Until the first release, the stored one is
that before migration 0013; `make previous RELEASE=…` replaces it after each release.
"""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.api import ROOT, ROUTES, TEMPLATE, Answer, call, event_of, run_schedule
from tests.support.row_counts import wrong_counts
from tests.support.rows import count
from tests.support.walk import Walk

type Db = psycopg.Connection[tuple[Any, ...]]

pytestmark = pytest.mark.slow
CODE = ROOT / "tests/previous_release"
# Those that the stored code does not have.
NEW_ROUTES = {
    ("GET", "/api/auth/session"),
    ("GET", "/api/auth/options"),
    ("GET", "/api/media/discover"),
    ("GET", "/api/media/quota"),
    ("GET", "/api/admin/requests/counts"),
    *(
        ("GET", path)
        for path in ("/api/admin/servers", "/api/admin/routing-rules", "/api/admin/jobs")
    ),
    ("POST", "/api/admin/servers"),
    *((method, "/api/admin/servers/{id}") for method in ("GET", "PATCH", "DELETE")),
    ("POST", "/api/admin/servers/{id}/test"),
    ("GET", "/api/admin/servers/{id}/inventory"),
    ("PUT", "/api/admin/routing-rules"),
    ("GET", "/api/admin/jobs/{id}"),
    ("POST", "/api/admin/jobs/{id}/retry"),
    ("POST", "/api/admin/jobs/{id}/cancel"),
    ("POST", "/api/admin/jobs/retry"),
    ("POST", "/api/admin/requests/{id}/retry"),
    ("POST", "/api/admin/requests/{id}/withdraw"),
    ("POST", "/api/admin/fulfilment/adopt"),
}
NEW_SCHEDULES = {"RequestTitles", "ExpiredJobs", "Sweep", "Checks", "Inventories"}


@dataclass
class PreviousRelease:
    """A process that runs the functions of the previous release."""

    process: subprocess.Popen[str]

    def invoke(self, function: str, event: Any) -> Any:
        """Return the result of a function."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        folder = TEMPLATE.functions[function].code.name
        self.process.stdin.write(json.dumps([folder, event]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{folder} exited: see the captured standard error"
        return json.loads(answer)

    def call(self, method: str, path: str, **options: Any) -> Answer:
        """Call a route of the previous release."""
        result = self.invoke(*event_of(method, path, **options))
        return Answer(result["statusCode"], result["headers"], result["body"])


@pytest.fixture
def previous(environment: object, tmp_path: Path) -> Iterator[PreviousRelease]:
    """Run the previous release in the environment of this process, with its database."""
    with tarfile.open(CODE / "release.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    with subprocess.Popen(
        [sys.executable, CODE / "serve.py", tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        yield PreviousRelease(process)
        process.kill()


@pytest.fixture
def walk(previous: PreviousRelease, people: dict[str, str], plex_url: str) -> Walk:
    """Return a walk through all routes that calls the previous release."""
    return Walk(people, plex_url, previous.call)


def test_previous_release_serves_every_route_on_this_schema(
    walk: Walk, previous: PreviousRelease, people: dict[str, str], db: Db
) -> None:
    walk.sign_in()
    walk.request_and_decide()
    walk.read_admin_pages()
    # This release reads the rows that the previous one wrote.
    for path in ("/api/auth/sessions", "/api/media/requests"):
        assert call("GET", path, token=people["bob"]).data
    assert call("GET", "/api/admin/audit-logs", token=people["alice"]).data
    walk.end_sessions()
    assert sorted({*walk.bodies, *NEW_ROUTES}) == ROUTES
    for name, schedule in TEMPLATE.schedules.items():
        if name not in NEW_SCHEDULES:
            assert previous.invoke(schedule.function, schedule.event)["more"] is False
    # That task completes the rows that the previous release wrote.
    assert run_schedule("RequestTitles")["filled"] == count(db, "media_requests") > 0
    # Triggers count for a release that knows nothing of it.
    assert wrong_counts(db) == []


def test_missing_column_fails_the_walk(walk: Walk, db: Db) -> None:
    db.execute("ALTER TABLE media_requests RENAME COLUMN comment TO remark")
    try:
        walk.sign_in()
        with pytest.raises(AssertionError, match="INTERNAL_ERROR"):
            walk.request_and_decide()
    finally:
        db.execute("ALTER TABLE media_requests RENAME COLUMN remark TO comment")
