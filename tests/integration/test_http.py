"""Outbound HTTP calls to servers that violate the protocol."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from medianest.core import http

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*behaviours: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection for each behaviour, on raw sockets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for behave in behaviours:
                connection, _ = listener.accept()
                with connection:
                    try:
                        behave(connection)
                    except OSError:
                        return  # the client has closed the connection, as expected

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


def respond(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(JSON)


def drip(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in text * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return behave


def repeat_100_continue(connection: socket.socket) -> None:
    connection.recv(65536)
    for _ in range(500):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def respond_then_reset(connection: socket.socket) -> None:
    respond(connection)
    connection.recv(1)  # the second request arrives
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "behave",
    [
        drip(b"X-Drip: 1\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-Drip: " + b"1" * 2000),
        repeat_100_continue,
    ],
    ids=["endless-headers", "one-endless-header", "repeated-100-continue"],
)
@pytest.mark.usefixtures("environment")
def test_slow_response_is_aborted_after_the_total_time(
    behave: Callable[[socket.socket], None],
) -> None:
    with server(behave, behave) as url:
        started = time.monotonic()
        with pytest.raises(http.UpstreamError):
            http.request_json("GET", url, headers={}, total_seconds=0.6)
        assert time.monotonic() - started < 2


@pytest.mark.usefixtures("environment")
def test_get_is_retried_when_a_reused_connection_is_closed() -> None:
    with server(respond_then_reset, respond) as url:
        for _ in range(2):
            assert http.request_json("GET", url, headers={}) == (200, {})


@pytest.mark.usefixtures("environment")
def test_post_does_not_reuse_a_connection() -> None:
    with server(respond_then_reset, respond) as url:
        assert http.request_json("GET", url, headers={}) == (200, {})
        assert http.request_json("POST", url, headers={}) == (200, {})


@pytest.mark.usefixtures("environment")
def test_post_is_not_retried_after_it_was_sent() -> None:
    received = []

    def close_without_response(connection: socket.socket) -> None:
        received.append(connection.recv(65536))

    with server(close_without_response, respond) as url:
        with pytest.raises(http.UpstreamError):
            http.request_json("POST", url, headers={})
        assert len(received) == 1
        assert http.request_json("GET", url, headers={}) == (200, {})
    assert received[0].startswith(b"POST / ")
