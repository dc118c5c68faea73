"""Many callers in the same moment."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.support.api import Answer


def at_once[T](jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all jobs, all released in the same moment."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        barrier.wait(20)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def codes(answers: list[Answer]) -> Counter[str]:
    """Count answers by status, or by code where they are errors."""
    return Counter(str(answer.status) if answer.status < 300 else answer.code for answer in answers)
