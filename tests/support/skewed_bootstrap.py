"""Run `local/lambda_/bootstrap.py` with a clock that is an hour off while SKEW_FILE exists.

The clocks of processes are fast and slow in turn, so environments disagree by two hours. The skew
affects `time.time` and the `datetime.now` of `core.clock`, `core.http` and PyJWT. The monotonic
clock is unchanged, as when an administrator sets the time.
"""

import datetime as dt
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Any

HOUR = 3600.0
CLOCK_MODULES = ("medianest.core.clock", "medianest.core.http", "jwt.api_jwt")
_FILE = os.environ["SKEW_FILE"]
_START_COUNTER = Path(f"{_FILE}.starts")
_true_time = time.time


def _start_number() -> int:
    """Count this process and return the number of processes started so far."""
    with _START_COUNTER.open("ab") as starts:
        starts.write(b".")
        return starts.tell()


_offsets: list[float] = []


def _choose_offset() -> None:
    """Choose the offset of this process, whose fork must choose another."""
    _offsets[:] = [HOUR if _start_number() % 2 == 0 else -HOUR]


_choose_offset()
os.register_at_fork(after_in_child=_choose_offset)


def _offset() -> float:
    # Check the file on each call, because the clock changes while a process is running.
    return _offsets[0] if os.path.exists(_FILE) else 0.0  # noqa: PTH110 - called on each reading of a clock


def skewed_time() -> float:
    """Return the time, an hour off while the file exists."""
    return _true_time() + _offset()


class _AnyDatetime(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, dt.datetime)


class SkewedDatetime(dt.datetime, metaclass=_AnyDatetime):
    """`datetime` with a skewed `now`."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        """Return the skewed time in a time zone."""
        return dt.datetime.fromtimestamp(skewed_time(), tz)


def main() -> None:
    """Skew the clock and run the real bootstrap."""
    _, _, *folders = sys.argv
    sys.path[:0] = folders
    time.time = skewed_time
    for name in CLOCK_MODULES:
        module = importlib.import_module(name)
        if module.__dict__.get("datetime") is not dt.datetime:
            raise RuntimeError(f"{name} does not import datetime any more: adapt CLOCK_MODULES")
        module.__dict__["datetime"] = SkewedDatetime
    path = Path(__file__).parents[2] / "local" / "lambda_" / "bootstrap.py"
    spec = importlib.util.spec_from_file_location("bootstrap", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded")
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    bootstrap.main()


if __name__ == "__main__":
    main()
