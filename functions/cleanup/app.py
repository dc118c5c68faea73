"""Scheduled deletion of old rows."""

from typing import Any

from medianest.cleanup import service
from medianest.core import drivers
from medianest.core.environment import require
from medianest.core.observability import flush_metrics
from medianest.core.startup import init_done

require("DATABASE_URL")
drivers.load("psycopg")
init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the task that the schedule's input names, for example `{"task": "sessions"}`."""
    try:
        result = service.run(
            event.get("task", ""), lambda: context.get_remaining_time_in_millis() / 1000
        )
    finally:
        flush_metrics()
    return result._asdict()
