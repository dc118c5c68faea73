"""Brings the database up to date: at each deployment as a resource of the stack, or by hand."""

from functools import partial
from typing import Any

from medianest.core.environment import require
from medianest.migrations import deployment, runner

# Kept of the time-out to tell, by hand, what went wrong.
SPARE_SECONDS = 5


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply the migrations that are missing; by hand (`{}`) return their names."""
    seconds = context.get_remaining_time_in_millis() / 1000
    if "ResponseURL" in event:
        patient = partial(_apply, wait_seconds=deployment.DATABASE_WAIT_SECONDS)
        return deployment.respond(event, seconds, patient)
    return {"applied": _apply(seconds - SPARE_SECONDS)}


def _apply(seconds: float, wait_seconds: float = 0.0) -> list[str]:
    # Not at the start, as elsewhere: a function that does not start gives CloudFormation no answer.
    require("DATABASE_URL")
    return runner.run(seconds=seconds, wait_seconds=wait_seconds)
