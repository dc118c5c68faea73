"""Transactions that lock the same rows lock them in the same order: no deadlock.

`jobs/protocol.py` has the order. Another transaction locks one row and, as soon as the work of a
test waits for it, the next in that order, which the work must not hold yet.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from local.standins import Standins
from local.standins.radarr.app import API_KEY
from medianest.core.db import database
from medianest.jobs import protocol
from medianest.jobs import service as jobs_service
from medianest.jobs.guard import Guard
from medianest.servers import inventory
from tests.support import plex
from tests.support.api import call
from tests.support.approvals import (
    BREAKING_BAD,
    MATRIX,
    act,
    approved,
    request,
    retry,
    withdraw,
    work,
)
from tests.support.arr import ArrStandin
from tests.support.concurrency import waits_for_lock
from tests.support.jobs import add_job, field, leased, set_columns
from tests.support.local import eventually

type Db = psycopg.Connection[tuple[Any, ...]]
type People = dict[str, str]
type Lock = tuple[LiteralString, *tuple[object, ...]]

SERVERS = "/api/admin/servers"
LOCK_JOB = "SELECT FROM jobs WHERE id = %s FOR UPDATE"
LOCK_JOB_OF_FILM = "SELECT FROM jobs WHERE dedup = 'handover:movie:' || %s FOR UPDATE"
LOCK_SERVER = "SELECT FROM download_servers WHERE id = %s FOR NO KEY UPDATE"
LOCK_HANDOVER = "SELECT FROM handovers WHERE tmdb_id = %s FOR UPDATE"
LOCK_FILM = "SELECT FROM request_items WHERE tmdb_id = %s FOR NO KEY UPDATE"
LOCK_SEASON = "SELECT FROM request_items WHERE season = %s FOR NO KEY UPDATE"
# A deletion takes this lock.
LOCK_DELETED_SERVER = "SELECT FROM download_servers WHERE id = %s FOR UPDATE"
LOCK_SERVER_CHANGES = "SELECT pg_advisory_xact_lock(7140028001)"
# Films in the order of the keys of their jobs, which is not that of their numbers.
FILMS = (157336, 603)


@pytest.fixture
def server(people: dict[str, str], standin: ArrStandin) -> UUID:
    """Return a server, of which a job reads the inventory."""
    body = {"kind": "radarr", "name": "Films", "baseUrl": standin.http.origin, "apiKey": API_KEY}
    return UUID(call("POST", SERVERS, token=people["alice"], body=body).data["id"])


def while_locked(
    direct_url: str, db: Db, first: Lock, second: Lock, work: Callable[[], object]
) -> None:
    """Do some work while another transaction holds one lock and, as soon as it waits, another."""

    def lock_second(other: Db) -> None:
        eventually(lambda: waits_for_lock(db))
        other.execute("SET LOCAL lock_timeout = '500ms'")
        other.execute(second[0], second[1:])
        other.commit()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(direct_url) as other:
        assert other.execute(first[0], first[1:]).rowcount == 1
        locked: Future[None] = pool.submit(lock_second, other)
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

    while_locked(direct_url, db, (LOCK_JOB, job), (LOCK_SERVER, server), work)


def test_a_run_that_has_read_the_inventory_ends_while_an_admin_changes_the_server(
    db: Db, direct_url: str, server: UUID
) -> None:
    job = leased()
    write = inventory.run(job, Guard(lambda: 60.0))

    def work() -> None:
        with database().transaction() as connection:
            protocol.finish(connection, job, write, inventory.HANDLER)

    while_locked(direct_url, db, (LOCK_JOB, job.id), (LOCK_SERVER, server), work)
    assert field(db, job.id, "state") == "done"


def test_an_admin_has_the_server_chosen_anew_while_a_run_of_the_title_ends(
    db: Db, direct_url: str, people: People, servers: Standins
) -> None:
    plex.control(servers.radarr_url, "PUT", "fault", {"kind": "close"})
    request_id = approved(people, MATRIX)
    work()

    def reroute() -> None:
        assert act(people, request_id, "retry", {"reroute": True}).status == 200

    film = MATRIX["tmdbId"]
    while_locked(direct_url, db, (LOCK_HANDOVER, film), (LOCK_FILM, film), reroute)


@pytest.mark.parametrize("change", ["withdraw", "retry", "end of the run"])
def test_the_items_of_a_show_are_locked_in_the_order_of_their_ids(
    db: Db, direct_url: str, people: People, servers: Standins, change: str
) -> None:
    request_id = approved(people, BREAKING_BAD)
    # The newest version of the first item comes after the second, in the table and its indexes.
    for is_active in (False, True):
        db.execute("UPDATE request_items SET active = %s WHERE season = 1", (is_active,))
    changes: dict[str, Callable[[], object]] = {
        "withdraw": lambda: withdraw(people, request_id, "No"),
        "retry": lambda: retry(people, request_id),
        "end of the run": work,
    }
    while_locked(direct_url, db, (LOCK_SEASON, 1), (LOCK_SEASON, 2), changes[change])


def test_a_user_with_two_requests_of_a_show_is_deleted_while_a_run_of_it_ends(
    db: Db, direct_url: str, people: People, servers: Standins
) -> None:
    for season in (1, 2):
        approved(people, BREAKING_BAD | {"seasons": [season]})
    # The order of the requests is not that of their items.
    for season, request_id in ((2, UUID(int=1)), (1, UUID(int=2))):
        move_request(db, season, request_id)
    bob = call("GET", "/api/auth/me", token=people["bob"]).data["id"]

    def delete() -> None:
        path = f"/api/admin/users/{bob}"
        assert call("DELETE", path, token=people["alice"]).status == 204

    while_locked(direct_url, db, (LOCK_SEASON, 1), (LOCK_SEASON, 2), delete)


def move_request(db: Db, season: int, new_id: UUID) -> None:
    """Give the request of a season another id."""
    db.execute(
        "WITH copied AS (INSERT INTO media_requests (id, user_id, media_type, tmdb_id, title,"
        "  status, processed_at) SELECT %s, user_id, media_type, tmdb_id, title, status,"
        "  processed_at FROM media_requests WHERE id = (SELECT request_id FROM request_items"
        "  WHERE season = %s) RETURNING id)"
        " UPDATE request_items SET request_id = copied.id FROM copied WHERE season = %s",
        (new_id, season, season),
    )


@pytest.mark.parametrize("change", ["approve", "delete the server"])
def test_the_jobs_of_many_titles_are_locked_in_the_order_of_their_keys(
    db: Db, direct_url: str, people: People, servers: Standins, change: str
) -> None:
    [[radarr]] = db.execute("SELECT id FROM download_servers WHERE kind = 'radarr'")
    requested = [request(people, {"mediaType": "movie", "tmdbId": film}) for film in sorted(FILMS)]
    for number, film in enumerate(sorted(FILMS)):
        set_columns(db, "jobs", add_job(film, radarr), id=UUID(int=number))

    def approve() -> None:
        body = {"ids": requested, "decision": "approve"}
        path = "/api/admin/requests/decisions"
        assert call("POST", path, token=people["alice"], body=body).status == 200

    def delete() -> None:
        assert call("DELETE", f"{SERVERS}/{radarr}", token=people["alice"]).status == 204

    first, second = ((LOCK_JOB_OF_FILM, str(film)) for film in FILMS)
    while_locked(direct_url, db, first, second, approve if change == "approve" else delete)


@pytest.mark.parametrize("change", ["retry", "approve", "inventories", "checks"])
def test_a_change_that_names_a_server_waits_for_the_changes_of_servers(
    db: Db, direct_url: str, people: People, servers: Standins, change: str
) -> None:
    [[radarr]] = db.execute("SELECT id FROM download_servers WHERE kind = 'radarr'")
    request_id = request(people, MATRIX)
    job = add_job(603, radarr)
    db.execute("UPDATE jobs SET state = 'dead', finished_at = now() WHERE id = %s", (job,))
    changes: dict[str, Callable[[], object]] = {
        "retry": lambda: call("POST", f"/api/admin/jobs/{job}/retry", token=people["alice"]),
        "approve": lambda: act(people, request_id, "approve", {"serverId": str(radarr)}),
        "inventories": lambda: enqueue_of_each(jobs_service.enqueue_inventories),
        "checks": lambda: enqueue_of_each(jobs_service.enqueue_checks),
    }
    lock_row = (LOCK_JOB, job) if change == "retry" else (LOCK_DELETED_SERVER, radarr)
    while_locked(direct_url, db, (LOCK_SERVER_CHANGES,), lock_row, changes[change])


def enqueue_of_each(enqueue: Callable[[Db], int]) -> None:
    """Enqueue a job of each server, as a schedule does."""
    with database().transaction() as connection:
        enqueue(connection)


def test_servers_are_locked_in_the_order_of_their_ids(
    db: Db, direct_url: str, people: People, servers: Standins
) -> None:
    db.execute("UPDATE download_servers SET kind = 'radarr', is_default = false")
    low, high = (row[0] for row in db.execute("SELECT id FROM download_servers ORDER BY id"))
    set_columns(db, "download_servers", low, is_default=True)

    def change() -> None:
        answer = call("PATCH", f"{SERVERS}/{high}", token=people["alice"], body={"isDefault": True})
        assert answer.status == 200

    while_locked(direct_url, db, (LOCK_SERVER, low), (LOCK_SERVER, high), change)
