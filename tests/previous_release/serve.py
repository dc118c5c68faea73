"""Run the functions of another release: `serve.py FOLDER` reads one event per line.

It is a separate program, because a process can import only one version of a package.
"""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    function_name="medianest-previous",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:medianest-previous",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 60_000,
)


def main(folder: Path) -> None:
    """Serve until the input ends. Results go to standard output, and logs to standard error."""
    results, sys.stdout = sys.stdout, sys.stderr
    sys.path[:0] = [str(folder / "layers/shared/python"), str(folder)]
    for line in sys.stdin:
        function, event = json.loads(line)
        module: Any = importlib.import_module(f"functions.{function}.app")
        if not Path(module.__file__).is_relative_to(folder):
            raise ImportError(f"{module.__file__} does not belong to the release in {folder}")
        print(json.dumps(module.handler(event, CONTEXT)), file=results, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
