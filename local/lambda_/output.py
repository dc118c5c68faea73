"""Read the output of a worker process."""

import asyncio
from collections.abc import Callable


class Output(asyncio.SubprocessProtocol):
    """Passes the output of a process to `log`, line by line.

    `exited` is done when the process has exited, `ended` when its output has closed, which is later
    while child processes run.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.exited: asyncio.Future[None] = asyncio.Future()
        self.ended: asyncio.Future[None] = asyncio.Future()
        self._log = log
        self._rest = b""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Log the lines that are complete."""
        del fd
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._log_line(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Log an incomplete last line."""
        del exc
        if fd == 1:
            if self._rest:
                self._log_line(self._rest)
            self.ended.set_result(None)

    def process_exited(self) -> None:
        """Wake the tasks that wait for the exit."""
        self.exited.set_result(None)

    def _log_line(self, line: bytes) -> None:
        # awslambdaric joins a traceback into one log event with \r and no-break spaces.
        for part in line.decode(errors="replace").replace("\u00a0", " ").split("\r"):
            self._log(part)
