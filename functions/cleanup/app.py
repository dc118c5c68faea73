"""Scheduled deletion of old rows, and the scheduled reading of titles."""

from typing import Any

from medianest.cleanup import service
from medianest.core import drivers
from medianest.core.environment import require
from medianest.core.observability import flush_metrics
from medianest.core.startup import init_done

require("DATABASE_URL", "REDIS_URL", "TMDB_API_KEY")
drivers.load("psycopg")
init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the task that the schedule's input names, for example `{"task": "sessions"}`."""
    # Not during init: the other tasks need neither the catalogue nor its models.
    from medianest.requests.titles import fill

    def seconds_left() -> float:
        seconds: float = context.get_remaining_time_in_millis() / 1000
        return seconds

    task = event.get("task", "")
    try:
        if task == fill.TASK:
            return fill.run(seconds_left)._asdict()
        return service.run(task, seconds_left)._asdict()
    finally:
        flush_metrics()
