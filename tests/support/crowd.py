"""Concurrent calls."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.support.api import Answer


def at_once[T](jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all jobs at the same moment and return their results."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        barrier.wait(20)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def codes(answers: list[Answer]) -> Counter[str]:
    """Count responses by status, errors by code."""
    return Counter(str(answer.status) if answer.status < 300 else answer.code for answer in answers)
