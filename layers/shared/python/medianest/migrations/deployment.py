"""The migrations as a custom resource of a CloudFormation stack, which waits for the response."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from medianest.core.environment import ConfigurationError
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.migrations.role import RoleError
from medianest.migrations.runner import MigrationError

# The part of the function's timeout that is reserved for sending the response.
RESPONSE_SECONDS = 45.0
# The maximum time until a database that the same deployment creates is reachable.
DATABASE_WAIT_SECONDS = 120.0
# CloudFormation limits a response to 4096 bytes; the other fields need a few hundred.
MAX_REASON_CHARS = 500
_PUT_SECONDS = 5.0
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


class ResponseNotSentError(Exception):
    """The response cannot be sent; the message omits the presigned URL, which is a secret."""


def respond(
    event: Mapping[str, Any], seconds: float, work: Callable[[float], object]
) -> dict[str, Any]:
    """Call `work`, send the result to CloudFormation, and return the response.

    `work` receives the seconds that it may take. Migrations are never reverted, so deleting the
    resource succeeds without work. Raises only ResponseNotSentError; the event then goes to the
    dead-letter queue.
    """
    reason = ""
    if event["RequestType"] != "Delete":
        try:
            work(max(seconds - RESPONSE_SECONDS, 1))
        except Exception as error:  # noqa: BLE001 - CloudFormation waits for a response
            logger.exception("deployment_failed")
            reason = reason_of(error)
    response_body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason,
        # With a different id, CloudFormation would delete the previous resource.
        "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"]),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Configuration": digest(event.get("ResourceProperties", {}))},
    }
    _put(event["ResponseURL"], json.dumps(response_body, ensure_ascii=False).encode())
    return response_body


def digest(properties: Mapping[str, Any]) -> str:
    """Return a digest of the resource's properties.

    The environment of a published function version is immutable, so the template publishes a new
    version when the digest changes.
    """
    relevant = {name: value for name, value in properties.items() if name != "ServiceToken"}
    return sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:16]


def reason_of(error: Exception) -> str:
    """Return the reason for the events of the stack, on one line and without secrets."""
    cause = error.__cause__
    if isinstance(error, MigrationError | RoleError | ConfigurationError):
        reason = str(error)
    elif isinstance(error, AppError):
        reason = f"{error.code}: {cause or 'not reachable in time'}"
    else:
        reason = f"{type(error).__name__}; see the log of the function"
    return " ".join(reason.split())[:MAX_REASON_CHARS]


def _put(url: str, body: bytes) -> None:
    import urllib3

    problem = ""
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            # No retries of urllib3, because they log the URL.
            response = urllib3.request(
                "PUT",
                url,
                body=body,
                # The URL is signed for a request without a content type.
                headers={"Content-Type": ""},
                timeout=_PUT_SECONDS,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            problem = type(error).__name__
        else:
            if response.status == HTTPStatus.OK:
                return
            problem = f"status {response.status}"
        logger.warning("cloudformation_unreachable", extra={"cause": problem})
    raise ResponseNotSentError(f"the response cannot be sent to CloudFormation: {problem}")
