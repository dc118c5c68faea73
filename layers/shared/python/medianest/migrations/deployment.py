"""The migrations as a resource of a CloudFormation stack, which waits for an answer to go on."""

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

# Kept of the time-out of the function to send the answer in.
ANSWER_SECONDS = 45.0
# A database that the same deployment has made, and the way to it, may take this long to be there.
PATIENCE_SECONDS = 120.0
# An answer is a few hundred bytes besides this, and may have 4096.
MAX_REASON_CHARS = 500
_PUT_SECONDS = 5.0
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


class AnswerError(Exception):
    """CloudFormation cannot be told; the message has nothing of the address, which is a secret."""


def respond(
    event: Mapping[str, Any], seconds: float, work: Callable[[float], object]
) -> dict[str, Any]:
    """Do `work` within what is left of `seconds` and tell CloudFormation how it went.

    Nothing is ever taken back, so deleting the resource succeeds without work. Raises AnswerError
    and nothing else, so that the event becomes a dead letter when CloudFormation cannot be told.
    """
    reason = ""
    if event["RequestType"] != "Delete":
        try:
            work(max(seconds - ANSWER_SECONDS, 1))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            logger.exception("deployment failed")
            reason = reason_of(error)
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason,
        # Another one would tell CloudFormation to delete the former.
        "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"]),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Configuration": digest(event.get("ResourceProperties", {}))},
    }
    _put(event["ResponseURL"], json.dumps(answer, ensure_ascii=False).encode())
    return answer


def digest(properties: Mapping[str, Any]) -> str:
    """Return what stands for the properties of the resource: other ones, another digest.

    A published version of a function keeps its settings for good, so the template has a new one
    published when this changes.
    """
    own = {name: value for name, value in properties.items() if name != "ServiceToken"}
    return sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def reason_of(error: Exception) -> str:
    """Return what an operator may read in the events of the stack."""
    cause = error.__cause__
    if isinstance(error, MigrationError | RoleError | ConfigurationError):
        text = str(error)
    elif isinstance(error, AppError):
        text = f"{error.code}: {cause or 'not reached in time'}"
    else:
        text = f"{type(error).__name__}; the log of the function says more"
    return " ".join(text.split())[:MAX_REASON_CHARS]


def _put(url: str, body: bytes) -> None:
    import urllib3

    problem = ""
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            # Not the retries of urllib3, which log the address.
            response = urllib3.request(
                "PUT",
                url,
                body=body,
                # The address is signed for a request without one.
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
        logger.warning("CloudFormation not told", extra={"reason": problem})
    raise AnswerError(f"CloudFormation cannot be told: {problem}")
