"""Custom resources of a CloudFormation stack, which waits for the response to each event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from medianest.core.deadline import time_limit
from medianest.core.observability import logger

# CloudFormation limits a response to 4096 bytes; the other fields need a few hundred.
_MAX_REASON_CHARS = 500
_PUT_SECONDS = 5.0
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
# The part of a function's timeout to reserve for sending the response.
RESPONSE_SECONDS = 45.0


class ResponseNotSentError(Exception):
    """The response cannot be sent; the message omits the presigned URL, which is a secret."""


def respond(
    event: Mapping[str, Any],
    *,
    failure: str,
    resource_id: str,
    data: Mapping[str, str],
    is_secret: bool = False,
) -> dict[str, Any]:
    """Send the result of an event to CloudFormation, and return it; no `failure` is a success.

    After a change of `resource_id`, CloudFormation deletes the previous resource. It displays no
    `data` of a secret resource. Raises ResponseNotSentError; then the event goes to the queue of
    dead letters, if the function has one.
    """
    response_body = {
        "Status": "FAILED" if failure else "SUCCESS",
        "Reason": " ".join(failure.split())[:_MAX_REASON_CHARS],
        "PhysicalResourceId": resource_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
        "NoEcho": is_secret,
    }
    _put(event["ResponseURL"], json.dumps(response_body, ensure_ascii=False).encode())
    return response_body


def attempt(
    work: Callable[[], Mapping[str, str]], seconds: float, *told: type[Exception]
) -> tuple[str, Mapping[str, str]]:
    """Call `work` within the seconds of a function; return the reason of a failure, and the data.

    The reason is for the events of the stack. The messages of the errors `told` contain no secret;
    of an error of AWS it has only the code, because the message contains names of principals.
    """
    try:
        with time_limit(max(seconds - RESPONSE_SECONDS, 1), TimeoutError("not done in time")):
            return "", work()
    except Exception as error:  # noqa: BLE001 - CloudFormation waits for a response
        logger.exception("custom_resource_failed")
        return _reason(error, *told), {}


def _reason(error: Exception, *told: type[Exception]) -> str:
    if isinstance(error, (*told, TimeoutError)):
        return str(error)
    response: Mapping[str, Any] = getattr(error, "response", {})
    code = response.get("Error", {}).get("Code", "")
    return f"{code or type(error).__name__}; see the log of the function"


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
