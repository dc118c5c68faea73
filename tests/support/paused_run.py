"""Run a clean-up task in a separate process, as on Lambda, which pauses in one of its batches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import psycopg

from medianest.cleanup import service
from tests.support import forked
from tests.support.api import run_schedule

type Pipe = Connection[Any, Any]

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PausedRun:
    """A run in a separate process."""

    process: ForkServerProcess
    pipe: Pipe

    def says(self) -> Any:
        """Wait until the run sends a message, and return it."""
        assert self.pipe.poll(SECONDS)
        return self.pipe.recv()

    def resume(self) -> Any:
        """Resume the run, and return its result."""
        self.pipe.send("resume")
        result = self.says()
        self.process.join(SECONDS)
        return result

    def kill(self) -> None:
        """Kill the run, as `kill -9` does."""
        self.process.kill()
        self.process.join(SECONDS)


@contextmanager
def started_run(schedule: str, task: str, url: str, batch: int) -> Iterator[PausedRun]:
    """Start a run that sends "paused" before it commits a batch, and waits to be resumed."""
    ours, its = forked.CONTEXT.Pipe()
    variables = {"DATABASE_URL": url, "PGOPTIONS": "-c idle_in_transaction_session_timeout=60s"}
    process = forked.process(_run, schedule, task, batch, its, environment=os.environ | variables)
    its.close()
    run = PausedRun(process, ours)
    try:
        yield run
    finally:
        run.kill()
        ours.close()


def _run(schedule: str, task: str, batch: int, pipe: Pipe) -> None:
    delete, batches = service.TASKS[task], []

    def delete_and_pause(connection: psycopg.Connection[Any], limit: int) -> int:
        batches.append(delete(connection, limit))
        if len(batches) == batch:
            pipe.send("paused")
            pipe.recv()
        return batches[-1]

    service.TASKS = {task: delete_and_pause}
    pipe.send(run_schedule(schedule))
