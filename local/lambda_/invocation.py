"""An invocation of a function, from the caller to a worker and back."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

_MAX_PAYLOAD = 6 * 1024 * 1024


class TooManyRequestsError(Exception):
    """A function has reached its concurrency limit."""


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """The result for the caller; `error` is the type of an error, and `payload` its details."""

    payload: Any
    error: str | None
    is_cold: bool
    milliseconds: float

    @property
    def message(self) -> str:
        """Return the message of the error, empty if there is none."""
        return str(self.payload.get("errorMessage", "")) if isinstance(self.payload, dict) else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a worker: the function's result, or an error in Lambda's format."""

    payload: Any
    error: str | None = None


@dataclass(slots=True)
class Invocation:
    """One call of a function, on its way to a worker and back."""

    payload: bytes
    timeout: float
    trace_id: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)

    def finish(self, outcome: Outcome) -> None:
        """Set the outcome, unless a timeout or a crash has set it."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def fail(self, error_type: str, message: str) -> None:
        """Set an error of Lambda itself, not of the function."""
        self.finish(error_outcome(error_type, f"RequestId: {self.id} Error: {message}"))


class InitError(Exception):
    """A worker ended before it requested its first invocation."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def error_outcome(error_type: str, message: str) -> Outcome:
    """Return an error in Lambda's format."""
    return Outcome({"errorType": error_type, "errorMessage": message}, error_type)


def parse_response(body: bytes) -> Outcome:
    """Parse the body that a worker posts as the function's result."""
    if len(body) > _MAX_PAYLOAD:
        message = f"Response payload size exceeded maximum allowed payload size ({_MAX_PAYLOAD})."
        return error_outcome("Function.ResponseSizeTooLarge", message)
    try:
        return Outcome(json.loads(body))
    except ValueError:
        return error_outcome("Runtime.InvalidResponse", "The response is not JSON")


def parse_error(body: bytes) -> Outcome:
    """Parse the body that a worker posts as the function's error."""
    try:
        error = json.loads(body)
        return Outcome(error, str(error["errorType"]))
    except (KeyError, TypeError, ValueError):
        return error_outcome("Runtime.InvalidError", "The error report is invalid")


def new_trace_id() -> str:
    """Return a new X-Ray trace header, as API Gateway adds one."""
    unique = uuid.uuid4().hex
    return f"Root=1-{int(time.time()):08x}-{unique[:24]}"
