"""Record the statements that a client sends to PostgreSQL."""

import re
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# Statements whose effect outlives the transaction. A pooler in transaction mode loses that state or
# pins the client to its connection.
_SESSION_STATE = re.compile(
    r"^\s*(SET(?!\s+(LOCAL|TRANSACTION|CONSTRAINTS)\b)|RESET|DISCARD|LISTEN|UNLISTEN|LOAD|PREPARE"
    r"|DEALLOCATE)\b"
    r"|\bpg_(try_)?advisory_(lock|unlock)|\bset_config\s*\((?!.*,\s*true\s*\))"
    r"|\b(CREATE|INTO)\s+(GLOBAL\s+|LOCAL\s+)?TEMP|\bpg_temp\b|\bWITH\s+HOLD\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass
class Recording:
    """The startup parameters, statements and prepared statements recorded so far."""

    startups: list[dict[str, str]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)

    @property
    def session_state(self) -> list[str]:
        """Return the statements that leave session state."""
        parts = (part for statement in self.statements for part in statement.split(";"))
        return [part for part in parts if _SESSION_STATE.search(part)]


@contextmanager
def recorded(url: str) -> Iterator[tuple[str, Recording]]:
    """Return a URL of PostgreSQL through a recording proxy without TLS, and the recording."""
    parts = urlsplit(url)
    engine = (parts.hostname or "", parts.port or 5432)
    recording = Recording()

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(engine, timeout=20) as server:
                response_thread = threading.Thread(target=_copy, args=(server, self.request))
                response_thread.start()
                _forward(self.request, server, recording)
                server.shutdown(socket.SHUT_WR)
                response_thread.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        threading.Thread(target=relay.serve_forever, args=(0.01,)).start()
        credentials = parts.netloc.rpartition("@")[0]
        local = parts._replace(netloc=f"{credentials}@127.0.0.1:{relay.server_address[1]}")
        try:
            yield local._replace(query="sslmode=disable&gssencmode=disable").geturl(), recording
        finally:
            relay.shutdown()


def _copy(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(64 * 1024):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def _forward(client: socket.socket, server: socket.socket, recording: Recording) -> None:
    """Forward and record the messages of a client until it disconnects."""
    with client.makefile("rb") as stream:
        kind = b""  # the first message has no type byte
        while head := stream.read(len(kind) + 4):
            (size,) = struct.unpack("!i", head[-4:])
            body = stream.read(size - 4)
            _record(head[:-4], body, recording)
            server.sendall(head + body)
            kind = b"?"


def _record(kind: bytes, body: bytes, recording: Recording) -> None:
    fields = body.split(b"\0")
    if kind == b"Q":
        recording.statements.append(fields[0].decode())
    elif kind == b"P":
        recording.statements.append(fields[1].decode())
        if fields[0]:
            recording.prepared.append(fields[0].decode())
    elif not kind:
        names = [word.decode() for word in body[4:].split(b"\0") if word]
        recording.startups.append(dict(zip(names[::2], names[1::2], strict=True)))
