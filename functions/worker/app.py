"""The worker: runs jobs when a bell rings, and at its schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.core import drivers
from medianest.core.environment import require
from medianest.core.observability import flush_metrics
from medianest.core.startup import init_done
from medianest.jobs import rounds, runners

if TYPE_CHECKING:
    from collections.abc import Callable

require("DATABASE_URL", "REDIS_URL", "TMDB_API_KEY", "ENCRYPTION_KEY")
# The others load with the first delayed bell and the first call: a round often needs neither.
drivers.load("psycopg")
init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer the bells of a batch (`Records`), or run the task that the schedule's input names.

    The tasks: `{"task": "sweep"}`, `{"task": "checks"}`, `{"task": "inventories"}`.
    """
    try:
        if "Records" in event:
            failed = rounds.answer(event["Records"], _seconds_left(context))
            return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
        return rounds.run_task(event.get("task", ""), _seconds_left(context))._asdict()
    finally:
        flush_metrics()


def _prepare() -> None:
    """Check the key of the servers' secrets, and register the handlers of jobs."""
    from medianest.fulfilment import check, handover
    from medianest.servers import inventory
    from medianest.servers import service as servers_service

    servers_service.check_key()
    runners.register("handover", handover.HANDLER)
    runners.register("check", check.HANDLER)
    runners.register("inventory", inventory.HANDLER)
    runners.precede("inventories", servers_service.reencrypt)


# Before the first lease: a bell that is passed on needs neither the handlers nor the database.
runners.prepare_with(_prepare)


def _seconds_left(context: Any) -> Callable[[], float]:
    def seconds_left() -> float:
        seconds: float = context.get_remaining_time_in_millis() / 1000
        return seconds

    return seconds_left
