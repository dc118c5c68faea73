"""Run `local/lambda_/bootstrap.py` with a clock that is an hour off while SKEW_FILE exists.

Fast in every other process and slow in those between, so environments disagree by two hours.
`time.time` moves, and every `datetime.now` that decides something: that of `core.clock` and
`core.http`, and that of PyJWT. The monotonic clock stays, as it does when somebody sets the time.
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
READERS = ("medianest.core.clock", "medianest.core.http", "jwt.api_jwt")
_FILE = os.environ["SKEW_FILE"]
_STARTS = Path(f"{_FILE}.starts")
_true_time = time.time


def _turn() -> int:
    """Count the processes that have started."""
    with _STARTS.open("ab") as starts:
        starts.write(b".")
        return starts.tell()


_OFFSET = HOUR if _turn() % 2 == 0 else -HOUR


def _offset() -> float:
    # A look at the file each time: the clock of a process that is running is what jumps.
    return _OFFSET if os.path.exists(_FILE) else 0.0  # noqa: PTH110 - on every reading of a clock


def skewed_time() -> float:
    """Return what `time.time` does, an hour off."""
    return _true_time() + _offset()


class _AnyDatetime(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, dt.datetime)


class SkewedDatetime(dt.datetime, metaclass=_AnyDatetime):
    """The class, but its `now` is an hour off."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        """Return the time in a zone."""
        return dt.datetime.fromtimestamp(skewed_time(), tz)


def main() -> None:
    """Skew the clock and do what the other bootstrap does."""
    _, _, *folders = sys.argv
    sys.path[:0] = folders
    time.time = skewed_time
    for name in READERS:
        module = importlib.import_module(name)
        if module.__dict__.get("datetime") is not dt.datetime:
            raise RuntimeError(f"{name} reads its clock in another way now")
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
