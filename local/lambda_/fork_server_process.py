"""Import the libraries of a layer once, and fork a process for each worker that needs them.

Started as `python -I -S fork_server_process.py LAYER MODULE…`, with the socket as standard input.
Like `bootstrap.py`, this file cannot import the rest of this package. `fork_server.py` describes
the messages.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any

_MAX_MESSAGE = 1 << 20


def main() -> None:
    """Fork workers until the other end of the socket is closed; as a worker, run its program."""
    status = 0
    try:
        _preload(sys.argv[1], sys.argv[2:])
        os.environ.clear()
        call = serve()
        os.chdir(call["folder"])
        sys.argv = call["command"]
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        # As the interpreter does at its end, which would run the server's code first.
        error = sys.exception()
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            if status and not isinstance(error.code, int):
                print(error.code, file=sys.stderr)
        elif error is not None:
            traceback.print_exception(error)
            status = 1
        for stream in (sys.stdout, sys.stderr):
            # The program may have closed it.
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(status)


def _preload(layer: str, names: list[str]) -> None:
    path = sys.path.copy()
    sys.path.insert(0, layer)
    for name in names:
        # A layer need not have every library, and a broken one fails in the function that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.path[:] = path


def serve() -> dict[str, Any]:
    """Fork a worker for each message on standard input, until its end; return in the workers only.

    A worker has the state of a new process, with the variables of its message. The result is the
    rest of the message.
    """
    channel = socket.socket(fileno=os.dup(0))
    # Pages without writes stay shared, and the collector would write to them.
    gc.collect()
    gc.freeze()
    exits, wake_up = os.pipe()
    os.set_blocking(wake_up, False)
    signal.set_wakeup_fd(wake_up)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([channel.fileno(), exits], [], [])
        if exits in readable:
            os.read(exits, _MAX_MESSAGE)
            _report_exits(channel)
        if channel.fileno() in readable:
            message, descriptors, _, _ = socket.recv_fds(channel, _MAX_MESSAGE, 2)
            if not message:
                sys.exit()
            pid = os.fork()
            if pid == 0:
                _become_worker(descriptors, [channel.detach(), exits, wake_up])
                call: dict[str, Any] = json.loads(message)
                os.environ.update(call.pop("environment"))
                time.tzset()
                return call
            # Here as well as in the child, so that its group exists before anybody signals it.
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            for descriptor in descriptors:
                os.close(descriptor)
            _send(channel, started=pid)


def _become_worker(descriptors: list[int], own: list[int]) -> None:
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    standard_input, output = descriptors
    os.dup2(standard_input, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for descriptor in [*descriptors, *own]:
        os.close(descriptor)


def _report_exits(channel: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _send(channel, exited=pid, code=os.waitstatus_to_exitcode(status))


def _send(channel: socket.socket, **message: int) -> None:
    channel.send(json.dumps(message).encode())


if __name__ == "__main__":
    main()
