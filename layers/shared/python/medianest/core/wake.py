"""A database that pauses while it is idle: tell whether it wakes up or is down."""

import time

from medianest.core.environment import environment

# AWS's page on Aurora's auto-pause: about 15 seconds; 30 or longer after a day of sleep.
WAKE_SECONDS = 90.0
# A failure this long after the last one begins a new wake-up.
_FORGET_SECONDS = 600.0


class Wake:
    """The wake-up that the failures of one connection belong to."""

    def __init__(self) -> None:
        self._since = 0.0
        self._failed_at = 0.0

    def is_possible(self) -> bool:
        """Note a failure; return whether the database, if it pauses, may still be waking up."""
        if environment().database_pauses == "false":
            return False
        now = time.time()
        if now - self._failed_at > _FORGET_SECONDS:
            self._since = now
        self._failed_at = now
        return now - self._since <= WAKE_SECONDS

    def is_over(self) -> None:
        """Note that the database serves."""
        self._failed_at = 0.0
