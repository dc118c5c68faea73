"""Run calls concurrently, count their results, and see when one waits."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg

from tests.support.api import Answer


def at_once[T](jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all jobs at the same moment and return their results."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        barrier.wait(20)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def codes(responses: list[Answer]) -> Counter[str]:
    """Count responses by status, errors by code."""
    return Counter(
        str(response.status) if response.status < 300 else response.code for response in responses
    )


def waits_for_lock(db: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Return whether a connection to the same database waits for a lock."""
    waiting = db.execute(
        "SELECT FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return waiting.fetchone() is not None
