"""How a call of a server ends."""

from typing import Any, NamedTuple


class RefusedAddressError(Exception):
    """The address is refused, or the server redirects to another one."""


class NotSentError(Exception):
    """The connection could not be opened, so the call has had no effect."""


class UnsureError(Exception):
    """The call was sent, and no complete response arrived: it may have had its effect."""


class CertificateError(Exception):
    """The certificate is invalid; the call was not sent."""


class Response(NamedTuple):
    """A response; `body` is the parsed JSON, None if it is not JSON."""

    status: int
    body: Any
    retry_after: int | None
