"""Migrates the database: at each deployment as a custom resource, or when invoked by hand."""

from functools import partial
from typing import Any

from medianest.core.environment import require
from medianest.core.startup import init_done
from medianest.migrations import deployment, runner

# Reserved for reporting an error of a manual run before the function times out.
SPARE_SECONDS = 5
init_done()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply the missing migrations; when invoked by hand (`{}`), return their names."""
    seconds = context.get_remaining_time_in_millis() / 1000
    if "ResponseURL" in event:
        apply_with_wait = partial(_apply, wait_seconds=deployment.DATABASE_WAIT_SECONDS)
        return deployment.respond(event, seconds, apply_with_wait)
    return {"applied": _apply(seconds - SPARE_SECONDS)}


def _apply(seconds: float, wait_seconds: float = 0.0) -> list[str]:
    # Not at import, as elsewhere: a function that fails to start never responds to CloudFormation.
    require("DATABASE_URL")
    return runner.run(seconds=seconds, wait_seconds=wait_seconds)
