"""Run Lambda's runtime client in a worker process, with the import path of Lambda.

Started as `python -I -S bootstrap.py HANDLER FOLDER…`, so that a function can import only the
given folders and the standard library. This file cannot import the rest of this package either.
With a socket as standard input it loads the handler, and forks a worker for each message.
"""

import importlib
import importlib.util
import os
import signal
import stat
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = Path(__file__).parent


def main() -> None:
    """Serve invocations until the process is killed or the local runtime has exited."""
    _, handler, *folders = sys.argv
    sys.path[:0] = folders
    os.environ.pop("LC_CTYPE", None)  # Python sets it if the system lacks the locale in LANG
    if stat.S_ISSOCK(os.fstat(0).st_mode):
        _fork_after_init()
    else:
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


def _fork_after_init() -> None:
    """Let the runtime client return from its init in forks of this process only."""
    # The native module reads the address of the Runtime API, which each worker has, on its import.
    user_agents: list[str] = []
    sys.modules["runtime_client"] = without_address = ModuleType("runtime_client")
    vars(without_address)["initialize_client"] = user_agents.append
    client: Any = importlib.import_module("awslambdaric.bootstrap")
    load = client._get_handler

    def load_and_fork(name: str) -> Any:
        is_loaded = False
        try:
            handler = load(name)
            is_loaded = threading.active_count() == 1  # a fork would lack the other threads
        finally:
            if not is_loaded:
                os._exit(1)  # a worker that is no fork repeats the init, and reports its error
        _module("fork_server_process").serve()
        # From here on this is a worker. Forks would share the descriptors of an event loop.
        if asyncio := sys.modules.get("asyncio"):
            asyncio.set_event_loop_policy(None)
        _exit_with_parent()
        del sys.modules["runtime_client"]
        native = _provide_runtime_client()
        native.initialize_client(*user_agents)
        vars(sys.modules["awslambdaric.lambda_runtime_client"])["runtime_client"] = native
        return handler

    client._get_handler = load_and_fork


def _provide_runtime_client() -> Any:
    # The HTTP client of awslambdaric is a native module, which exists for Linux only.
    try:
        return importlib.import_module("runtime_client")
    except ImportError:
        sys.modules["runtime_client"] = _module("runtime_client")
        return sys.modules["runtime_client"]


def _module(name: str) -> ModuleType:
    """Load a file beside this one, whose folder is not importable."""
    spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name=name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
