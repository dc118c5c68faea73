"""Print the logs of the functions on the terminal."""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from local.run_config import LogFormat
from local.terminal import say

type Log = Callable[[str, str], None]

# Keys that every line has, and keys that help only on AWS, where lines of many callers are mixed.
_LEFT_OUT = frozenset(
    {
        *("level", "location", "message", "timestamp", "service", "cold_start"),
        *("exception", "exception_name", "stack_trace"),
        *("request_id", "xray_trace_id", "correlation_id", "function_arn", "function_memory_size"),
        *("function_name", "function_request_id"),
    }
)
# Fields of the entry `request` that are in the gateway's line of the same call.
_OF_CALL = frozenset({"method", "route", "status", "duration_ms"})
_PLAIN = re.compile(r"[\w.,:/@+-]+")


def print_log(function_id: str, line: str) -> None:
    """Print a line of a function's log."""
    say(f"[{function_id}] {line}")


def log_printer(log_format: LogFormat, level: str) -> Log:
    """Return the function that prints a line of a function's log.

    Format `json` prints all lines; `text` prints warnings and errors, or all with `level` DEBUG.
    """
    if log_format == "json":
        return print_log
    min_level = logging.DEBUG if level == "DEBUG" else logging.WARNING

    def print_readable(function_id: str, line: str) -> None:
        text = readable(function_id, line, min_level)
        if text is not None:
            say(text)

    return print_readable


def readable(function_id: str, line: str, min_level: int = logging.WARNING) -> str | None:
    """Return a log line in readable form; None for metrics and for levels below `min_level`."""
    entry = _json_object(line)
    if "_aws" in entry:
        return None
    level = logging.getLevelNamesMapping().get(str(entry.get("level")))
    if level is None:
        return f"[{function_id}] {line}"
    if level < min_level:
        return None
    words = [time.strftime("%H:%M:%S"), entry["level"], function_id, str(entry.get("message"))]
    hidden = _LEFT_OUT | _OF_CALL if entry.get("message") == "request" else _LEFT_OUT
    words += [f"{key}={_value(each)}" for key, each in entry.items() if key not in hidden]
    traceback = str(entry.get("exception") or "").splitlines()
    return "\n  ".join([" ".join(words), *traceback])


def _json_object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _value(value: object) -> str:
    if isinstance(value, str):
        value = " ".join(value.split())
        if _PLAIN.fullmatch(value):
            return value
    return json.dumps(value, ensure_ascii=False)
