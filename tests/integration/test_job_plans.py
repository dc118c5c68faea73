"""Query plans of the protocol of jobs beside 200,000 jobs, as PostgreSQL reports them."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.jobs import protocol, repository, service
from medianest.jobs.models import Handler, Job, JobError
from medianest.jobs.schemas import JobQuery
from medianest.migrations.runner import migrate
from tests.support import engines as engines_of_run
from tests.support.jobs import KINDS, add_server, nothing

type Db = psycopg.Connection[tuple[Any, ...]]

ROWS = 200_000
DAY = 86_400
# Of a month: one in a thousand dead, 400 wait for a server or a retry, 40 are due.
FILL = """
INSERT INTO jobs (kind, dedup, lane, server_id, payload, state, attempts, run_at, deadline_at,
 created_at, finished_at)
SELECT CASE WHEN n % 50 = 0 THEN 'check' ELSE 'handover' END, 'k' || n, 'k' || n, %(server)s,
 '{"mediaType": "movie", "tmdbId": 603}', state, 1, at, now() + interval '7 days', at,
 CASE WHEN state IN ('done', 'dead') THEN at END
FROM (SELECT n, CASE WHEN n %% 500 = 0 THEN 'queued' WHEN n %% 1000 = 1 THEN 'dead' ELSE 'done' END
  AS state, now() + CASE WHEN n %% 500 = 0 THEN interval '1 day' ELSE interval '0' END
  - n * interval '12 seconds' AS at FROM generate_series(1, %(rows)s) AS n) AS rows
""".replace("n % 50", "n %% 50")
SCAN = re.compile(r"Seq Scan on jobs\b")
PAGES = re.compile(r"shared hit=(\d+)(?: read=(\d+))?")


@pytest.fixture
def full(engines: tuple[str, str], worker_id: str) -> Iterator[tuple[Db, UUID]]:
    """Return a connection to a full database that reports plans, and a server's id."""
    with engines_of_run.database(engines[0], f"test_job_plans_{worker_id}") as url:
        database = Database(SecretStr(url))
        migrate(database)
        database.close()
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("SET statement_timeout = 0")
            servers = [add_server(db, f"Server {number}") for number in range(10)]
            db.execute(FILL.encode(), {"server": servers[0], "rows": ROWS})
            db.execute("VACUUM ANALYZE jobs")
            db.execute("RESET statement_timeout")
            yield db, servers[0]


def protocol_calls(db: Db, server: UUID) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each statement that runs in the course of work."""

    def leased() -> Job:
        job = protocol.lease(db, KINDS, "tests")
        assert job is not None
        return job

    film = {"mediaType": "movie", "tmdbId": 603}
    enqueue = partial(service.enqueue, db, "handover", film, server_id=server)
    yield "enqueue", enqueue
    yield "enqueue again", enqueue
    yield "lease", lambda: protocol.finish(db, leased(), lambda _: None, Handler(nothing))
    error = JobError("unsure", "TIMED_OUT", "No answer")
    yield "fail", lambda: protocol.fail(db, leased(), error, Handler(nothing))
    yield "expire", lambda: protocol.expire(db)
    yield "due", lambda: repository.seconds_until_due(db, KINDS)
    yield "backlog", lambda: repository.backlog(db, KINDS)
    yield "make due", lambda: repository.make_due(db, server)
    yield "lock of a server's", lambda: repository.lock_of_server(db, server)
    yield "lock of a kind", lambda: repository.lock_of_server(db, server, kind="inventory")
    yield (
        "dead",
        lambda: repository.dead_ids(db, kind="handover", server_id=server, limit=500),
    )
    yield "cleanup", lambda: repository.delete_expired(db, 500)
    yield "dead ones", lambda: repository.page(db, JobQuery(state="dead"))
    for place in (1, 100, 200):
        of_a_kind = JobQuery(kind="check", state="done", page=place, limit=20)
        yield f"page {place} of a kind", partial(repository.page, db, of_a_kind)
    yield "waiting ones", lambda: repository.page(db, JobQuery(state="queued", server_id=server))


@pytest.mark.slow
def test_no_statement_of_the_protocol_scans_the_jobs(full: tuple[Db, UUID]) -> None:
    db, server = full
    plans: list[str] = []
    db.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
    db.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
    db.execute("SET auto_explain.log_level = notice")
    db.execute("SET auto_explain.log_analyze = on; SET auto_explain.log_buffers = on")
    scans, pages = {}, {}
    for name, run in protocol_calls(db, server):
        plans.clear()
        run()
        assert plans, name
        if found := [plan for plan in plans if SCAN.search(plan)]:
            scans[name] = found
        read = PAGES.findall("\n".join(plans))
        pages[name] = max((int(hit) + int(missed or 0) for hit, missed in read), default=0)
    assert not scans, "\n".join(f"{name}: {each[0]}" for name, each in scans.items())
    # A lease is the most frequent one. It reads about 30 pages, a scan of an index hundreds.
    assert 0 < pages["lease"] < 100, pages
    # The totals of other lists count the rows, within the statement_timeout of 3 seconds.
    assert repository.page(db, JobQuery())[1] > ROWS - 500
    assert repository.page(db, JobQuery(kind="check", page=20))[1] == ROWS // 50
    assert repository.page(db, JobQuery(server_id=server, page=500))[1] > ROWS - 500
