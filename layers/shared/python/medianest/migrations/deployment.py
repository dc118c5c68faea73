"""The migrations as a custom resource of a CloudFormation stack, which waits for the response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from medianest.core import custom_resource
from medianest.core.environment import ConfigurationError
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.migrations.role import RoleError
from medianest.migrations.runner import MigrationError

# The maximum time until a database that the same deployment creates is reachable.
DATABASE_WAIT_SECONDS = 120.0


def respond(
    event: Mapping[str, Any], seconds: float, work: Callable[[float], object]
) -> dict[str, Any]:
    """Call `work`, send the result to CloudFormation, and return the response.

    `work` receives the seconds that it may take. Migrations are never reverted, so deleting the
    resource succeeds without work. Raises only ResponseNotSentError; the event then goes to the
    dead-letter queue.
    """
    failure = ""
    if event["RequestType"] != "Delete":
        try:
            work(max(seconds - custom_resource.RESPONSE_SECONDS, 1))
        except Exception as error:  # noqa: BLE001 - CloudFormation waits for a response
            logger.exception("deployment_failed")
            failure = reason_of(error)
    return custom_resource.respond(
        event,
        failure=failure,
        # With a different id, CloudFormation would delete the previous resource.
        resource_id=event.get("PhysicalResourceId", event["LogicalResourceId"]),
        data={"Configuration": digest(event.get("ResourceProperties", {}))},
    )


def digest(properties: Mapping[str, Any]) -> str:
    """Return a digest of the resource's properties.

    The environment of a published function version is immutable, so the template publishes a new
    version when the digest changes.
    """
    relevant = {name: value for name, value in properties.items() if name != "ServiceToken"}
    return sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:16]


def reason_of(error: Exception) -> str:
    """Return the reason for the events of the stack, without secrets."""
    cause = error.__cause__
    if isinstance(error, MigrationError | RoleError | ConfigurationError):
        return str(error)
    if isinstance(error, AppError):
        return f"{error.code}: {cause or 'not reachable in time'}"
    return f"{type(error).__name__}; see the log of the function"
