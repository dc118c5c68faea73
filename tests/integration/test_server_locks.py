"""A change of a server locks its jobs first, as the end of a run does: no deadlock."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest

from local.standins.radarr.app import API_KEY
from medianest.core.db import database
from medianest.jobs import protocol
from medianest.jobs.guard import Guard
from medianest.servers import inventory
from tests.support.api import call
from tests.support.arr import ArrStandin
from tests.support.concurrency import waits_for_lock
from tests.support.jobs import field, leased
from tests.support.local import eventually

type Db = psycopg.Connection[tuple[Any, ...]]

SERVERS = "/api/admin/servers"
LOCK_JOB = "SELECT FROM jobs WHERE id = %s FOR UPDATE"
LOCK_SERVER = "SELECT FROM download_servers WHERE id = %s FOR NO KEY UPDATE"


@pytest.fixture
def server(people: dict[str, str], standin: ArrStandin) -> UUID:
    """Return a server, of which a job reads the inventory."""
    body = {"kind": "radarr", "name": "Films", "baseUrl": standin.http.origin, "apiKey": API_KEY}
    return UUID(call("POST", SERVERS, token=people["alice"], body=body).data["id"])


def while_job_and_then_server_are_locked(
    direct_url: str, db: Db, job: UUID, server: UUID, work: Callable[[], object]
) -> None:
    """Do some work while another transaction locks a job and, as soon as it waits, its server."""

    def lock_server(other: Db) -> None:
        eventually(lambda: waits_for_lock(db))
        other.execute("SET LOCAL lock_timeout = '500ms'")
        other.execute(LOCK_SERVER, (server,))
        other.commit()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(direct_url) as other:
        other.execute(LOCK_JOB, (job,))
        locked: Future[None] = pool.submit(lock_server, other)
        work()
        locked.result(20)


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("DELETE", None, 204),
        ("PATCH", {"options": {"search": False}}, 200),
        ("PATCH", {"name": "Other"}, 200),
    ],
)
def test_an_admin_changes_a_server_while_a_run_of_its_job_ends(
    db: Db,
    direct_url: str,
    people: dict[str, str],
    server: UUID,
    method: str,
    body: dict[str, Any] | None,
    status: int,
) -> None:
    job = leased().id

    def work() -> None:
        answer = call(method, f"{SERVERS}/{server}", token=people["alice"], body=body)
        assert answer.status == status, answer.text

    while_job_and_then_server_are_locked(direct_url, db, job, server, work)


def test_a_run_that_has_read_the_inventory_ends_while_an_admin_changes_the_server(
    db: Db, direct_url: str, server: UUID
) -> None:
    job = leased()
    write = inventory.run(job, Guard(lambda: 60.0))

    def work() -> None:
        with database().transaction() as connection:
            protocol.finish(connection, job, write, inventory.HANDLER)

    while_job_and_then_server_are_locked(direct_url, db, job.id, server, work)
    assert field(db, job.id, "state") == "done"
