"""The guard of a run: no call that changes anything may outlive the lease of its job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from medianest.jobs.protocol import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

# A call takes 30 seconds at most.
MIN_LEASE_SECONDS = 45.0
MIN_RUN_SECONDS = 35.0


class Guard:
    """How much of a lease and of the run is left; create it before the job is leased.

    Two clocks measure the lease: the monotonic one may stop while the environment is frozen, and
    the wall clock may be set back.
    """

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        self._seconds_left = seconds_left
        self._monotonic = time.monotonic()
        self._wall = time.time()

    @property
    def lease_seconds(self) -> float:
        """Return the seconds of the lease that are left, by the clock that says less."""
        passed = max(time.monotonic() - self._monotonic, time.time() - self._wall)
        return LEASE_SECONDS - passed

    def may_change(self) -> bool:
        """Return whether a call that changes something at a server may begin now."""
        return self.lease_seconds >= MIN_LEASE_SECONDS and self._seconds_left() >= MIN_RUN_SECONDS
