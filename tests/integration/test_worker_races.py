"""Workers that are killed, stall past their lease, and lose answers."""

import os
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from tests.support import forked
from tests.support.concurrency import at_once
from tests.support.job_worker import TABLES
from tests.support.jobs import enqueue, opened

type Db = psycopg.Connection[tuple[Any, ...]]

WORKERS, WRITERS, APPROVALS, TITLES = 8, 6, 40, 30
SECONDS = 120


class Crew:
    """Worker processes that are started again when they die."""

    def __init__(self) -> None:
        self.killed = 0
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(number,)) for number in range(WORKERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def _keep(self, number: int) -> None:
        seed = number
        while not self._is_over.is_set():
            seed += 100
            command = ["tests.support.job_worker", str(seed)]
            process = forked.start(command, os.environ, Path(os.devnull))
            while process.is_alive() and not self._is_over.wait(0.05):
                pass
            if process.is_alive():
                process.kill()
            else:
                self.killed += 1
                assert process.exitcode == -9, process.exitcode
            process.join()


@pytest.fixture
def race_tables(db: Db) -> Iterator[None]:
    db.execute(TABLES.encode())
    yield
    db.execute("DROP TABLE race_wanted, race_effects, race_written")


def approve(connection: Db, seed: int) -> None:
    """Want seasons of titles, each in the transaction of its cause, over some seconds."""
    chance = random.Random(seed)
    for number in range(APPROVALS):
        title, season = chance.randint(1, TITLES), seed * APPROVALS + number
        with connection.transaction():
            connection.execute("INSERT INTO race_wanted VALUES (%s, %s)", (title, season))
            enqueue(connection, title)
        time.sleep(chance.random() / 10)


def test_killed_and_stalled_workers_and_lost_answers_lose_and_double_nothing(
    db: Db, keys: object, app_database_url: str, race_tables: None
) -> None:
    with Crew() as crew, opened(app_database_url) as connect:
        at_once([partial(approve, connect(), seed) for seed in range(WRITERS)])
        end = time.monotonic() + SECONDS
        while db.execute("SELECT FROM jobs WHERE state IN ('queued', 'leased')").rowcount:
            assert time.monotonic() < end, db.execute("SELECT * FROM jobs").fetchall()
            time.sleep(0.1)
    wanted = rows(db, "race_wanted")
    effects = rows(db, "race_effects")
    assert len(wanted) == WRITERS * APPROVALS
    assert sorted(set(wanted) - set(effects)) == []  # lost
    assert len(effects) - len(set(effects)) == 0  # doubled
    assert sorted(rows(db, "race_written")) == sorted(wanted)
    assert crew.killed > 0


def rows(db: Db, table: str) -> list[tuple[Any, ...]]:
    return db.execute(f"SELECT title, season FROM {table}".encode()).fetchall()
