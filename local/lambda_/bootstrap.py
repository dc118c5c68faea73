"""Run Lambda's own runtime client in a worker process, with Lambda's own view of the disk.

Started as `python -I -S bootstrap.py HANDLER FOLDER…`, so that nothing but the given folders and
the standard library can be imported. It runs where the rest of this package cannot be imported.
"""

import importlib
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    """Serve invocations until the process is killed or the local runtime is gone."""
    _, handler, *folders = sys.argv
    sys.path[:0] = folders
    os.environ.pop("LC_CTYPE", None)  # Python's own, where the system lacks the locale in LANG
    _exit_with_parent()
    _provide_runtime_client()

    # It can be imported only from here on.
    awslambdaric = importlib.import_module("awslambdaric.__main__")
    sys.argv = ["awslambdaric", handler]
    awslambdaric.main(sys.argv)


def _exit_with_parent() -> None:
    # Standard input is a pipe that the parent alone holds open and never writes to: end of file
    # means that the parent is gone, also by kill -9.
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(pipe, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _provide_runtime_client() -> None:
    # awslambdaric has its HTTP client as a native module, and only for Linux.
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
