"""Calls through the CloudFront distribution: their proof, and the addresses that it reports.

API Gateway sees an edge of CloudFront as the caller. The distribution reports the viewer's address
in a header, which proves nothing by itself: everyone can send it to API Gateway. With
ORIGIN_VERIFY_SECRET, only calls with that secret in another header are served, and the address
counts. Without it, both headers are ignored.
"""

import hmac
from collections.abc import Mapping

from fastapi import Request

from medianest.api.event import NO_ADDRESS, address_of, proxy_call
from medianest.core.environment import environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.origins import proofs

# As the ProxyCall has them, in lower case.
VERIFY_HEADER = "x-origin-verify"
ADDRESS_HEADER = "x-medianest-viewer-address"
# The distribution's own name is not known to the template of the functions.
PUBLIC_URL_HEADER = "x-medianest-public-url"
_MESSAGE = "Call the service at its public address."


def accept(request: Request) -> None:
    """Let the caller of a request be the viewer of the distribution; raises FORBIDDEN.

    It raises for a call that did not pass the distribution. One without a valid address is refused
    too: a limit for all viewers together would hide the mistake of the distribution.
    """
    secret = environment().origin_verify_secret
    if secret is None:
        return
    from medianest.core import secrets  # used behind a distribution only

    valid = proofs(secrets.resolve(secret, "ORIGIN_VERIFY_SECRET"))
    call = proxy_call(request)
    sent = _single(call.headers, VERIFY_HEADER).encode()
    if not any(hmac.compare_digest(sent, value.encode()) for value in valid):
        request.state.cause = "origin_not_verified"
        raise AppError(ErrorCode.FORBIDDEN, message=_MESSAGE)
    address = address_of(_single(call.headers, ADDRESS_HEADER))
    if address == NO_ADDRESS:
        request.state.cause = "viewer_address_missing"
        raise AppError(ErrorCode.FORBIDDEN, message=_MESSAGE)
    public_url = _single(call.headers, PUBLIC_URL_HEADER)
    request.scope["proxy_call"] = call._replace(ip=address, public_url=public_url)
    request.scope["client"] = (address, 0)


def _single(headers: Mapping[str, list[str]], name: str) -> str:
    values = headers.get(name, [])
    return values[0] if len(values) == 1 else ""
