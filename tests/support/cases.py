"""Cases of one rule in one test: a set-up for each would take longer than the cases."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(*names: object) -> Iterator[None]:
    """Name the case in what the block raises."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the case {' '.join(map(repr, names))}")
        raise
