"""Run the init and first call of a function, and print what its own part cost: a child process.

`python -X importtime` adds the time of each import to standard error; `INIT` and `FIRST_CALL`
precede those of the init and of the first call.
"""

import json
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

INIT = "-- init --"
FIRST_CALL = "-- first call --"
# The worker leases no job in its last 40 seconds.
_SECONDS = 60.0


class ModelTimes:
    """The time in which pydantic builds the models of our modules."""

    def __init__(self, metaclass: Any) -> None:
        self.seconds = 0.0
        self._is_nested = False
        self._build: Callable[..., type] = metaclass.__new__
        metaclass.__new__ = self._timed

    def _timed(self, *args: Any, **kwargs: Any) -> type:
        namespace = cast("dict[str, Any]", args[3])
        is_own = namespace.get("__module__", "").partition(".")[0] in {"medianest", "app"}
        if not is_own or self._is_nested:
            return self._build(*args, **kwargs)
        self._is_nested = True
        started = time.process_time()
        try:
            return self._build(*args, **kwargs)
        finally:
            self.seconds += time.process_time() - started
            self._is_nested = False


def main() -> None:
    """Import the function from the folders in the arguments, call it, and print the figures."""
    start = time.process_time()
    print(INIT, file=sys.stderr, flush=True)
    sys.path[:0] = sys.argv[2:]
    models = ModelTimes(type(import_module("pydantic").BaseModel))
    handler = import_module("app").handler
    init = time.process_time()
    print(FIRST_CALL, file=sys.stderr, flush=True)
    context = SimpleNamespace(
        aws_request_id="profile", get_remaining_time_in_millis=lambda: _SECONDS * 1000
    )
    payload = handler(json.loads(sys.argv[1]), context)
    if payload.get("statusCode", HTTPStatus.OK) != HTTPStatus.OK:
        raise RuntimeError(payload)
    figures = {
        "start": start,
        "init": init - start,
        "first": time.process_time() - init,
        "models": models.seconds,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
