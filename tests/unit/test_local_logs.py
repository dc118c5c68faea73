"""The lines of a function's log that the terminal prints."""

import errno
import json
import logging
import sys
from io import StringIO

import pytest

from local.lambda_.logs import log_printer, print_log, readable

TRACE = 'Traceback (most recent call last):\n  File "app.py", line 1, in f\nValueError: no'


def entry(level: str, message: str, **fields: object) -> str:
    """Return a log line as Powertools writes it."""
    defaults = {
        "level": level,
        "location": "_try:86",
        "message": message,
        "timestamp": "2026-11-28 06:16:05,463+0000",
        "service": "auth",
        "request_id": "5173adfc-8b9a-4d31-aa0d-9b61dfa43b4d",
        "function_request_id": "29017425-1de8-49fc-b470-06f2e55ddd8a",
        "xray_trace_id": "1-6b0a71a5-4bb43adee4814e429122c839",
    }
    return json.dumps({**defaults, **fields})


METRICS = json.dumps({"_aws": {"Timestamp": 1}, "service": "auth", "CacheUnavailable": [1.0]})


class FullDisk(StringIO):
    """A file to which nothing can be written."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", FullDisk())
        print_log("AuthFunction", "a line")


def test_a_warning_is_one_line_with_its_fields() -> None:
    line = readable("AuthFunction", entry("WARNING", "cache_failed", cause="Two words", n=1))
    assert line is not None
    assert line[8:] == ' WARNING AuthFunction cache_failed cause="Two words" n=1'


def test_a_refused_request_is_shown_without_the_fields_of_the_gateways_line() -> None:
    fields = {"method": "GET", "route": "/api/x", "status": 401, "duration_ms": 3, "code": "NO"}
    line = readable("AuthFunction", entry("WARNING", "request", **fields))
    assert line is not None
    assert line[8:] == " WARNING AuthFunction request code=NO"
    assert "route=/api/x" in str(readable("AuthFunction", entry("WARNING", "other", **fields)))


def test_an_error_is_followed_by_its_traceback() -> None:
    line = entry("ERROR", "unhandled_error", exception=TRACE, exception_name="ValueError")
    text = readable("AuthFunction", line)
    assert text is not None
    first, *trace = text.split("\n")
    assert first.endswith(" ERROR AuthFunction unhandled_error")
    assert trace == [f"  {each}" for each in TRACE.split("\n")]


@pytest.mark.parametrize("line", [entry("INFO", "request"), entry("DEBUG", "more"), METRICS])
def test_entries_below_the_level_are_not_printed(line: str) -> None:
    assert readable("AuthFunction", line) is None


def test_entries_of_a_lower_level_are_printed_on_request() -> None:
    assert readable("AuthFunction", entry("DEBUG", "more"), logging.DEBUG)
    assert readable("AuthFunction", METRICS, logging.DEBUG) is None


@pytest.mark.parametrize(
    "line", ["plain text", "5", "null", "[1]", "{", '{"level": "loud"}', '{"a": 1}', "", "\x1b[2m"]
)
def test_a_line_that_is_not_a_log_entry_is_printed_unchanged(line: str) -> None:
    assert readable("AuthFunction", line) == f"[AuthFunction] {line}"


def test_no_field_can_start_a_line_or_set_a_colour() -> None:
    text = readable("AuthFunction", entry("WARNING", "refused", agent="x\n12:00:00 \x1b[2mGET"))
    assert text is not None
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("log_format", "level", "printed"),
    [("text", "INFO", 1), ("text", "ERROR", 1), ("text", "DEBUG", 2), ("json", "INFO", 3)],
)
def test_log_format_selects_text_or_json(
    capsys: pytest.CaptureFixture[str], log_format: str, level: str, printed: int
) -> None:
    print_line = log_printer("json" if log_format == "json" else "text", level)
    for line in (entry("INFO", "request"), METRICS, entry("WARNING", "cache_failed")):
        print_line("AuthFunction", line)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == printed
    assert all(line.startswith("[AuthFunction] {") for line in lines) == (log_format == "json")
