"""Environment variables of the functions that run in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from medianest.core.environment import environment


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set variables during the block."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in values.items():
            patched.setenv(name, value)
        environment.cache_clear()
        yield
    environment.cache_clear()
