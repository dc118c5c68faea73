"""Outbound HTTP to an address that a person typed: no call ever reaches a private address.

The name is resolved once, every address of it is checked, and the connection goes to one of those
very addresses; a name that resolves differently a moment later (DNS rebinding) changes nothing.
Certificate and Host are those of the name. No connection is reused: whether a call was sent is then
known, and callers decide by it what to do next.
"""

from __future__ import annotations

import json as json_format
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from medianest.core.environment import environment
from medianest.core.http import retry_after
from medianest.core.observability import logger
from medianest.core.public_addresses import RefusedAddressError, Target, is_allowed, target_of

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection
    from urllib3.response import HTTPResponse

__all__ = [
    "CertificateError",
    "NotSentError",
    "RefusedAddressError",
    "Response",
    "UnsureError",
    "check_url",
    "request",
]

MAX_BYTES = 2 * 1024 * 1024
MAX_RETRY_AFTER_SECONDS = 6 * 3600
_CHUNK = 64 * 1024


class NotSentError(Exception):
    """The connection could not be opened, so the call has had no effect."""


class UnsureError(Exception):
    """The call was sent, and no complete response arrived: it may have had its effect."""


class CertificateError(Exception):
    """The certificate is invalid, or belongs to another name; the call was not sent."""


class Response(NamedTuple):
    """A response; `body` is the parsed JSON, None if it is not JSON."""

    status: int
    body: Any
    retry_after: int | None


def check_url(url: str) -> str:
    """Return a URL in its normal form, without a slash at its end; raises RefusedAddressError.

    The addresses of its name are checked by `request`, since they can change.
    """
    return target_of(url, allow_private=_allows_private()).url


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    json: Any = None,
    query: Mapping[str, str] | None = None,
    connect_seconds: float = 5,
    call_seconds: float = 30,
    max_bytes: int = MAX_BYTES,
) -> Response:
    """Make one call, in `call_seconds` altogether, of which connecting has `connect_seconds`.

    It is not retried, and redirects are not followed. Raises RefusedAddressError, also for a
    redirect, NotSentError, UnsureError or CertificateError; their messages have the host and the
    problem, never a path, a query or a header.
    """
    target = target_of(url, allow_private=_allows_private())
    deadline = time.monotonic() + call_seconds
    limit = min(connect_seconds, call_seconds)
    try:
        connection = _connected(target, _resolved(target, limit), limit)
        with closing(connection):
            path = f"{target.path or '/'}?{urlencode(query)}" if query else target.path or "/"
            return _exchange(
                connection, method, path, headers, json, deadline=deadline, max_bytes=max_bytes
            )
    except (RefusedAddressError, NotSentError, UnsureError, CertificateError) as error:
        details = {"host": target.host, "cause": type(error).__name__}
        logger.warning("server_call_failed", extra=details)
        raise


def _allows_private() -> bool:
    return environment().allow_private_servers == "true"


def _resolved(target: Target, seconds: float) -> list[str]:
    """Return the addresses of a name; raises RefusedAddressError if one of them is not public."""
    answers: SimpleQueue[list[str] | None] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            answers.put(None)
        else:
            answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))

    # getaddrinfo() has no timeout.
    Thread(target=look_up, daemon=True).start()
    try:
        addresses = answers.get(timeout=seconds)
    except Empty:
        addresses = None
    if not addresses:
        raise NotSentError(f"The name {target.host} cannot be resolved")
    allow_private = _allows_private()
    if not all(is_allowed(each, allow_private=allow_private) for each in addresses):
        raise RefusedAddressError("The address is refused")
    return addresses


def _connected(target: Target, addresses: Sequence[str], seconds: float) -> HTTPConnection:
    """Return an open connection, with TLS unless the URL is plain HTTP."""
    # urllib3 takes long to import, and most calls of a function need none.
    import urllib3.connection

    deadline = time.monotonic() + seconds
    # The connection to the checked address; urllib3 adds TLS for the name, and the Host header.
    opened = _open(target, addresses, deadline)
    is_tls = target.scheme == "https"
    base = urllib3.connection.HTTPSConnection if is_tls else urllib3.connection.HTTPConnection

    class Checked(base):  # type: ignore[misc, valid-type]  # one of two classes
        def _new_conn(self) -> socket.socket:
            return opened

    # Without a proxy of the environment: it would resolve the name again.
    options = {"cert_reqs": "CERT_REQUIRED"} if is_tls else {}
    connection: HTTPConnection = Checked(target.host, target.port, proxy=None, **options)
    try:
        with _time_limit(opened, deadline) as timed_out:
            connection.connect()
    except ssl.SSLCertVerificationError:
        connection.close()
        opened.close()
        raise CertificateError(f"The certificate of {target.host} is not valid") from None
    except (OSError, urllib3.exceptions.HTTPError) as error:
        connection.close()
        opened.close()
        problem = "timed out" if timed_out() else type(error).__name__
        raise NotSentError(f"{target.host} cannot be reached: {problem}") from None
    return connection


def _open(target: Target, addresses: Sequence[str], deadline: float) -> socket.socket:
    """Connect to the first address that accepts."""
    problem = "timed out"
    for address in addresses:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            break
        try:
            return socket.create_connection((address, target.port), timeout=seconds)
        except OSError as error:
            problem = type(error).__name__
    raise NotSentError(f"{target.host} cannot be reached: {problem}")


def _exchange(
    connection: HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    json: Any,
    *,
    deadline: float,
    max_bytes: int,
) -> Response:
    import urllib3

    # A body that is compressed against this request is not JSON.
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
    body = None
    if json is not None:
        body = json_format.dumps(json).encode()
        sent["Content-Type"] = "application/json"
    host = connection.host
    sock: socket.socket = connection.sock
    try:
        with _time_limit(sock, deadline) as timed_out:
            connection.request(
                method, path, body, sent, preload_content=False, decode_content=False
            )
            with closing(connection.getresponse()) as response:
                content = _read(response, host, max_bytes)
    except (OSError, HTTPException, urllib3.exceptions.HTTPError) as error:
        problem = "timed out" if timed_out() else type(error).__name__
        raise UnsureError(f"{host} did not answer: {problem}") from None
    if timed_out():
        raise UnsureError(f"{host} did not answer: timed out")
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        raise RefusedAddressError(f"{host} redirects to another address, which is refused")
    pause = retry_after(response.headers, MAX_RETRY_AFTER_SECONDS)
    return Response(response.status, _parsed(content), pause)


def _read(response: HTTPResponse, host: str, max_bytes: int) -> bytes:
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            raise UnsureError(f"{host} sent more than {max_bytes} bytes")
    return bytes(content)


def _parsed(content: bytes) -> Any:
    try:
        return json_format.loads(content)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _time_limit(sock: socket.socket, deadline: float) -> Iterator[Any]:
    """Cut a connection at a monotonic time; yields a function that tells whether it was cut.

    The timeout of a socket restarts with each byte, so a slow server could hold a call forever.
    """
    is_cut = False
    # TLS moves the connection to another object; both have the same one in the kernel.
    handle = socket.fromfd(sock.fileno(), sock.family, sock.type)

    def cut() -> None:
        nonlocal is_cut
        is_cut = True
        # The other side may have closed it already.
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    seconds = max(deadline - time.monotonic(), 0.001)
    sock.settimeout(seconds)
    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield lambda: is_cut or time.monotonic() >= deadline
    finally:
        timer.cancel()
        timer.join()
        handle.close()
