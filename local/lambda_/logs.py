"""Print the logs of the functions on the terminal."""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from local.run_config import LogFormat

type Log = Callable[[str, str], None]

# Keys of every line, and keys that help on AWS alone, where lines of many callers lie together.
_LEFT_OUT = frozenset(
    {
        *("level", "location", "message", "timestamp", "service", "cold_start"),
        *("exception", "exception_name", "stack_trace"),
        *("request_id", "xray_trace_id", "correlation_id", "function_arn", "function_memory_size"),
        *("function_name", "function_request_id"),
    }
)
_PLAIN = re.compile(r"[\w.,:/@+-]+")


def print_log(function_id: str, line: str) -> None:
    """Print a line of a function's log."""
    print(f"[{function_id}] {line}", flush=True)


def log_printer(log_format: LogFormat, level: str) -> Log:
    """Return the function that prints a line of a function's log.

    JSON has all lines. Text has warnings and errors, and with `level` DEBUG the less severe, too.
    """
    if log_format == "json":
        return print_log
    least = logging.DEBUG if level == "DEBUG" else logging.WARNING

    def print_readable(function_id: str, line: str) -> None:
        shown = readable(function_id, line, least)
        if shown is not None:
            print(shown, flush=True)

    return print_readable


def readable(function_id: str, line: str, least: int = logging.WARNING) -> str | None:
    """Return a line of a function's log for people; None for metrics and what is less severe."""
    entry = _json_object(line)
    if "_aws" in entry:
        return None
    level = logging.getLevelNamesMapping().get(str(entry.get("level")))
    if level is None:
        return f"[{function_id}] {line}"
    if level < least:
        return None
    words = [time.strftime("%H:%M:%S"), entry["level"], function_id, str(entry.get("message"))]
    words += [f"{key}={_value(each)}" for key, each in entry.items() if key not in _LEFT_OUT]
    traceback = str(entry.get("exception") or "").splitlines()
    return "\n  ".join([" ".join(words), *traceback])


def _json_object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _value(value: object) -> str:
    if isinstance(value, str):
        value = " ".join(value.split())
        if _PLAIN.fullmatch(value):
            return value
    return json.dumps(value, ensure_ascii=False)
