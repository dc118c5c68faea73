"""Calls to an address that a person typed, over real connections."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from medianest.core import guard
from medianest.core.environment import environment as core_environment
from medianest.core.guard import (
    CertificateError,
    NotSentError,
    RefusedAddressError,
    UnsureError,
)
from tests.support.tls import self_signed, server_context

NAME = "radarr.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + b'{"ok": [1]}'


class Server:
    """A server that records what it is sent, and answers with `answer`."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.answer: bytes | Callable[[socket.socket], None] = OK
        self.received: list[bytes] = []
        self.server_names: list[str | None] = []
        self._context = context
        if context is not None:
            context.sni_callback = lambda _, name, __: self.server_names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        # It wakes accept(), which would keep the port open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the test is over
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                self.received.append(connection.recv(65536))
                if callable(self.answer):
                    self.answer(connection)
                else:
                    connection.sendall(self.answer)
        except OSError:
            connection.close()  # the client has hung up, as it should


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(context)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def private(environment: object) -> None:
    """Allow loopback, on which the servers of these tests listen."""
    assert core_environment().allow_private_servers == "true"


@pytest.fixture
def public(environment: object) -> Iterator[None]:
    """Allow public addresses only, as on AWS."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ALLOW_PRIVATE_SERVERS", "false")
        core_environment.cache_clear()
        yield
    core_environment.cache_clear()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: None) -> Iterator[Server]:
    """Run a server with a certificate for NAME, which this process trusts."""
    certificate, key = self_signed(tmp_path, NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(server_context(certificate, key)) as server:
        yield server


class Resolver:
    """Answers look-ups with the next of `answers`; the last one repeats."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, port: int, *_: object, **__: object) -> list[Any]:
        if not host.endswith(".example"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (host, port))]
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


def get(server: Server, scheme: str = "http", **options: Any) -> guard.Response:
    host = NAME if scheme == "https" else "127.0.0.1"
    url = f"{scheme}://{host}:{server.port}/radarr/api"
    return guard.request("GET", url, headers={"X-Api-Key": "k"}, **options)


@pytest.mark.usefixtures("private")
class TestCall:
    def test_query_headers_and_body_are_sent(self) -> None:
        with serving() as server:
            url = f"http://127.0.0.1:{server.port}/api/movie"
            response = guard.request(
                "POST", url, headers={"X-Api-Key": "k"}, json={"a": "ü"}, query={"q": "a&b"}
            )
        assert response == guard.Response(200, {"ok": [1]}, None)
        sent = server.received[0].decode()
        assert sent.startswith("POST /api/movie?q=a%26b HTTP/1.1\r\n")
        assert f"Host: 127.0.0.1:{server.port}\r\n" in sent
        assert "X-Api-Key: k\r\n" in sent
        assert "Content-Type: application/json\r\n" in sent

    @pytest.mark.parametrize(
        ("head", "content", "expected"),
        [
            ("404 Not Found", b"<html>", guard.Response(404, None, None)),
            ("429 Slow\r\nRetry-After: 90000", b"[]", guard.Response(429, [], 21600)),
            ("503 Down\r\nRetry-After: 7", b"", guard.Response(503, None, 7)),
            ("200 OK", b"[" * 100_000, guard.Response(200, None, None)),
        ],
    )
    def test_status_and_retry_after_are_returned_with_any_body(
        self, head: str, content: bytes, expected: guard.Response
    ) -> None:
        with serving() as server:
            length = f"Content-Length: {len(content)}"
            server.answer = f"HTTP/1.1 {head}\r\n{length}\r\n\r\n".encode() + content
            assert get(server) == expected

    def test_a_redirect_is_refused_and_not_followed(self) -> None:
        with serving() as inside, serving() as server:
            location = f"Location: http://127.0.0.1:{inside.port}/"
            server.answer = f"HTTP/1.1 302 Found\r\n{location}\r\n\r\n".encode()
            with pytest.raises(RefusedAddressError, match="redirects"):
                get(server)
            assert inside.received == []

    def test_a_huge_body_is_not_read_to_its_end(self) -> None:
        with serving() as server:
            server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (guard.MAX_BYTES + 1)
            with pytest.raises(UnsureError, match="sent more than"):
                get(server)
            server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"1" * 100
            assert get(server, max_bytes=100).status == 200

    def test_a_compressed_body_is_not_expanded(self) -> None:
        with serving() as server:
            server.answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"
            assert get(server).body is None

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n["])
    def test_a_slow_server_is_cut_off_at_the_deadline(self, start: bytes) -> None:
        def drip(connection: socket.socket) -> None:
            connection.sendall(start)
            while True:
                connection.sendall(b"1")
                time.sleep(0.05)

        with serving() as server:
            server.answer = drip
            started = time.monotonic()
            with pytest.raises(UnsureError, match="timed out"):
                get(server, call_seconds=0.5)
            assert time.monotonic() - started < 3

    @pytest.mark.parametrize(
        "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", b"?"]
    )
    def test_a_connection_that_breaks_after_the_request_leaves_doubt(self, answer: bytes) -> None:
        with serving() as server:
            server.answer = answer
            with pytest.raises(UnsureError):
                get(server)

    def test_a_closed_port_means_not_sent(self) -> None:
        with serving() as server:
            assert get(server).status == 200
        with pytest.raises(NotSentError, match="cannot be reached"):
            get(server)

    def test_a_proxy_of_the_environment_is_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving() as proxy, serving() as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert get(server).status == 200
            assert proxy.received == []


class TestTls:
    def test_certificate_and_host_are_those_of_the_name(
        self, tls: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolver = Resolver(monkeypatch, ["127.0.0.1"])
        assert get(tls, "https").status == 200
        assert tls.server_names == [NAME]
        assert f"Host: {NAME}:{tls.port}\r\n".encode() in tls.received[0]
        assert resolver.asked == [NAME]

    def test_a_certificate_of_another_name_is_refused(
        self, tls: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Resolver(monkeypatch, ["127.0.0.1"])
        with pytest.raises(CertificateError):
            guard.request("GET", f"https://other.example:{tls.port}", headers={})
        assert tls.received == []

    def test_an_unknown_authority_is_refused(
        self, tls: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Resolver(monkeypatch, ["127.0.0.1"])
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(CertificateError):
            get(tls, "https")
        assert tls.received == []

    def test_a_handshake_that_hangs_means_not_sent(
        self, private: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Resolver(monkeypatch, ["127.0.0.1"])
        with serving() as server:
            server.answer = lambda _: time.sleep(3)
            with pytest.raises(NotSentError, match="timed out"):
                get(server, "https", connect_seconds=0.3)

    def test_a_handshake_that_is_cut_means_not_sent(
        self, private: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Resolver(monkeypatch, ["127.0.0.1"])
        with serving() as server:
            server.answer = b"this is not TLS"
            with pytest.raises(NotSentError):
                get(server, "https")


class TestResolution:
    @pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1"]])
    def test_one_private_address_of_a_name_refuses_it(
        self, public: None, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
    ) -> None:
        Resolver(monkeypatch, addresses)
        connected: list[object] = []
        monkeypatch.setattr(socket, "create_connection", lambda *a, **_: connected.append(a))
        with pytest.raises(RefusedAddressError, match=r"^The address is refused$"):
            guard.request("GET", f"https://{NAME}", headers={})
        assert connected == []

    def test_the_connection_goes_to_the_address_that_was_checked(
        self, public: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The second answer is that of a name that rebinds.
        resolver = Resolver(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
        connected: list[object] = []

        def refuse(address: object, timeout: float) -> socket.socket:
            connected.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "create_connection", refuse)
        with pytest.raises(NotSentError):
            guard.request("GET", f"https://{NAME}", headers={})
        assert connected == [("93.184.216.34", 443)]
        assert resolver.asked == [NAME]
        with pytest.raises(RefusedAddressError):
            guard.request("GET", f"https://{NAME}", headers={})
        assert len(connected) == 1

    @pytest.mark.usefixtures("private")
    def test_the_next_address_is_tried_when_one_does_not_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Resolver(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        with serving() as server:
            url = f"http://{NAME}:{server.port}"
            assert guard.request("GET", url, headers={}).status == 200

    def test_a_name_that_does_not_resolve_means_not_sent(
        self, public: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(NotSentError, match="cannot be resolved"):
            guard.request("GET", f"https://{NAME}", headers={})

    def test_a_resolver_that_hangs_is_left_behind(
        self, public: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hang(*_: object, **__: object) -> list[object]:
            time.sleep(2)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        started = time.monotonic()
        with pytest.raises(NotSentError):
            guard.request("GET", f"https://{NAME}", headers={}, connect_seconds=0.2)
        assert time.monotonic() - started < 1.5
