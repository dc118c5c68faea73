"""A time limit for a block of code, including everything that it waits for."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float, error: Exception) -> Iterator[None]:
    """Raise `error` inside the block after `seconds`.

    SIGALRM bounds the whole block; timeouts of sockets and statements bound single steps only.
    Lambda runs the handler in the main thread, which receives signals. Limits may be nested.
    """

    def stop(_: int, __: FrameType | None) -> None:
        raise error

    previous_handler = signal.signal(signal.SIGALRM, stop)
    started = time.monotonic()
    outer_seconds, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    if 0 < outer_seconds < seconds:
        signal.setitimer(signal.ITIMER_REAL, outer_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
        if outer_seconds:
            remaining = outer_seconds - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(remaining, 0.001))
