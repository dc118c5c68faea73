"""Run Lambda's runtime client in a worker process, with the import path of Lambda.

Started as `python -I -S bootstrap.py HANDLER FOLDER…`, so that a function can import only the
given folders and the standard library. This file cannot import the rest of this package either.
"""

import importlib
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    """Serve invocations until the process is killed or the local runtime has exited."""
    _, handler, *folders = sys.argv
    sys.path[:0] = folders
    os.environ.pop("LC_CTYPE", None)  # Python sets it if the system lacks the locale in LANG
    _exit_with_parent()
    _provide_runtime_client()

    # It is importable only after the changes above.
    awslambdaric = importlib.import_module("awslambdaric.__main__")
    sys.argv = ["awslambdaric", handler]
    awslambdaric.main(sys.argv)


def _exit_with_parent() -> None:
    # Standard input is a pipe that only the parent holds open, and it never writes to it: end of
    # file means that the parent has exited, even by kill -9.
    pipe = os.dup(0)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)

    def wait() -> None:
        os.read(pipe, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _provide_runtime_client() -> None:
    # The HTTP client of awslambdaric is a native module, which exists for Linux only.
    try:
        importlib.import_module("runtime_client")
    except ImportError:
        source = Path(__file__).with_name("runtime_client.py")
        spec = importlib.util.spec_from_file_location("runtime_client", source)
        if spec is None or spec.loader is None:
            raise
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["runtime_client"] = module


if __name__ == "__main__":
    main()
