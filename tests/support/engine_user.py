"""A process that uses an embedded engine, to be killed or stopped by a test."""

import os
import subprocess
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine


def use(name: str, directory: Path, child: Sequence[str], pipe: "Connection[Any, Any]") -> None:
    """Use a server until the pipe has something to read; tell the address and the process of it.

    Before, start the command `child`, which inherits all file descriptors, and tell its process.
    """
    os.setsid()
    engine = (
        ValkeyEngine(directory) if name == "valkey" else PostgresEngine(directory, durable=False)
    )
    with engine.use() as server:
        if child:
            null = subprocess.DEVNULL
            started = subprocess.Popen(child, close_fds=False, stdout=null, stderr=null)
            pipe.send(started.pid)
        pipe.send((server.url, server.pid))
        pipe.recv()
