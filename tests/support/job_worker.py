"""A worker process for the races: calls take effect in a table, and go wrong at random.

Run as `python -m tests.support.job_worker SEED`, until it is killed. All times are those of the
product, divided by 50. `race_effects` is the server: it counts each call, and never refuses one.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg

from medianest.core.db import database
from medianest.jobs import backoff, guard, protocol, runners, worker
from medianest.jobs.models import GiveBackError, Handler, Job, JobError, MayChange, Plan, Write

TABLES = """
CREATE TABLE race_wanted (title integer, season integer, PRIMARY KEY (title, season));
CREATE TABLE race_effects (title integer, season integer);
CREATE TABLE race_written (title integer, season integer, PRIMARY KEY (title, season));
GRANT ALL ON race_wanted, race_effects, race_written TO PUBLIC;
"""
LEASE_SECONDS = 3
LOST_ANSWERS, KILLS, STALLS = 0.25, 0.08, 0.03


def scale_down() -> None:
    """Shorten leases, the guard's bounds and back-offs."""
    for module in (protocol, guard):
        vars(module)["LEASE_SECONDS"] = LEASE_SECONDS
    guard.MIN_LEASE_SECONDS = 1.5
    guard.MIN_RUN_SECONDS = 0
    pauses = tuple(timedelta(milliseconds=each) for each in (50, 100, 200))
    plans: Mapping[Any, Plan] = {"handover": Plan(pauses, timedelta(days=7))}
    backoff.PLANS = plans


class Faults:
    """Faults at random, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def maybe_die(self) -> None:
        """Kill this process, as a third of the kills of a run."""
        if self._random.random() < KILLS / 3:
            os.kill(os.getpid(), signal.SIGKILL)

    def maybe_stall(self) -> None:
        """Stall, often past the end of the lease."""
        if self._random.random() < STALLS:
            time.sleep(self._random.uniform(0.5, 1.6) * LEASE_SECONDS)

    def lose_answer(self) -> bool:
        """Return whether the answer of a call gets lost."""
        return self._random.random() < LOST_ANSWERS


def runner(faults: Faults, server: psycopg.Connection[Any]) -> Any:
    """Return a runner that reconciles the seasons of a title, one call each."""

    def run(job: Job, guarded: MayChange) -> Write:
        title = job.payload["tmdbId"]
        faults.maybe_die()
        wanted = database().read(
            lambda connection: connection.execute(
                "SELECT season FROM race_wanted WHERE title = %s ORDER BY 1", (title,)
            ).fetchall()
        )
        seasons = {season for (season,) in wanted}
        there = server.execute("SELECT season FROM race_effects WHERE title = %s", (title,))
        for season in sorted(seasons - {season for (season,) in there}):
            faults.maybe_stall()
            if not guarded.may_change() and "WITHOUT_GUARD" not in os.environ:
                raise GiveBackError
            server.execute("INSERT INTO race_effects VALUES (%s, %s)", (title, season))
            if faults.lose_answer():
                raise JobError("unsure", "TIMED_OUT", "No answer")
            faults.maybe_die()

        def write(connection: psycopg.Connection[Any]) -> None:
            for season in seasons:
                connection.execute(
                    "INSERT INTO race_written VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (title, season),
                )
            faults.maybe_die()

        return write

    return run


def main() -> None:
    """Run jobs until the process is killed."""
    scale_down()
    faults = Faults(int(sys.argv[1]))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        runners.register("handover", Handler(runner(faults, server)))
        while True:
            worker.run(lambda: 120.0)
            time.sleep(0.02)


if __name__ == "__main__":
    main()
