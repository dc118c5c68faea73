"""Servers, jobs and their rows for the tests of jobs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, get_args
from uuid import UUID

import psycopg

from medianest.core.db import database
from medianest.jobs import protocol, runners, service
from medianest.jobs.models import Handler, Job, JobError, Kind, MayChange, Write

type Db = psycopg.Connection[tuple[Any, ...]]

KINDS: tuple[Kind, ...] = get_args(Kind.__value__)


def add_server(db: Db, name: str = "Films", **columns: object) -> UUID:
    """Add a Radarr, with other columns as given."""
    server_id = _one(
        db,
        "INSERT INTO download_servers (kind, name, base_url)"
        " VALUES ('radarr', %s, 'https://radarr.example') RETURNING id",
        name,
    )
    set_columns(db, "download_servers", server_id, **columns)
    assert isinstance(server_id, UUID)
    return server_id


def set_columns(db: Db, table: str, row_id: object, **columns: object) -> None:
    """Set columns of a row; text that begins with `now()` is SQL."""
    for column, value in columns.items():
        if isinstance(value, str) and value.startswith("now()"):
            statement, values = f"UPDATE {table} SET {column} = {value} WHERE id = %s", [row_id]
        else:
            statement, values = f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row_id]
        db.execute(statement.encode(), values)


def add_job(tmdb_id: int, server_id: UUID | None = None, **options: bool) -> UUID:
    """Enqueue the hand-over of a film, in a transaction of its own."""
    with database().transaction() as connection:
        return service.enqueue(
            connection,
            "handover",
            {"mediaType": "movie", "tmdbId": tmdb_id},
            server_id=server_id,
            **options,
        )


@contextmanager
def opened(url: str) -> Iterator[Callable[[], Db]]:
    """Yield a function that opens connections, as other processes have; they close at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(url, autocommit=True))


def enqueue(connection: Db, tmdb_id: int) -> UUID:
    """Enqueue the hand-over of a film on a connection."""
    with connection.transaction():
        payload = {"mediaType": "movie", "tmdbId": tmdb_id}
        return service.enqueue(connection, "handover", payload)


def lease() -> Job | None:
    """Lease the job that is due first."""
    with database().transaction() as connection:
        return protocol.lease(connection, KINDS, "tests")


def leased() -> Job:
    """Lease the job that is due first; there is one."""
    job = lease()
    assert job is not None
    return job


def finish(job: Job, write: Write = lambda _: None) -> None:
    """End a job as done."""
    with database().transaction() as connection:
        protocol.finish(connection, job, write, Handler(nothing))


def fail(job: Job, *error: Any, handler: Handler | None = None) -> bool:
    """End a job as failed; return whether it is dead."""
    with database().transaction() as connection:
        return protocol.fail(connection, job, JobError(*error), handler or Handler(nothing))


def nothing(_: Job, __: MayChange) -> Write:
    """Do nothing, as a runner."""
    return lambda _: None


def field(db: Db, job_id: UUID, expression: str) -> Any:
    """Return an SQL expression over a job."""
    return _one(db, f"SELECT {expression} FROM jobs WHERE id = %s", job_id)


def wait_of(db: Db, job_id: UUID) -> float:
    """Return the seconds until a queued job is due."""
    return float(field(db, job_id, "extract(epoch FROM run_at - now())"))


@contextmanager
def running(run: Callable[[Job, MayChange], Write], **hooks: Any) -> Iterator[None]:
    """Register a runner for every kind within the block."""
    # The import sets the preparation that would replace these handlers.
    importlib.import_module("functions.worker.app")
    before, preparations = dict(runners.handlers()), list(runners._preparations)
    runners._preparations.clear()
    for kind in KINDS:
        runners.register(kind, Handler(run, **hooks))
    try:
        yield
    finally:
        runners.handlers().clear()
        runners.handlers().update(before)
        runners._preparations.extend(preparations)


def _one(db: Db, statement: str, value: object) -> Any:
    row = db.execute(statement.encode(), (value,)).fetchone()
    assert row is not None
    return row[0]
