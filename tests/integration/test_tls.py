"""Whoever cannot prove to be the server is not talked to (trust D09)."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from medianest.core import http
from medianest.core.cache import Cache
from medianest.core.db import Database
from medianest.core.errors import AppError

SSL_REQUEST = 8


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that no authority has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def impostor(tmp_path: Path) -> ssl.SSLContext:
    """Return what a server needs to speak TLS with such a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    return context


@contextmanager
def serving(context: ssl.SSLContext, received: list[bytes], *, postgres: bool) -> Iterator[int]:
    """Accept connections, and keep what comes after a handshake that the client went along with."""
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
                        continue  # the client did not go along, as it should not

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("environment")
def test_an_upstream(impostor: ssl.SSLContext) -> None:
    received: list[bytes] = []
    with serving(impostor, received, postgres=False) as port, pytest.raises(http.UpstreamError):
        http.request_json("GET", f"https://localhost:{port}/", headers={"X-Plex-Token": "secret"})
    assert b"secret" not in b"".join(received)


@pytest.mark.usefixtures("environment")
def test_the_cache(impostor: ssl.SSLContext) -> None:
    received: list[bytes] = []
    with serving(impostor, received, postgres=False) as port:
        assert Cache(SecretStr(f"rediss://:secret@localhost:{port}/0")).ping() is False
    assert b"secret" not in b"".join(received)


@pytest.mark.usefixtures("environment")
def test_the_database(impostor: ssl.SSLContext, tmp_path: Path) -> None:
    received: list[bytes] = []
    (tmp_path / "other").mkdir()
    trusted, _ = self_signed(tmp_path / "other")
    with serving(impostor, received, postgres=True) as port:
        address = f"postgresql://u:secret@localhost:{port}/d?sslmode=verify-full"
        database = Database(SecretStr(f"{address}&sslrootcert={trusted}"))
        with pytest.raises(AppError, match="DATABASE_CONNECTION_ERROR"), database.transaction():
            pass
    assert b"secret" not in b"".join(received)
