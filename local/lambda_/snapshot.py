"""Restore workers from a process that has loaded their function, as SnapStart does on Lambda."""

import errno
import os
import socket
from collections.abc import Mapping, Sequence

from local.lambda_.fork_server import ForkedProcess, ForkServer
from local.lambda_.logs import Log
from local.lambda_.output import Output
from local.template.models import Function

RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"


class Snapshot:
    """A fork of the server of a function's libraries, which loads the function once.

    Each worker is a fork of it. If the function does not load, a worker loads it again, and reports
    the error.
    """

    def __init__(self, function: Function, libraries: ForkServer, log: Log) -> None:
        self._function = function
        self._libraries = libraries
        self._log = log
        self._server = ForkServer(self._spawn)
        self._message: dict[str, object] = {}
        self._is_usable = True
        self._is_loaded = False
        self._held: list[str] = []

    async def start(
        self, command: Sequence[str], environment: Mapping[str, str], address: str, output: Output
    ) -> ForkedProcess:
        """Start a worker with the Runtime API at an address; raises OSError if it cannot."""
        folder = self._function.code
        if not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        variable = {RUNTIME_API: address}
        message: dict[str, object] = {"command": command, "folder": str(folder)}
        message["environment"] = {**environment, **variable}
        if self._is_usable:
            self._message = message
            try:
                process = await self._server.start({"environment": variable}, output)
            except OSError:
                if not self._is_loaded:
                    self._is_usable = False
                    await self._server.stop()  # its init may hang
            else:
                self._pass_held_output()
                return process
        return await self._libraries.start(message, output)

    async def retire(self) -> None:
        """End the process after its last worker, because the code of the function has changed."""
        await self._server.retire()

    async def stop(self) -> None:
        """End the process, and its workers."""
        await self._server.stop()

    async def _spawn(self, channel: socket.socket) -> ForkedProcess:
        return await self._libraries.start(self._message, Output(self._log_line), channel)

    def _log_line(self, line: str) -> None:
        """Log a line of the init, but hold it until the function has loaded."""
        if self._is_loaded:
            self._log(self._function.id, line)
        else:
            self._held.append(line)

    def _pass_held_output(self) -> None:
        self._is_loaded = True
        for line in self._held:
            self._log(self._function.id, line)
        self._held.clear()
