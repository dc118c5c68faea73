"""TLS for the tests: self-signed certificates, and servers that present them."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SSL_REQUEST = 8


def self_signed(folder: Path, *names: str) -> tuple[Path, Path]:
    """Create a self-signed certificate for localhost or `names`; return its path and the key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    alternative_names = [x509.DNSName(each) for each in names or ("localhost",)]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
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


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def tls_proxy(url: str, context: ssl.SSLContext, *, postgres: bool) -> Iterator[int]:
    """Run a TLS proxy in front of an engine without TLS; return its port on localhost."""
    parts = urlsplit(url)
    engine = (parts.hostname or "", parts.port or 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=_serve, args=(listener, engine, context, postgres), daemon=True
        ).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(
    listener: socket.socket, engine: tuple[str, int], context: ssl.SSLContext, postgres: bool
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the test is over
        arguments = (connection, engine, context, postgres)
        threading.Thread(target=_relay, args=arguments, daemon=True).start()


def _relay(
    connection: socket.socket, engine: tuple[str, int], context: ssl.SSLContext, postgres: bool
) -> None:
    with connection:
        try:
            if postgres:
                connection.recv(SSL_REQUEST)
                connection.sendall(b"S")
            with (
                context.wrap_socket(connection, server_side=True) as secured,
                socket.create_connection(engine) as plain,
            ):
                _pump(secured, plain)
        except OSError:
            return  # a side disconnected, or the client aborted the handshake


def _pump(secured: ssl.SSLSocket, plain: socket.socket) -> None:
    while True:
        ready = [secured] if secured.pending() else select.select([secured, plain], [], [])[0]
        for source in ready:
            data = source.recv(64 * 1024)
            if not data:
                return
            (plain if source is secured else secured).sendall(data)
