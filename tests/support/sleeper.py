"""A database that pauses, as Aurora does: a proxy in front of PostgreSQL.

A connection to a sleeping Aurora is accepted, wakes it, and waits until it is awake:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
"""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Sleeper:
    """The proxy; `port` is its own. It starts awake."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._awake_at = 0.0
        self._wake_seconds: float | None = None
        self._open: set[socket.socket] = set()
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def sleep(self, wake_seconds: float) -> None:
        """Close all connections; the next one wakes the database, which takes some seconds."""
        self._wake_seconds = wake_seconds
        self._close_all()

    @property
    def is_asleep(self) -> bool:
        """Return whether no connection has begun to wake it."""
        return self._wake_seconds is not None

    def close(self) -> None:
        """Stop the proxy and its threads."""
        self._closed.set()
        # A thread that accepts would keep a closed listener open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._close_all()
        for each in self._threads:
            each.join(10)

    def _close_all(self) -> None:
        for each in [*self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed.is_set():
            with suppress(OSError):
                client, _ = self._listener.accept()
                if self._wake_seconds is not None:
                    self._awake_at = time.monotonic() + self._wake_seconds
                    self._wake_seconds = None
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        if self._closed.wait(max(0.0, self._awake_at - time.monotonic())):
            client.close()
            return
        with suppress(OSError), client, socket.create_connection(self._target) as server:
            ends = {client: server, server: client}
            self._open |= ends.keys()
            try:
                while True:
                    for end in select.select([*ends], [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)
            finally:
                self._open -= ends.keys()


@contextmanager
def sleeper(host: str, port: int) -> Iterator[Sleeper]:
    """Run a proxy in front of a server inside the block."""
    proxy = Sleeper(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
