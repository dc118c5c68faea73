"""Clients send nothing to a server without a trusted certificate (trust D09)."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import pytest
from pydantic import SecretStr

from medianest.core import db, http
from medianest.core.cache import Cache
from medianest.core.db import Database
from medianest.core.errors import AppError
from tests.support.tls import SSL_REQUEST, self_signed, server_context, tls_proxy

RDS = "medianest.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def self_signed_context(tmp_path: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with a self-signed certificate."""
    return server_context(*self_signed(tmp_path))


@contextmanager
def serving(context: ssl.SSLContext, received: list[bytes], *, postgres: bool) -> Iterator[int]:
    """Accept connections, and record the bytes that a client sends after the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # the test is over
                with connection:
                    try:
                        if postgres:
                            connection.recv(SSL_REQUEST)
                            connection.sendall(b"S")
                        with context.wrap_socket(connection, server_side=True) as secured:
                            received.append(secured.recv(1000))
                    except OSError:
                        continue  # the client aborted the handshake, as expected

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("environment")
def test_upstream_with_an_untrusted_certificate_receives_nothing(
    self_signed_context: ssl.SSLContext,
) -> None:
    received: list[bytes] = []
    with (
        serving(self_signed_context, received, postgres=False) as port,
        pytest.raises(http.UpstreamError),
    ):
        http.request_json("GET", f"https://localhost:{port}/", headers={"X-Plex-Token": "secret"})
    assert b"secret" not in b"".join(received)


@pytest.mark.usefixtures("environment")
def test_cache_with_an_untrusted_certificate_receives_nothing(
    self_signed_context: ssl.SSLContext,
) -> None:
    received: list[bytes] = []
    with serving(self_signed_context, received, postgres=False) as port:
        assert Cache(SecretStr(f"rediss://:secret@localhost:{port}/0")).ping() is False
    assert b"secret" not in b"".join(received)


@pytest.mark.usefixtures("environment")
def test_database_with_an_untrusted_certificate_receives_nothing(
    self_signed_context: ssl.SSLContext, tmp_path: Path
) -> None:
    received: list[bytes] = []
    (tmp_path / "other").mkdir()
    trusted, _ = self_signed(tmp_path / "other")
    with serving(self_signed_context, received, postgres=True) as port:
        address = f"postgresql://u:secret@localhost:{port}/d?sslmode=verify-full"
        database = Database(SecretStr(f"{address}&sslrootcert={trusted}"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"), database.transaction():
            pass
    assert b"secret" not in b"".join(received)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("host", ["localhost", RDS])
def test_database_url_without_a_root_certificate_trusts_no_self_signed_one(
    host: str, tmp_path: Path
) -> None:
    received: list[bytes] = []
    context = server_context(*self_signed(tmp_path, host))
    with serving(context, received, postgres=True) as port:
        address = f"{host}:{port}/d?hostaddr=127.0.0.1&sslmode=verify-full"
        database = Database(SecretStr(f"postgresql://u:secret@{address}"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"), database.transaction():
            pass
    assert received == []


@pytest.mark.parametrize("host", ["localhost", RDS])
def test_database_certificate_of_a_public_or_amazon_authority_is_trusted(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, host: str, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path, host)
    if host == RDS:
        monkeypatch.setattr(db, "AMAZON_AUTHORITIES", certificate)
    else:
        monkeypatch.setattr(certifi, "where", lambda: str(certificate))
    url = environment["DATABASE_URL"]
    engine = urlsplit(url)
    with tls_proxy(url, server_context(certificate, key), postgres=True) as port:
        login, name = f"{engine.username}:{engine.password}", engine.path
        address = f"{host}:{port}{name}?hostaddr=127.0.0.1&sslmode=verify-full"
        database = Database(SecretStr(f"postgresql://{login}@{address}"))
        database.ping()
        database.close()
        other = Database(SecretStr(f"postgresql://{login}@other-{address}"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"):
            other.ping()
